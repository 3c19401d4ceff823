"""CZ benchmarking of two neutral atoms: both atoms' retention and the polarization against the number of gates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from cascade_calibration.analysis.posterior import Array, Posterior, posterior, student
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.trace import Trace, trace
from cascade_calibration.analysis.verdict import Curve, Estimate, Range, Verdict
from cascade_calibration.analysis.weighing import most_probable
from cascade_calibration.measurement import Measurement
from cascade_qec.errors import CascadeError

_STATUSES = ("SUCCESS", "NO_GATE", "MISCALIBRATED")

_RETAINED = 0.99
"""Per gate: more than a good gate loses."""
_POLARIZED = 0.97
_DEPOLARIZED = 0.9
"""Per gate: a gate that loses no atoms and depolarizes faster does not take place."""
_START = np.linspace(0.2, 1.1, 31)
_ROOTS = np.linspace(0.0, 1.8, 60)
"""Square roots of the loss per gate, as a logarithm."""
_MOST = 20.0
"""Of a probability, outliers included."""
_OUTLIER = 5.0
_PASSES = 3


def analyse(measurement: Measurement) -> Verdict:
    """What a gate retains and how much it depolarizes."""
    lines = _lines(measurement)
    found, kept = zip(*(_decay(line) for line in lines), strict=True)
    retained, polarized = (_joint(one) for one in found)
    good = [
        float(w @ (values > bound))
        for (values, w), bound in zip((retained, polarized), (_RETAINED, _POLARIZED), strict=True)
    ]
    fast = float(polarized[1] @ (polarized[0] < _DEPOLARIZED))
    success, no_gate = good[0] * good[1], good[0] * fast
    probabilities: dict[str, float] = dict(
        zip(_STATUSES, (success, no_gate, max(0.0, 1 - success - no_gate)), strict=True)
    )
    status, probability = most_probable(probabilities)
    names = ("retention per CZ", "polarization per CZ")
    parameters = {name: _estimate(one) for name, one in zip(names, found, strict=True)}
    best = found[0].best
    return Verdict(
        family="cz_benchmarking",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence={
            "points": float(len(lines[0].x)),
            "outliers": float(sum((~one).sum() for one in kept)),
            "missing": float(sum(line.missing for line in lines)),
            "deepest circuit": float(lines[0].x[-1]),
        },
        sentences=_sentences(status, found),
        suggested_range=_range(status, lines[1], found[1]),
        next_experiment={
            "SUCCESS": "the next pair",
            "NO_GATE": "check that the Rydberg pulse reaches the atoms (rydberg_spectroscopy)",
            "MISCALIBRATED": "calibrate amplitude, detuning and phase of the pulse, then cz_benchmarking",
        }[status],
        picture=Curve(
            lines[0].axis,
            lines[0].x_unit,
            lines[0].y_unit,
            lines[0].x,
            lines[0].y,
            fit=best[0] * np.exp(-(best[1] ** 2) * lines[0].x),
            outliers=~kept[0],
        ),
    )


def _lines(measurement: Measurement) -> tuple[Trace, Trace]:
    named = [str(name) for name in measurement.dataset.data_vars if not str(name).endswith("_error")]
    if len(named) != 2:
        raise CascadeError(f"expected two signals, retention and polarization, found {len(named)}: {', '.join(named)}")
    named.sort(key=lambda name: "polari" in name.lower())
    first, second = (trace(measurement, ("",), least=3, signal=name) for name in named)
    if not np.ptp(first.y) > 0 and not np.ptp(second.y) > 0:
        raise CascadeError("expected retention and polarization with noise, found two constants")
    for line in (first, second):
        if line.x[0] < 0 or np.abs(line.y).max() > _MOST:
            raise CascadeError(
                f"expected probabilities against numbers of gates, found {np.abs(line.y).max():.3g} and {line.x[0]:.3g}"
            )
    return first, second


def _decay(line: Trace) -> tuple[Posterior, NDArray[np.bool_]]:
    """The start and the square root of the loss per gate, both as far as the data tell them."""
    kept = np.ones(len(line.x), dtype=bool)
    for _ in range(_PASSES):
        x, y = line.x[kept], line.y[kept]

        def log_likelihood(points: Array, x: Array = x, y: Array = y) -> Array:
            return student(((_curve(points, x) - y) ** 2).sum(axis=1), len(y))

        found = posterior(log_likelihood, (_START, _ROOTS))
        distance = np.abs(line.y - _curve(found.best[None], line.x)[0])
        scale = np.median(distance[kept]) / norm.ppf(0.75) * np.sqrt(kept.sum() / max(1, kept.sum() - 2))
        far = kept & (distance > max(_OUTLIER * scale, distance[kept].max() / 2))
        if not far.any() or (~kept | far).sum() > max(1, 0.15 * len(kept)):
            break
        kept &= ~far
    return found, kept


def _curve(points: Array, x: Array) -> Array:
    return points[:, :1] * np.exp(-(points[:, 1:] ** 2) * x)


def _joint(one: Posterior) -> tuple[Array, Array]:
    return np.exp(-(one.points[:, 1] ** 2)), one.weights


def _estimate(one: Posterior) -> Estimate:
    return one.estimate(np.exp(-(one.points[:, 1] ** 2)), float(np.exp(-(one.best[1] ** 2))), "")


def _sentences(status: str, found: tuple[Posterior, ...]) -> tuple[str, ...]:
    retained, polarized = (_estimate(one) for one in found)
    numbers = f"A gate retains both atoms with {retained}, and {polarized} of the polarization."
    return (
        numbers,
        {
            "SUCCESS": "Both decay slowly.",
            "NO_GATE": "No gate loses so few atoms and depolarizes so fast: it does not take place.",
            "MISCALIBRATED": "A good gate retains more; deep circuits tell little about this one.",
        }[status],
    )


def _range(status: str, line: Trace, polarized: Posterior) -> tuple[Range, ...]:
    if status == "SUCCESS":
        return ()
    deepest = float(np.clip(np.ceil(1.5 / max(polarized.best[1] ** 2, 1e-3)), 4.0, max(4.0, line.x[-1])))
    return (Range(line.axis, 0.0, deepest, "", min(int(deepest) + 1, max(8, len(np.unique(line.x))))),)


FAMILY = Family(
    name="cz_benchmarking",
    about="CZ gates of neutral atoms: retention and polarization per gate from circuits of growing depth",
    statuses=_STATUSES,
    called=r"\bcz\b.*\bbench",
    analyse=analyse,
)
