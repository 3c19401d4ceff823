"""Readout clouds: single shots after preparing the ground and the excited state, as a Gaussian mixture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from cascade_calibration.analysis.clouds import Array, Clouds, assignment_fidelity, fitted, sampled, settled
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.verdict import Estimate, Map, Verdict
from cascade_calibration.analysis.weighing import most_probable
from cascade_calibration.measurement import SHOT, Measurement
from cascade_calibration.units import to_base
from cascade_qec.errors import CascadeError

_STATUSES = ("SUCCESS", "NO_SIGNAL", "NO_EXCITATION", "HIGH_POWER", "NO_RES_RESPONSE")

_LEAST, _MOST = 50, 1000
"""Shots of each preparation that are needed, and that are looked at."""
_LARGEST = 1e100
_EXCITED = 0.25
"""Difference of populations between the preparations that a drive must make."""
_APART = 1.5
"""Widths between clouds that are told apart."""
_THIRD = 0.08
"""Share of a preparation's shots in a third cloud that is no mere leakage."""
_SURE = 30.0
_ASIDE = 1.0
"""Widths from the line between two others from which a cloud is one of its own."""
_LONG = 1.4
"""Ratio of widths of a cloud that noise does not make."""
_TONE = 1.0
"""Widths from zero from which a single cloud is a tone that arrives."""


