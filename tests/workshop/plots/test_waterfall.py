"""The figure of failure spectra and waterfalls, and the noise rate at which a target is reached."""

import pytest

from cascade_qec.evaluation.rare_events.results import SpectrumRow
from cascade_qec.statistics import Interval, wilson
from workshop.pages.waterfall import lines
from workshop.plots.waterfall import waterfall_figure
from workshop.studies.waterfall import FORMS, FittedRow, RateRow

PS = (1e-5, 1e-4, 1e-3, 3e-4)
KNOWN = {"hardware": "", "versions": "", "commit": ""}
ABOUT = {"code": "bb72", "decoder": "cascade:bb72"}


def _rates(form: str, *, goodness: float, onset: int = 3, without: float | None = None) -> list[RateRow]:
    """P = p^3, within a factor of 10."""
    return [
        RateRow(
            **ABOUT,
            **KNOWN,
            form=form,
            onset=onset,
            rounds=6,
            p=p,
            block_error=Interval(p**3, p**3 / 10, 10 * p**3),
            points=8,
            goodness=goodness,
            without=without,
            shots=1000,
            failures=1,
        )
        for p in sorted(PS if without is None else [without])
    ]


def _fitted(form: str) -> list[FittedRow]:
    return [
        FittedRow(**ABOUT, form=form, onset=3, faults=w, fraction=Interval(1e-6 * w**3, 0.0, 1e-5 * w**3))
        for w in range(3, 40)
    ]


STRATUM = SpectrumRow(
    **ABOUT,
    rounds=6,
    basis="Z",
    faults=20,
    shots=100,
    failures=2,
    fraction=wilson(2, 100),
    seed=1,
    sampled_at=0.003,
    exact=False,
    noise="uniform",
    parameters="",
)


@pytest.mark.parametrize(("goodness", "styles"), [(0.5, ["-", ":"]), (0.01, ["-"])])
def test_two_exponents_are_drawn_over_one_that_is_not_rejected(goodness, styles):
    rates = [*_rates(FORMS[0], goodness=goodness), *_rates(FORMS[1], goodness=0.5)]
    fitted = [*_fitted(FORMS[0]), *_fitted(FORMS[1])]
    figure = waterfall_figure(rates, fitted, [STRATUM])
    for axes in figure.axes:
        drawn = [
            line.get_linestyle() for line in axes.lines if len(line.get_xdata()) > 3 and line.get_linestyle() != "None"
        ]
        assert sorted(drawn) == sorted(styles)


def test_the_table_has_the_noise_rate_of_the_target():
    """P = 1e-9 where p^3 is, and where a tenth and ten times of it is."""
    rates = [
        *_rates(FORMS[0], goodness=0.5),
        *_rates(FORMS[0], goodness=0.5, onset=2),
        *_rates(FORMS[0], goodness=0.5, without=1e-3),
    ]
    (row,) = lines(rates)[2:]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:3] == ["cascade:bb72 on bb72", "one exponent", "0.5"]
    assert cells[3].startswith("at 0.1 % 1.0e-9 [1.0e-10, 1.0e-8];<br>1 of 1,000 = 1.0e-3")
    assert cells[-2] == cells[-1] == "0.1 [0.046, above 0.1] %"
