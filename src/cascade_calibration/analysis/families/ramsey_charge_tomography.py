"""Charge tomography: Ramsey fringes against a gate's voltage, scan after scan, which charges that jump push aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp, ndtr
from scipy.stats import norm

from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.trace import in_base_units, principal_axis
from cascade_calibration.analysis.verdict import Estimate, Map, Verdict
from cascade_calibration.analysis.weighing import most_probable
from cascade_calibration.measurement import SHOT, Measurement
from cascade_calibration.units import to_base
from cascade_qec.errors import CascadeError

Array = NDArray[np.float64]

_STATUSES = ("NO_EVENT", "EVENT", "NO_COHERENCE")

_LEAST = 5, 12
"""Scans, and voltages."""
_HARMONICS = 3
_PHASES = 96
"""Of the charge, in a period."""
_DRIFTS = np.array([0.001, 0.003, 0.01, 0.02])
"""Standard deviation of the charge's slow change from scan to scan, in periods."""
_CHANCES = np.array([0.01, 0.03, 0.1, 0.3])
"""Of a jump from one scan to the next."""
_WORST = -40.0
"""Logarithm of the likelihood of a scan at a place where it does not fit, against where it fits best."""
_OUTLIER = 4.5
_ROUNDS = 3
_FRINGES = 5.0
"""Logarithm of the Bayes factor that fringes must have: one period for all scans is sought among many."""


@dataclass(frozen=True)
class _Fringes:
    """Fringes of one period and one shape for all scans.

    Attributes
    ----------
    evidence
        Logarithm of the Bayes factor against none.
    shape : complex128 [harmonics]
    logs : float64 [scans, phases]
        Logarithm of the likelihood of each place of the fringes, in each scan.
    filled : float64 [scans, voltages]
        Values over the largest, with the fringes' own where one is missing or an outlier.
    kept : bool [scans, voltages]
    """

    period: float
    evidence: float
    shape: NDArray[np.complex128]
    logs: Array
    sigma: float
    filled: Array
    kept: NDArray[np.bool_]


def analyse(measurement: Measurement) -> Verdict:
    """Whether the charge jumps, when, and how far; and whether there are fringes that can tell."""
    values, bias, scan, names, units = _map(measurement)
    found = _fringes(values, bias)
    seen = 0.0 if found is None else float(expit(found.evidence - _FRINGES))
    jumped, chance = (0.0, np.zeros(len(scan) - 1)) if found is None else _jumps(found.logs)
    probabilities = {"NO_EVENT": seen * (1 - jumped), "EVENT": seen * jumped, "NO_COHERENCE": 1 - seen}
    status, probability = most_probable(probabilities)
    facts = {"scans": float(len(scan)), "voltages": float(len(bias)), "missing": float((~np.isfinite(values)).sum())}
    parameters: dict[str, Estimate] = {}
    lines: dict[str, tuple[Array, Array]] = {}
    at: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
    if found is not None:
        facts |= {"log Bayes factor of fringes": found.evidence, "outliers": float((~found.kept).sum())}
    if found is not None and status != "NO_COHERENCE":
        parameters["period"] = _period(found, bias, units[1])
        if status == "EVENT":
            at = _places(chance)
            parameters["largest jump"] = _largest(found, chance, at, units[1])
            ends = bias[[0, -1]]
            lines = {
                f"jump {i + 1}": (np.full(2, scan[one] + 0.5 * (scan[1] - scan[0])), ends) for i, one in enumerate(at)
            }
        facts |= {
            "probability of a jump": jumped,
            "jumps": float(len(at)),
            "periods": float(np.ptp(bias)) / found.period,
        }
    return Verdict(
        family="ramsey_charge_tomography",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=facts,
        sentences=_sentences(status, [float(scan[one]) for one in at], parameters),
        next_experiment={
            "NO_EVENT": "go on, or watch for longer: the rate of jumps is below one in all scans",
            "EVENT": "bias the qubit anew; more scans tell the rate and the sizes of jumps",
            "NO_COHERENCE": "ramsey_t2star and rabi, then a shorter delay between the pulses",
        }[status],
        picture=Map(names[0], names[1], units[0], units[1], scan, bias, values.T, lines),
    )


