"""Fitted failure spectra of several decoders, and the block errors that follow down to low noise."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascade_qec.evaluation.rare_events.results import SpectrumRow
from cascade_qec.plotting.curves import draw_rates
from cascade_qec.plotting.panels import finish, grouped, log_axis, make_panels
from cascade_qec.plotting.style import Look, label_of, looks, styled
from cascade_qec.statistics import Interval, wilson
from workshop.studies.spectra import FAULTS
from workshop.studies.waterfall import ONSETS, REJECTED, FittedRow, RateRow

_LOWEST = {"spectrum": 1e-6, "rates": 1e-10}
_NOTES = (
    "Points: 95 % intervals.",
    "Solid lines and bands: fit with two exponents, or one where points are too few, and 95 % of its simulations.",
    "Dotted: with one exponent.",
    "Rejected fits are not drawn.",
)


def waterfall_figure(
    rates: Sequence[RateRow], fitted: Sequence[FittedRow], strata: Sequence[SpectrumRow], *, title: str | None = None
) -> Figure:
    """For each code of which sets of faults were drawn a panel of spectra and one of block errors.

    Fits are lines, what was counted are points.

    Raises
    ------
    CascadeError
        If there are no rates.
    """
    rates = [row for row in rates if row.code in FAULTS and row.onset == ONSETS[row.code][0] and row.without is None]
    fitted = [row for row in fitted if row.onset == ONSETS[row.code][0]]
    by_code = grouped(rates, lambda row: row.code)
    look = looks(_label(row) for row in rates)
    with styled():
        figure, panels = make_panels(2 * len(by_code), y_label="failure spectrum f(w)")
        for i, (code, of_code) in enumerate(by_code.items()):
            left, right = panels[2 * i : 2 * i + 2]
            for decoder, rows in grouped(of_code, lambda row: row.decoder).items():
                style, label = look[_label(rows[0])], _label(rows[0])
                good = {row.form for row in rows if row.goodness >= REJECTED}
                spectra = [row for row in fitted if (row.code, row.decoder) == (code, decoder)]
                _fits(left, [(row.form, row.faults, row.fraction) for row in spectra], style, good, "spectrum")
                _fits(right, [(row.form, 100 * row.p, row.block_error) for row in rows], style, good, "rates")
                known = [row for row in strata if (row.code, row.decoder) == (code, decoder)]
                _points(left, {row.faults: row.fraction for row in known}, style, label)
                seen = {100 * row.p: wilson(row.failures, row.shots) for row in rows if row.shots and row.failures}
                _points(right, seen, style, label)
            for axes, kind in ((left, "spectrum"), (right, "rates")):
                log_axis(axes.yaxis, [_LOWEST[kind], 1.0])
                axes.set_ylim(_LOWEST[kind], 1.5)
            faults = [row.faults for row in fitted if row.code == code and row.fraction.value > _LOWEST["spectrum"]]
            log_axis(left.xaxis, [min(faults), max(faults)])
            left.set_xlim(min(faults) / 1.05, max(faults) * 1.05)
            log_axis(right.xaxis, [100 * row.p for row in of_code], ticked=True)
            left.set_xlabel("faults w")
            right.set_xlabel("noise p (%)")
            right.set_ylabel("block error")
            left.set_title(code)
            right.set_title(f"{code}, {of_code[0].rounds} rounds")
        finish(figure, look, _NOTES, title=title)
    return figure


def _label(row: RateRow) -> str:
    return label_of(row.decoder, row.code) if row.decoder.startswith("cascade:") else row.decoder


def _fits(axes: Axes, rows: Sequence[tuple[str, float, Interval]], look: Look, good: set[str], kind: str) -> None:
    """The fit with the most exponents with its band, and one exponent as a dotted line; only those that are good."""
    forms = {form: [(x, value) for name, x, value in rows if name == form] for form, _, _ in rows if form in good}
    for form, points in forms.items():
        x, values = [x for x, _ in points], [value for _, value in points]
        main = form == list(forms)[-1]
        axes.plot(x, [value.value for value in values], color=look.color, linestyle="-" if main else ":")
        if main:
            low = [max(value.low, _LOWEST[kind] / 10) for value in values]
            axes.fill_between(x, low, [value.high for value in values], color=look.color, alpha=0.15, linewidth=0)


def _points(axes: Axes, seen: dict[float, Interval] | dict[int, Interval], look: Look, label: str) -> None:
    shown = {x: value for x, value in seen.items() if value.value}
    draw_rates(axes, list(shown), list(shown.values()), look, label=label, connected=False)
