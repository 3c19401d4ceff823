"""Physical qubits for one logical qubit at a target error rate."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from cascade_qec.evaluation.fits.series import Series, starred
from cascade_qec.evaluation.fits.suppression import suppression
from cascade_qec.evaluation.fits.waterfall import WaterfallFit
from cascade_qec.statistics import Interval


@dataclass(frozen=True)
class Resource:
    """What a decoder needs to reach a rate per logical per cycle.

    Attributes
    ----------
    decoder, code
        The code that is enough, or "none measured".
    rounds, bases
        Rule by which rounds go with the distance, "" among single codes; measured bases.
    p, target
        Noise rate, and rate per logical per cycle.
    distance
        Of the code, with the distances at the ends of the interval; None but for series.
    qubits
        Data and check qubits per logical qubit, with interval; infinite where no size is enough.
    extrapolated
        Whether the rate was never measured: beyond measured distances or noise rates the form is taken for
        granted, and the interval knows nothing of the doubt in it.
    """

    decoder: str
    code: str
    rounds: str
    bases: str
    p: float
    target: float
    distance: Interval | None
    qubits: Interval
    extrapolated: bool


def series_resource(series: Series, *, p: float, target: float) -> Resource:
    """Smallest distance that reaches the target at a noise rate at which two distances were measured.

    Raises
    ------
    CascadeError
        If fewer than two distances had failures there, if errors do not fall with the distance, or the target is
        not between 0 and 0.5.
    """
    fitted = suppression(series, p)
    # Lambda is for two steps of the distance
    distances = fitted.distance_for(target).map(lambda d: _next_of_parity(d, series.distances[0] % 2))
    return Resource(
        decoder=series.decoder,
        code=f"{series.stem}{distances.value:.0f}",
        rounds=series.rule,
        bases=series.bases,
        p=p,
        target=target,
        distance=distances,
        qubits=distances.map(lambda d: math.inf if math.isinf(d) else series.qubits_per_logical(int(d))),
        extrapolated=distances.value not in fitted.distances,
    )


def code_resources(fits: list[WaterfallFit], *, p: float, target: float) -> list[Resource]:
    """For each decoder the measured code with the fewest qubits per logical that reaches the target by its fit.

    The upper end of the interval is the code whose upper end of the fitted rate is below the target, and the
    lower end that whose lower end is. Infinite: no code that was measured.

    Parameters
    ----------
    fits
        Of the codes to choose among, one for each code and decoder.
    p, target
        Noise rate, and rate per logical per cycle.
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
        sizes = Interval(*(math.inf if fit is None else _size(fit) for fit in ends))
        code = "none measured" if best is None else best.curve.first.code
        extrapolated = best is not None and not best.curve.holds(p)
        found.append(Resource(decoder, code, "", bases, p, target, None, sizes, extrapolated))
    return found


def _size(fit: WaterfallFit) -> float:
    return fit.curve.qubits_per_logical or math.inf


def _next_of_parity(d: float, parity: int) -> float:
    # A distance that is reached but for rounding is reached.
    return d if math.isinf(d) else float(max(2, 2 * math.ceil((d - parity - 1e-9) / 2)) + parity)
