"""Trains of pi pulses from the equator: the error of each adds up, and the signal turns away from the middle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from cascade_calibration.analysis.levels import levels
from cascade_calibration.analysis.oscillation import highest_frequency
from cascade_calibration.analysis.posterior import Array, Posterior, posterior, student
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Fit, Model, fit_robustly
from cascade_calibration.analysis.trace import Trace, trace
from cascade_calibration.analysis.verdict import Curve, Estimate, Range, Verdict
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement
from cascade_qec.errors import CascadeError

_STATUSES = ("SUCCESS", "NO_EXCITATION", "MODERATE_ERROR", "LARGE_ERROR")

_STABLE = 0.35
"""Radians that the whole train may turn too far: a sixth of the contrast."""
_LARGE = 3 * np.pi
"""Radians from which the turns of the train are many."""
_FARTHEST, _HUGE = 5.0, 1e6
"""Of Z: in the median, and of an outlier."""
_HIGHEST = 0.8
"""Of half a turn from point to point: beyond, a train looks like none that alternates."""
_DECAYS = np.linspace(0.0, 2.0, 4)
_STEP = 0.2
_OUTLIER = 4.5
_PASSES = 4
_MOST_OUTLIERS = 0.1


def analyse(measurement: Measurement) -> Verdict:
    """The error of the angle of a pulse, and whether it is small."""
    known = levels(measurement)
    line = trace(measurement, ("",), along=known.direction if known else None)
    if known is None or not np.ptp(line.y) > 0:  # exactly constant is no measurement of a level
        return _without_levels(line)
    ground, excited = known.ground, known.excited
    z = (2 * line.y - ground - excited) / (excited - ground)
    if np.median(np.abs(z)) > _FARTHEST or not np.abs(z).max() < _HUGE:
        raise CascadeError(f"expected a signal near the levels {ground:.4g} and {excited:.4g}, found others")
    kept, curve = np.ones(len(z), dtype=bool), np.zeros(len(z))
    for _ in range(_PASSES):
        trains, evidence = _weighed(line, z, kept, known.points)
        likeliest = max(evidence, key=lambda name: evidence[name])
        if likeliest in trains:
            curve = _wave(line, trains[likeliest].best[None])[0]
        else:
            curve = np.full(len(z), {"equator": 0.0, "ground": -1.0, "excited": 1.0}[likeliest])
        distance = np.abs(z - curve)
        scale = np.median(distance[kept]) / norm.ppf(0.75)
        far = kept & (distance > max(_OUTLIER * scale, distance[kept].max() / 2))
        if not far.any() or (~kept | far).sum() > max(1, _MOST_OUTLIERS * len(z)):
            break
        kept &= ~far
    total = float(np.logaddexp.reduce(np.array(list(evidence.values()))))
    share = {name: float(np.exp(one - total)) for name, one in evidence.items()}
    few = trains["few turns"]
    small = few.share(np.abs(few.points[:, 0]) < _STABLE)
    probabilities = {
        "SUCCESS": share["equator"] + share["few turns"] * small,
        "NO_EXCITATION": share["ground"] + share["excited"],
        "MODERATE_ERROR": share["few turns"] * (1 - small),
        "LARGE_ERROR": share.get("many turns", 0.0),
    }
    status, probability = most_probable(probabilities)
    train = trains["many turns"] if status == "LARGE_ERROR" else _with_none(few, share)
    total_turn = train.estimate(train.points[:, 0], float(train.best[0]), "rad")
    pulses = float(np.abs(line.x).max())
    fit: Array = (excited - ground) / 2 * curve + (excited + ground) / 2
    noise = float(np.sqrt(np.mean((z - curve)[kept] ** 2)))
    return _verdict(
        (status, probability),
        probabilities,
        line,
        kept,
        fit if noise < 1 else None,
        {} if status == "NO_EXCITATION" else {"error per pulse": _over(total_turn, pulses)},
        {
            "contrast to noise": 2 / noise if noise > 0 else float("inf"),
            "turn of the whole train [rad]": total_turn.value,
            "log Bayes factor of a turn against none": train.evidence - evidence["equator"],
        },
        _sentences(status, likeliest, abs(total_turn.value)),
        abs(total_turn.value),
    )


def _weighed(
    line: Trace, z: Array, kept: NDArray[np.bool_], levels: float
) -> tuple[dict[str, Posterior], dict[str, float]]:
    """The turn of a train, and the evidence for it and for states that pulses do not change."""
    most = _HIGHEST * 2 * np.pi * highest_frequency(line.x) * float(np.abs(line.x).max())
    near = min(most, _LARGE)

    def log_likelihood(points: Array) -> Array:
        return _log_likelihood(_wave(line, points)[:, kept], z[kept], levels)

    def beyond(points: Array) -> Array:
        return np.where(np.abs(points[:, 0]) > _LARGE, log_likelihood(points), -np.inf)

    trains = {"few turns": posterior(log_likelihood, (_turns(near), _DECAYS))}
    if most > 1.2 * _LARGE:
        trains["many turns"] = posterior(beyond, (_turns(most), _DECAYS))
    fixed = {
        name: float(_log_likelihood(np.full((1, int(kept.sum())), level), z[kept], levels)[0])
        for name, level in (("equator", 0.0), ("ground", -1.0), ("excited", 1.0))
    }
    return trains, fixed | {name: one.evidence for name, one in trains.items()}


def _with_none(few: Posterior, share: dict[str, float]) -> Posterior:
    """The turn of a train, with the share of none: whatever turns there may be are then small."""
    small = np.abs(few.points[:, 0]) < _STABLE
    if not few.share(small) > 0:  # the search went elsewhere
        none = np.linspace(-_STABLE, _STABLE, 41)[:, None] * [1.0, 0.0]
        points, weights = np.concatenate([few.points, none]), np.concatenate([few.weights, np.zeros(len(none))])
        few, small = replace(few, points=points, weights=weights), np.arange(len(points)) >= len(few.points)
        still = small / len(none)
    else:
        still = few.weights * small / few.share(small)
    weights = share["few turns"] * few.weights + share["equator"] * still
    best = still @ few.points if share["equator"] > share["few turns"] else few.best
    return replace(few, weights=weights / weights.sum(), best=best)


def _turns(most: float) -> Array:
    return np.linspace(-most, most, 1 + 2 * int(np.ceil(most / _STEP)))


def _log_likelihood(wave: Array, z: Array, levels: float) -> Array:
    """Of curves [m, n], with an offset and a factor as far from none as levels from so many points may be: [m]."""
    n, prior = len(z), 2 * levels
    rest = z - wave
    total, middle, both = wave.sum(axis=1), rest.sum(axis=1), (wave * rest).sum(axis=1)
    # [1, wave] and what they explain of the rest, each as heavy as its prior
    a, b, c = n + prior, total, (wave**2).sum(axis=1) + prior
    determinant = a * c - b**2
    explained = (c * middle**2 - 2 * b * middle * both + a * both**2) / determinant
    return student((rest**2).sum(axis=1) - explained, n) - 0.5 * np.log(determinant / prior**2)


def _wave(line: Trace, points: Array) -> Array:
    """Z of trains by the turn of all pulses together, in radians, and the decays: [m, 2] -> [m, n]."""
    at = line.x / float(np.abs(line.x).max())
    return _sign(line.x) * np.sin(points[:, :1] * at) * np.exp(-points[:, 1:] * np.abs(at))


def _sign(x: Array) -> Array:
    """Each pulse flips the state; trains in steps of two do not show it."""
    alternating = bool((np.rint(x) == x).all()) and len(np.unique(x % 2)) == 2
    return np.where(x % 2 == 1, -1.0, 1.0) if alternating else np.ones(len(x))


def _over(total: Estimate, pulses: float) -> Estimate:
    return Estimate(total.value / pulses, total.error / pulses, total.low / pulses, total.high / pulses, "rad")


def _without_levels(line: Trace) -> Verdict:
    """What the shape alone tells: no levels of the states, so no size of a drift, and none of a flat signal."""
    window = float(np.abs(line.x).max())
    most = highest_frequency(line.x) * window

    def train(x: Array, theta: Array) -> Array:
        at = x / window
        wave = _sign(x) * np.sin(2 * np.pi * theta[..., None, 0] * at) * np.exp(-theta[..., None, 1] * np.abs(at))
        return wave[..., None]

    turns = np.linspace(0.02, most, max(8, int(4 * most)))
    fits, kept = fit_robustly([Model("train", train, (turns, _DECAYS))], line.x, line.y)

    def status_of(fit: Fit) -> NDArray[np.str_]:
        turn = 2 * np.pi * fit.thetas[:, 0]
        return np.select([turn < _STABLE, turn < _LARGE], ["SUCCESS", "MODERATE_ERROR"], "LARGE_ERROR")

    probabilities = weigh(fits, _STATUSES, status_of, nothing="NO_EXCITATION")
    flat = probabilities["NO_EXCITATION"] / 2
    probabilities |= {"NO_EXCITATION": flat, "SUCCESS": probabilities["SUCCESS"] + flat}
    best = fits[0] if fits and fits[0].evidence > 0 else None
    told = probabilities if best else {name: probabilities[name] for name in ("SUCCESS", "NO_EXCITATION")}
    status, probability = most_probable(told)
    turn = 2 * np.pi * float(np.median(best.thetas[:, 0])) if best else 0.0
    sentences = ("The signal drifts or oscillates with the number of pulses.",) if best else ("The signal is flat.",)
    return _verdict(
        (status, probability),
        probabilities,
        line,
        kept,
        best(line.x) if best else None,
        {},
        {"log Bayes factor of a signal": best.evidence} if best else {},
        (*sentences, "Without the levels of both states, the data cannot tell good pulses from none, nor how far."),
        turn,
    )


def _verdict(
    status: tuple[str, float],
    probabilities: dict[str, float],
    line: Trace,
    kept: NDArray[np.bool_],
    fit: Array | None,
    parameters: dict[str, Estimate],
    facts: dict[str, float],
    sentences: tuple[str, ...],
    turn: float,
) -> Verdict:
    counts = {"points": float(len(line.x)), "outliers": float((~kept).sum()), "missing": float(line.missing)}
    return Verdict(
        family="pingpong",
        status=status[0],
        probability=status[1],
        probabilities=probabilities,
        parameters=parameters,
        evidence=counts | facts,
        sentences=sentences,
        suggested_range=_range(status[0], line, turn),
        next_experiment={
            "SUCCESS": "rb" if parameters else "the same with points of both states",
            "NO_EXCITATION": "check the drive (rabi, qubit_spectroscopy)",
            "MODERATE_ERROR": "change the pulse's amplitude by the error, then pingpong",
            "LARGE_ERROR": "rabi, then a shorter train",
        }[status[0]],
        picture=Curve(line.axis, line.x_unit, line.y_unit, line.x, line.y, fit, outliers=~kept),
    )


def _sentences(status: str, likeliest: str, turn: float) -> tuple[str, ...]:
    if status == "NO_EXCITATION":
        return (
            f"The signal stays at the level of the {'excited' if likeliest == 'excited' else 'ground'} state.",
            "The pulse that should bring the qubit to the equator does not reach it.",
        )
    if likeliest == "equator":
        return ("The signal stays half way between the states.", "A qubit that lost its coherence would look the same.")
    return (f"Over the whole train the pulses turn {turn:.2g} rad too far or too little.",)


def _range(status: str, line: Trace, turn: float) -> tuple[Range, ...]:
    if status != "LARGE_ERROR":
        return ()
    most = max(8.0, float(np.floor(np.abs(line.x).max() * np.pi / turn)))
    return (Range(line.axis, 0.0, most, "", int(most) + 1),)


FAMILY = Family(
    name="pingpong",
    about="trains of pi pulses: the error of a pulse's angle from the signal against the number of pulses",
    statuses=_STATUSES,
    called=r"\b(ping ?pong|flipping|pi trains?|fine ?(x|amplitude)\w*)\b",
    analyse=analyse,
)