def analyse(measurement: Measurement) -> Verdict:
    """Where the clouds are, how wide, and how well they tell the states."""
    ground, excited, unit = _shots(measurement)
    total = len(ground) + len(excited)
    few = [one[:: -(-len(one) // _MOST)] for one in (ground, excited)]
    shots = np.concatenate(few)
    prepared = np.repeat([0, 1], [len(one) for one in few])
    scale = float(np.median(np.abs(shots - np.median(shots, axis=0)))) * 1.5
    if not 0 < scale < _LARGEST:
        raise CascadeError(f"expected finite single shots that differ from each other, found a spread of {scale:.3g}")
    shots = np.asfortranarray(shots / scale)  # each quadrature in one piece: several times as fast
    found = _explanations(shots, prepared)
    probabilities = _probabilities(found)
    status, probability = most_probable(probabilities)
    two = found["two"]
    if np.argmax(two.weights[:, 1]) == 0:  # the excited cloud is the one that the second preparation has more of
        order = [1, 0]
        two = fitted(shots, prepared, [two.means[order]])
    parameters = _parameters(two, shots, prepared, scale, unit) if status in ("SUCCESS", "NO_EXCITATION") else {}
    return Verdict(
        family="gmm",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence={
            "shots": float(total),
            "separation in widths": two.separation / two.width,
            "excited after the first": _population(two)[0],
            "excited after the second": _population(two)[1],
            "log Bayes factor of two clouds against one": two.evidence - found["one"].evidence,
            "log Bayes factor of a third cloud": found["three"].evidence - two.evidence,
            "log Bayes factor of shapes": found["shaped"].evidence - two.evidence,
            "ratio of widths": found["shaped"].elongation,
        },
        sentences=_sentences(status, two, found),
        next_experiment={
            "SUCCESS": "set rotation and threshold, then t1",
            "NO_SIGNAL": "check the readout line, then the resonator (res_spec)",
            "NO_EXCITATION": "check the drive (qubit_spectroscopy, rabi)",
            "HIGH_POWER": "gmm with 3 to 6 dB less readout power",
            "NO_RES_RESPONSE": "find the resonator's frequency (res_spec)",
        }[status],
        picture=_picture(shots * scale, unit),
    )


def _shots(measurement: Measurement) -> tuple[Array, Array, str]:
    """Shots [n, 1 or 2] after each preparation, in base units, and the unit."""
    signal = measurement.signal
    values = np.asarray(signal.values)
    axes = measurement.axes
    named = [one for name, one in measurement.dataset.data_vars.items() if not str(name).endswith("_error")]
    if not axes and len(named) == 2:
        both = [np.asarray(one.values) for one in named]
    elif len(axes) == 1 and SHOT in signal.dims and signal.sizes[axes[0]] == 2:
        both = list(np.asarray(signal.transpose(axes[0], SHOT).values))
    elif len(axes) == 1 and SHOT not in signal.dims:
        label = measurement.dataset.coords[axes[0]].values
        if set(np.unique(label[np.isfinite(label)])) == {0, 1}:  # what was prepared
            both = [values[label == one] for one in (0, 1)]
        elif "shot" in axes[0].lower():  # in turn
            both = [values[0::2], values[1::2]]
        else:
            raise CascadeError(f"expected single shots after two preparations, found one value for each {axes[0]}")
    else:
        raise CascadeError(
            f"expected single shots after two preparations, found {len(named)} variables over {signal.dims}"
        )
    scale, unit = to_base(str(signal.attrs["units"]))
    quadratures = any(np.iscomplexobj(one) for one in both)
    points = [np.stack([np.real(one), np.imag(one)], axis=1) if quadratures else one[:, None] for one in both]
    points = [scale * one[np.isfinite(one).all(axis=1)].astype(np.float64) for one in points]
    if min(map(len, points)) < _LEAST:
        raise CascadeError(
            f"expected at least {_LEAST} finite shots after each preparation, "
            f"found {len(points[0])} and {len(points[1])}"
        )
    return points[0], points[1], unit


def _explanations(shots: Array, prepared: NDArray[np.int64]) -> dict[str, Clouds]:
    middle = [np.median(shots[prepared == one], axis=0) for one in (0, 1)]
    centred = shots - np.median(shots, axis=0)
    near = centred[(np.abs(centred) < 20).all(axis=1)]
    axis = np.linalg.svd(near[:1000], full_matrices=False)[2][0]
    along = shots @ axis
    halves = [shots[(along > a) & (along <= b)].mean(axis=0) for a, b in _parts(along, (0.0, 0.5, 1.0))]
    ends = [shots[(along >= a) & (along <= b)].mean(axis=0) for a, b in _parts(along, (0.01, 0.15, 0.9))][::2]
    tails = [np.median(shots[(along >= a) & (along <= b)], axis=0) for a, b in _parts(along, (0.0, 0.9, 0.99))]
    one = fitted(shots, prepared, [np.mean(middle, axis=0)[None]])
    starts = [np.stack(middle), np.stack(halves), np.stack(tails), np.stack([tails[1], ends[0]])]
    two = fitted(shots, prepared, starts)
    nearest = np.argmin([((shots - mean) ** 2).sum(axis=1) for mean in two.means], axis=0)
    split = []
    for k in range(2):
        own = shots[nearest == k]
        if len(own) > 10:
            way = np.linalg.svd(own - np.median(own, axis=0), full_matrices=False)[2][0]
            step = 1.2 * np.std(own @ way) * way
            split.append(np.stack([two.means[1 - k], two.means[k] + step, two.means[k] - step]))
    far = shots[
        np.argsort(np.min([((shots - mean) ** 2).sum(axis=1) for mean in two.means], axis=0))[-len(shots) // 20 :]
    ]
    split.append(np.concatenate([two.means, np.median(far, axis=0)[None]]))
    return {
        "one": one,
        "two": two,
        "three": fitted(shots, prepared, split),
        "shaped": fitted(shots, prepared, [two.means, np.stack(halves)], shaped=True),
    }


def _parts(along: Array, shares: tuple[float, float, float]) -> list[tuple[float, float]]:
    a, b, c = (float(np.quantile(along, share)) for share in shares)
    return [(a - 1e-9, b), (b, c)]


def _probabilities(found: dict[str, Clouds]) -> dict[str, float]:
    logs = np.array([one.evidence for one in found.values()])
    share = dict(zip(found, np.exp(logs - logsumexp(logs)), strict=True))
    one, two, three, shaped = (found[name] for name in ("one", "two", "three", "shaped"))
    probabilities: dict[str, float] = dict.fromkeys(_STATUSES, 0.0)
    distance = float(np.linalg.norm(one.means[0])) / one.width
    single = "NO_SIGNAL" if distance < _TONE else "NO_RES_RESPONSE"
    before, after = _population(two)
    if abs(after - before) < _EXCITED:
        double = "NO_EXCITATION"
    else:
        double = "SUCCESS" if two.separation > _APART * two.width else "NO_SIGNAL"
    probabilities[single] += share["one"]
    probabilities[double] += share["two"]
    probabilities["HIGH_POWER" if _fragments(three, three.evidence - two.evidence) else double] += share["three"]
    probabilities["HIGH_POWER" if shaped.elongation > _LONG else double] += share["shaped"]
    total = sum(probabilities.values())  # 1, but for the rounding of large logarithms
    return {status: each / total for status, each in probabilities.items()}


def _fragments(three: Clouds, evidence: float) -> bool:
    """Whether a third cloud has its share, and is neither decay between the others nor a part of one of them.

    Between the others it must be much more than a decay that is not quite even.
    """
    apart = [float(np.linalg.norm(three.means[i] - three.means[j])) for i, j in ((0, 1), (1, 2), (0, 2))]
    if evidence > _SURE and min(apart) > 2 * three.width:
        return bool(three.weights[:, :3].max(axis=0).min() > _THIRD)
    for k in range(3):
        first, second = (three.means[i] for i in range(3) if i != k)
        gap = second - first
        along = np.clip((three.means[k] - first) @ gap / max(float(gap @ gap), 1e-300), 0, 1)
        aside = np.linalg.norm(three.means[k] - first - along * gap)
        if three.weights[:, k].max() < _THIRD or aside < _ASIDE * three.width:
            return False
    return True


def _population(two: Clouds) -> tuple[float, float]:
    """Share of the second cloud, what decays included, after each preparation."""
    inside = two.weights[:, :3]
    first, second = inside[:, 1:].sum(axis=1) / np.maximum(inside.sum(axis=1), 1e-300)  # all may lie outside
    return float(first), float(second)


def _parameters(two: Clouds, shots: Array, prepared: NDArray[np.int64], scale: float, unit: str) -> dict[str, Estimate]:
    two = settled(two, shots, prepared)
    separation, width, weights = sampled(two, shots, prepared)
    best = np.array([two.separation]), np.array([two.width]), two.weights[None, :, :3]
    found = {
        "separation": _interval(scale * separation, scale * two.separation, unit),
        "noise": _interval(scale * width, scale * two.width, unit),
    }
    before, after = _population(two)
    if abs(after - before) < _EXCITED:  # what is prepared does not differ, so no assignment is wrong or right
        return found
    fidelity = assignment_fidelity(separation, width, weights)
    return found | {"assignment fidelity": _interval(fidelity, float(assignment_fidelity(*best)[0]), "")}


def _interval(values: Array, best: float, unit: str) -> Estimate:
    low, down, up, high = np.quantile(values, [0.025, 0.15866, 0.84134, 0.975])
    return Estimate(best, float((up - down) / 2), float(low), float(high), unit)


def _sentences(status: str, two: Clouds, found: dict[str, Clouds]) -> tuple[str, ...]:
    before, after = _population(two)
    apart = two.separation / two.width
    if status == "SUCCESS":
        return (f"Two clouds lie {apart:.2g} widths apart; {before:.1%} and {after:.1%} of the shots are excited.",)
    if status == "NO_EXCITATION":
        return (
            f"Both preparations give the same two clouds: {before:.1%} and {after:.1%} of the shots are excited.",
            "The readout works; the drive does not change the state.",
        )
    if status == "HIGH_POWER":
        return (
            "The shots need a third cloud, or clouds that are longer in one direction than noise makes them.",
            f"The widths' ratio is {found['shaped'].elongation:.2g}. Too much readout power does that.",
        )
    distance = float(np.linalg.norm(found["one"].means[0])) / found["one"].width
    if status == "NO_RES_RESPONSE":
        return (
            f"All shots make one cloud, {distance:.2g} widths from zero: a tone arrives, but no state moves it.",
            "The data cannot tell this from a qubit that is always in its ground state.",
        )
    return (
        "The shots of the two preparations are not told apart.",
        f"They lie {distance:.2g} widths from zero, as noise without a tone does.",
    )


def _picture(shots: Array, unit: str) -> Map | None:
    if shots.shape[1] == 1:
        return None
    counts, x, y = np.histogram2d(shots[:, 0], shots[:, 1], bins=60)
    return Map("I", "Q", unit, unit, (x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2, counts.T)


FAMILY = Family(
    name="gmm",
    about="readout clouds: separation, noise and assignment fidelity from single shots of both states",
    statuses=_STATUSES,
    called=r"\b(gmm|ssro|single ?shot\w*|readout calibration|iq (cloud|blob)s?)\b",
    analyse=analyse,
)
