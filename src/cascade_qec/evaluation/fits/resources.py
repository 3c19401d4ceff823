"""Physical qubits for one logical qubit at a target error rate, as rows of fits.csv.

Where the rate was never measured, beyond measured distances or noise rates, a row says "extrapolated": the form is
taken for granted there, and the interval knows nothing of the doubt in it.
"""

from __future__ import annotations

import math
from collections import defaultdict

from cascade_qec.evaluation.fit_row import FitRow
from cascade_qec.evaluation.fits.suppression import Series, starred, suppression
from cascade_qec.evaluation.fits.waterfall import WaterfallFit
from cascade_qec.statistics import Interval


def series_resource(series: Series, *, p: float, target: float) -> list[FitRow]:
    """Smallest distance that reaches the target at a noise rate at which two distances were measured, and its qubits.

    Raises
    ------
    CascadeError
        If fewer than two distances had failures there, if errors do not fall with the distance, or the target is
        not between 0 and 0.5.
    """
    fitted = suppression(series, p)
    # Lambda is for two steps of the distance
    distances = fitted.distance_for(target).map(lambda d: _next_of_parity(d, series.distances[0] % 2))
    qubits = distances.map(lambda d: math.inf if math.isinf(d) else series.qubits_per_logical(int(d)))
    return [
        FitRow.of(
            parameter,
            figure,
            decoder=series.decoder,
            code=f"{series.stem}{distances.value:.0f}",
            rounds=series.rule,
            bases=series.bases,
            form="resources",
            p=p,
            target=target,
            extrapolated="" if distances.value in fitted.distances else "yes",
        )
        for parameter, figure in (("distance", distances), ("qubits_per_logical", qubits))
    ]


def code_resources(fits: list[WaterfallFit], *, p: float, target: float) -> list[FitRow]:
    """For each decoder the measured code with the fewest qubits per logical that reaches the target by its fit.

    The upper end of the interval is the code whose upper end of the fitted rate is below the target, and the
    lower end that whose lower end is. Infinite: no code that was measured. `fits` are of the codes to choose among,
    one for each code and decoder.
    """
    found = []
    groups = defaultdict(list)
    for fit in fits:
        if fit.curve.qubits_per_logical is not None:
            first = fit.curve.first
            groups[starred(first.decoder, first.code), first.bases].append(fit)
    for (decoder, bases), here in groups.items():
        rates = [(fit, fit.rate(p)) for fit in here]
        best, *_ = ends = [
            min((fit for fit, rate in rates if getattr(rate, end) <= target), key=_size, default=None)
            for end in ("value", "low", "high")
        ]
        found.append(
            FitRow.of(
                "qubits_per_logical",
                Interval(*(math.inf if fit is None else _size(fit) for fit in ends)),
                decoder=decoder,
                code="none measured" if best is None else best.curve.first.code,
                bases=bases,
                form="resources",
                p=p,
                target=target,
                extrapolated="" if best is None or best.curve.holds(p) else "yes",
            )
        )
    return found


def _size(fit: WaterfallFit) -> float:
    return fit.curve.qubits_per_logical or math.inf


def _next_of_parity(d: float, parity: int) -> float:
    # A distance that is reached but for rounding is reached.
    return d if math.isinf(d) else float(max(2, 2 * math.ceil((d - parity - 1e-9) / 2)) + parity)