def _map(measurement: Measurement) -> tuple[Array, Array, Array, tuple[str, str], tuple[str, str]]:
    """Values [scans, voltages], both axes, their names and their units."""
    signal = measurement.signal
    axes = [str(dimension) for dimension in signal.dims if dimension != SHOT]
    if len(axes) != 2:
        raise CascadeError(f"expected a signal along two axes, found {len(axes)}: {', '.join(axes)}")
    volts = [one for one in axes if to_base(str(measurement.dataset.coords[one].attrs["units"]))[1] == "V"]
    if len(volts) != 1:
        found = ", ".join(f"{one} [{measurement.dataset.coords[one].attrs['units']}]" for one in axes)
        raise CascadeError(f"expected one axis of voltages, in units of V, and one of scans, found {found}")
    second = volts[0]
    first = next(one for one in axes if one != second)
    bias, v_unit = in_base_units(measurement.dataset.coords[second], ("V",))
    scan, s_unit = in_base_units(measurement.dataset.coords[first], ("", "s"))
    values = np.asarray(signal.transpose(first, second, ...).values)
    values = values.mean(axis=2) if values.ndim == 3 else values
    if np.iscomplexobj(values):
        values = (values * np.conj(principal_axis(values.ravel()))).real
    order = np.argsort(scan), np.argsort(bias)
    values, scan, bias = values[np.ix_(*order)].astype(np.float64), scan[order[0]], bias[order[1]]
    enough = np.isfinite(scan) & (np.isfinite(values).mean(axis=1) > 0.5)
    if enough.sum() < _LEAST[0] or np.isfinite(bias).sum() < _LEAST[1] or not np.ptp(bias) > 0:
        raise CascadeError(
            f"expected at least {_LEAST[0]} scans of {_LEAST[1]} voltages, found {int(enough.sum())} scans of "
            f"{int(np.isfinite(bias).sum())} that are finite numbers"
        )
    return values[enough], bias, scan[enough], (first, second), (s_unit, v_unit)


def _fringes(values: Array, bias: Array) -> _Fringes | None:
    """The period that explains most, its shape, and where the fringes may be in each scan."""
    largest = float(np.nanmax(np.abs(values))) or 1.0
    y = values / largest
    kept = np.isfinite(y)
    level = np.nanmedian(y)
    apart = np.abs(np.where(kept, y, level) - level)
    kept &= apart <= 3 * np.quantile(apart, 0.9) + 1e-300
    y = np.where(kept, y, level)
    if not np.ptp(y) > 1e-9:
        return None
    place = (bias - bias[0]) / np.ptp(bias)
    highest = 0.4 * (len(bias) - 1)
    frequencies = np.arange(0.6, max(2.0, min(highest, 15.0)), 0.05)
    power = np.array([_explained(y, kept, place, one, 1) for one in frequencies])
    best = float(frequencies[power.argmax()])
    fine = best + np.linspace(-0.06, 0.06, 25)
    best = float(fine[np.argmax([_explained(y, kept, place, one, 1) for one in fine])])
    phases = np.arange(_PHASES) / _PHASES
    shape, logs, sigma = np.zeros(_HARMONICS, dtype=complex), np.zeros((len(y), _PHASES)), 1.0
    fitted = y
    for _ in range(_ROUNDS):
        turns = phases[logs.argmax(axis=1)] if logs.any() else _first(y, kept, place, best)
        angle = 2 * np.pi * (best * place - turns[:, None])
        columns = [np.ones_like(y)]
        for k in range(1, _HARMONICS + 1):
            columns += [np.cos(k * angle), np.sin(k * angle)]
        design = np.stack(columns, axis=-1)[kept]
        found = np.linalg.lstsq(design, y[kept], rcond=None)[0]
        fitted = np.stack(columns, axis=-1) @ found
        rest = np.where(kept, y - fitted, 0.0)
        sigma = float(np.median(np.abs(rest[kept]))) / norm.ppf(0.75)
        kept &= np.abs(rest) <= _OUTLIER * max(sigma, 1e-300)
        sigma = float(np.sqrt((rest[kept] ** 2).sum() / max(1, kept.sum() - len(y) - 2 * _HARMONICS)))
        shape = found[1::2] - 1j * found[2::2]
        logs = _likelihood(y, kept, place, best, shape, sigma)
    n = float(kept.sum())
    total = float(((y - (y * kept).sum(axis=1, keepdims=True) / kept.sum(axis=1, keepdims=True))[kept] ** 2).sum())
    parameters = len(y) + 2 * _HARMONICS
    evidence = 0.5 * n * np.log(total / max((n - parameters) * sigma**2, 1e-300)) - 0.5 * parameters * np.log(len(bias))
    return _Fringes(float(np.ptp(bias)) / best, float(evidence), shape, logs, sigma, np.where(kept, y, fitted), kept)


