"""Block error down to where it cannot be sampled, from fitted failure spectra: benchmarks/results/waterfall.

    python -m workshop.studies.waterfall

Fits the ansatz to a decoder's strata and to its shots sampled at some noise rates (cards and studies, both bases), and
writes rates.csv and fitted.csv. Each fit is made once more without the sampled shots at the lowest noise rate, which it
then has to predict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from cascade_qec import circuits, codes
from cascade_qec.error_models import error_model
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rare_events.ansatz import FORMS, AnsatzFit, Form, Sampled, distribution, fit_ansatz
from cascade_qec.evaluation.rare_events.faults import Faults
from cascade_qec.evaluation.rare_events.results import SpectrumRow
from cascade_qec.evaluation.tables import Row
from cascade_qec.statistics import Interval
from cascade_qec.tables import Circumstances, circumstances, read_rows, write_rows
from workshop import RESULTS
from workshop.studies import spectra

FOLDER = RESULTS / "waterfall"
RATES, FITTED = FOLDER / "rates.csv", FOLDER / "fitted.csv"

STRATA = (RESULTS / "rare" / "spectrum.csv", spectra.TABLE)
PS = (1e-5, 3e-5, 1e-4, 2e-4, 3e-4, 5e-4, 1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 6e-3)
ONSETS = {"bb72": (3, 2), "bb144": (5, 2), "surface_d9": (5, 2), "surface_d11": (6, 2)}
"""Half the circuit distance, which of the bicycle codes is 6 and at most 10 (S. Bravyi et al., Nature 627, 778 (2024)),
and two faults."""
MOST = {"bb72": 80, "bb144": 200, "surface_d9": 60, "surface_d11": 100}
SIMULATIONS, SEED = 200, 2031
REJECTED = 0.05
"""Share of simulations below which a form is wrong."""


class Subject(NamedTuple):
    """A decoder, and the table of its shots at noise rates with its name there."""

    code: str
    decoder: str
    table: Path
    name: str


SUBJECTS = (
    Subject("bb72", "cascade:bb72", RESULTS / "bb72.csv", "cascade"),
    Subject("bb72", "cascade:local_bb72", RESULTS / "local_bb72.csv", "cascade"),
    Subject("bb72", "cascade:local_bb72+bposd-lowest", RESULTS / "second_opinions.csv", "local_bb72+bposd-lowest"),
    Subject("bb72", "relay-bp-filtered", RESULTS / "bb72.csv", "relay-bp-filtered"),
    Subject("bb144", "cascade:bb144_small", RESULTS / "bb144_small.csv", "cascade"),
    Subject("bb144", "cascade:local_bb144", RESULTS / "local_bb144.csv", "cascade"),
    Subject("bb144", "cascade:local_bb144+bposd-lowest", RESULTS / "second_opinions.csv", "local_bb144+bposd-lowest"),
    *(
        Subject(code, decoder, RESULTS / "second_opinions.csv", decoder.removeprefix("cascade:"))
        for code in ("surface_d9", "surface_d11")
        for decoder in ("cascade:local_surface+bposd-lowest", "pymatching-correlated")
    ),
)


class _Fit(BaseModel):
    code: str
    decoder: str
    form: Form
    onset: int


class RateRow(_Fit, Circumstances):
    """Block error that a fit gives at a noise rate, with 95 % of its simulations.

    Attributes
    ----------
    rounds
        As many as the code's distance.
    points
        Strata and noise rates that it is fitted to.
    goodness
        See :class:`AnsatzFit`.
    without
        Noise rate whose shots it did not see; None: it saw all.
    shots, failures
        What was sampled at this noise rate.
    """

    rounds: int
    p: float
    block_error: Interval
    points: int
    goodness: float
    without: float | None
    shots: int | None
    failures: int | None


class FittedRow(_Fit):
    """f(w) of a fit that saw all shots, with 95 % of its simulations."""

    faults: int
    fraction: Interval


@dataclass(frozen=True)
class Direct:
    """Shots sampled at a noise rate."""

    p: float
    shots: int
    failures: int


def numbers(code: str) -> dict[float, NDArray[np.float64]]:
    """P(W = w) [most + 1] at each noise rate, in basis Z."""
    made = codes.get(code)
    assert made.d is not None
    found = {}
    for p in PS:
        circuit = circuits.memory(made, rounds=made.d, basis="Z", noise=circuits.UniformDepolarizing(p))
        found[p] = distribution(Faults.of(error_model(circuit)).probabilities, MOST[code])
    return found


def sampled(strata: Sequence[SpectrumRow], direct: Sequence[Direct], at: dict[float, NDArray[np.float64]]) -> Sampled:
    """All counts as one, with the distribution of the number of faults behind each."""
    alone = np.eye(len(next(iter(at.values()))))
    rows = [(alone[row.faults], row.shots, row.failures) for row in strata]
    rows += [(at[each.p], each.shots, each.failures) for each in direct]
    distributions, shots, failures = zip(*rows, strict=True)
    return Sampled(np.array(distributions), np.array(shots), np.array(failures))


def direct_shots(subject: Subject) -> list[Direct]:
    """What a table has of a decoder, over d rounds, by ascending p."""
    rows = [
        row
        for row in read_rows(subject.table, Row)
        if (row.code, row.decoder) == (subject.code, subject.name) and row.rounds == codes.get(row.code).d
    ]
    return sorted((Direct(row.p, row.shots, row.failures) for row in rows), key=lambda each: each.p)


def fits_of(
    subject: Subject, at: dict[float, NDArray[np.float64]], known: Mapping[str, Any]
) -> tuple[list[RateRow], list[FittedRow]]:
    """All fits to one decoder; those that have too few points are left out."""
    code = codes.get(subject.code)
    assert code.d is not None
    strata = [
        row
        for table in STRATA
        for row in read_rows(table, SpectrumRow)
        if (row.code, row.decoder) == (subject.code, subject.decoder) and not row.exact and row.faults <= MOST[row.code]
    ]
    direct = direct_shots(subject)
    seen = {each.p: each for each in direct}
    rates, fitted = [], []
    for form in FORMS:
        for onset in ONSETS[subject.code]:
            about: dict[str, Any] = _Fit(
                code=subject.code, decoder=subject.decoder, form=form, onset=onset
            ).model_dump()
            for without in (None, direct[0].p) if onset == ONSETS[subject.code][0] else (None,):
                counts = sampled(strata, [each for each in direct if each.p != without], at)
                try:
                    fit = fit_ansatz(counts, form=form, k=code.k, onset=onset, simulations=SIMULATIONS, seed=SEED)
                except CascadeError as error:
                    print(f"{subject.decoder}, {form}, onset {onset}: {error}")
                    continue
                for p, value in rates_of(fit, at).items():
                    if without in (None, p):
                        there = seen.get(p)
                        row = RateRow(
                            **about,
                            rounds=code.d,
                            p=p,
                            block_error=value,
                            points=len(counts.shots),
                            goodness=fit.goodness,
                            without=without,
                            shots=there and there.shots,
                            failures=there and there.failures,
                            **known,
                        )
                        rates.append(row)
                if without is None:
                    ends = np.percentile(fit.simulated, (2.5, 97.5), axis=0)
                    fitted += [
                        FittedRow(**about, faults=w, fraction=_around(fit.spectrum[w], ends[:, w]))
                        for w in range(onset, MOST[subject.code] + 1)
                    ]
    return rates, fitted


def rates_of(fit: AnsatzFit, at: dict[float, NDArray[np.float64]]) -> dict[float, Interval]:
    """Block error at each noise rate."""
    return {
        p: _around(float(fit.spectrum @ law), np.percentile(fit.simulated @ law, (2.5, 97.5))) for p, law in at.items()
    }


def _around(value: float, ends: NDArray[np.float64]) -> Interval:
    """Simulations may lie to one side of what they were drawn from."""
    return Interval(value, min(value, float(ends[0])), max(value, float(ends[1])))


def main() -> None:
    known, at = circumstances(), {code: numbers(code) for code in ONSETS}
    rates: list[RateRow] = []
    fitted: list[FittedRow] = []
    for subject in SUBJECTS:
        of_rates, of_spectrum = fits_of(subject, at[subject.code], known)
        rates += of_rates
        fitted += of_spectrum
    write_rows(RATES, rates)
    write_rows(FITTED, fitted)


if __name__ == "__main__":
    main()