def _first(y: Array, kept: NDArray[np.bool_], place: Array, frequency: float) -> Array:
    """Turns of the first harmonic of each scan: [scans]."""
    wave = np.exp(-2j * np.pi * frequency * place)
    centred = np.where(kept, y - np.median(y, axis=1, keepdims=True), 0.0)
    return -np.angle(centred @ wave) / (2 * np.pi) % 1.0


def _explained(y: Array, kept: NDArray[np.bool_], place: Array, frequency: float, harmonics: int) -> float:
    """Sum of squares that waves of this frequency and its harmonics explain, of any size in each scan."""
    angle = 2 * np.pi * frequency * place
    waves = [wave(k * angle) for k in range(1, harmonics + 1) for wave in (np.cos, np.sin)]
    base, _ = np.linalg.qr(np.stack([np.ones_like(place), *waves], axis=1))
    centred = np.where(kept, y, np.median(y))
    centred = centred - centred.mean(axis=1, keepdims=True)
    return float(((centred @ base) ** 2).sum())


def _likelihood(
    y: Array, kept: NDArray[np.bool_], place: Array, frequency: float, shape: NDArray[np.complex128], sigma: float
) -> Array:
    """Logarithm of the likelihood of fringes at each turn, each scan with a level of its own: [scans, phases]."""
    turns = np.arange(_PHASES) / _PHASES
    angle = 2 * np.pi * (frequency * place - turns[:, None])
    orders = np.arange(1, len(shape) + 1)
    curve = (np.exp(1j * angle[..., None] * orders) @ shape).real  # [phases, voltages]
    n = kept.sum(axis=1, keepdims=True)
    rest_sum = (y * kept).sum(axis=1, keepdims=True) - kept @ curve.T
    squares = (kept * y**2).sum(axis=1, keepdims=True) - 2 * (kept * y) @ curve.T + kept @ (curve**2).T
    return -0.5 * (squares - rest_sum**2 / n) / sigma**2


def _jumps(logs: Array) -> tuple[float, Array]:
    """Probability of a jump anywhere, and from each scan to the next: [scans - 1].

    The charge drifts from scan to scan, and jumps anywhere at times; all strengths of drift and chances of jumps are as
    probable, and so are jumps and none.
    """
    # a scan that fits nowhere tells nothing
    seen = np.exp(np.maximum(logs - logs.max(axis=1, keepdims=True), _WORST))
    apart = (np.arange(_PHASES)[:, None] - np.arange(_PHASES) + _PHASES // 2) % _PHASES - _PHASES // 2
    edges = (apart[..., None] + np.array([-0.5, 0.5])) / _PHASES
    spreads = np.diff(ndtr(edges / _DRIFTS[:, None, None, None]), axis=-1)[..., 0]  # [drifts, phases, phases]
    quiet, _ = _chain(seen, spreads, np.zeros(1))
    loud, chance = _chain(seen, spreads, _CHANCES)
    return float(expit(loud - quiet)), chance


def _chain(seen: Array, spreads: Array, chances: Array) -> tuple[float, Array]:
    """Logarithm of the evidence, and chances of jumps [scans - 1], over all drifts and chances."""
    n, shape = len(seen), (len(spreads), len(chances), _PHASES)
    p = chances[:, None]

    def step(state: Array) -> Array:
        return (1 - p) * (state @ spreads) + p * state.mean(axis=-1, keepdims=True)

    forward = np.empty((n, *shape))
    total = np.zeros(shape[:2])
    state = np.full(shape, 1 / _PHASES)
    for i in range(n):
        state = (step(state) if i else state) * seen[i]
        size = state.sum(axis=-1, keepdims=True)
        total += np.log(size[..., 0])
        state = forward[i] = state / size
    shares = np.exp(total - np.asarray(logsumexp(total)))
    backward = np.ones(shape)
    chance = np.zeros(n - 1)
    for i in range(n - 1, 0, -1):
        ahead = seen[i] * backward
        backward = step(ahead)
        jumped = chances * ahead.mean(axis=-1)
        chance[i - 1] = (shares * jumped / np.maximum((forward[i - 1] * backward).sum(axis=-1), 1e-300)).sum()
        backward = backward / backward.max(axis=-1, keepdims=True)
    return float(logsumexp(total) - np.log(total.size)), chance


def _places(chance: Array) -> NDArray[np.intp]:
    """Scans after which the charge jumps; two in a row are one jump in the middle of a scan."""
    at = np.flatnonzero(chance > 0.5)
    if not len(at):
        at = np.array([int(chance.argmax())])
    return at[np.r_[True, np.diff(at) > 1]]


def _period(found: _Fringes, bias: Array, unit: str) -> Estimate:
    """Of the fringes, in volts: every scan tells it, at any phase."""
    place, best = (bias - bias[0]) / np.ptp(bias), float(np.ptp(bias)) / found.period
    kept, reach, error = np.ones_like(found.kept), 0.05, 0.05
    for _ in range(3):
        tried = reach * np.linspace(-1, 1, 9)
        power = [_explained(found.filled, kept, place, best + one, _HARMONICS) for one in tried]
        bent, slope, _ = np.polyfit(tried, np.array(power) / (2 * found.sigma**2), 2)
        if bent < 0:
            best, error = float(best + np.clip(-slope / (2 * bent), -reach, reach)), float(np.sqrt(-0.5 / bent))
            reach = min(reach, 2 * error)
    value = float(np.ptp(bias)) / best
    spread = value * error / best
    return Estimate(value, spread, value - 1.96 * spread, value + 1.96 * spread, unit)


def _largest(found: _Fringes, chance: Array, at: NDArray[np.intp], unit: str) -> Estimate:
    """Size of the largest jump, in volts and up to half a period; jumps by whole periods do not show."""
    top = found.logs.argmax(axis=1)
    low, mid, high = (np.take_along_axis(found.logs, ((top + i) % _PHASES)[:, None], axis=1)[:, 0] for i in (-1, 0, 1))
    turns = (top + 0.5 * (low - high) / np.minimum(low - 2 * mid + high, -1e-9)) / _PHASES
    steps = np.abs((np.diff(turns) + 0.5) % 1.0 - 0.5)
    usual = float(np.median(steps[chance < 0.5])) / norm.ppf(0.75) if (chance < 0.5).any() else 1 / _PHASES
    sizes = []
    for i, one in enumerate(at):
        # the charge may jump in the middle of a scan
        before = max(one - 1, at[i - 1] + 1 if i else 0)
        after = min(one + 2, at[i + 1] if i + 1 < len(at) else len(turns) - 1)
        sizes.append((abs((turns[after] - turns[before] + 0.5) % 1.0 - 0.5), usual * np.sqrt(after - before)))
    size, error = (found.period * float(one) for one in max(sizes))
    return Estimate(size, error, max(0.0, size - 1.96 * error), min(found.period / 2, size + 1.96 * error), unit)


def _sentences(status: str, places: list[float], parameters: dict[str, Estimate]) -> tuple[str, ...]:
    if status == "NO_COHERENCE":
        return ("No scan shows fringes above its noise.", "Without fringes the data cannot tell whether charges jump.")
    if status == "NO_EVENT":
        return ("The fringes go on from scan to scan.", "Jumps by whole periods of the fringes would not show.")
    shown = ", ".join(f"{one:g}" for one in places[:6]) + (" and others" if len(places) > 6 else "")
    return (
        f"The fringes jump after scan {shown}, by up to {parameters['largest jump']}.",
        "A jump is known up to whole periods of the fringes.",
    )


FAMILY = Family(
    name="ramsey_charge_tomography",
    about="charge tomography: Ramsey fringes against a gate's voltage, scan after scan, and charges that jump",
    statuses=_STATUSES,
    called=r"\bcharge\b.*\btomo|\btomo\w*\b.*\bcharge\b",
    analyse=analyse,
)
