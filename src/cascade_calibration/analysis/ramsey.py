"""Ramsey fringes: detuning and T2* from the signal against the delay between two pi/2 pulses.

What frequency calibration and T2* share; they differ in how long a window each needs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from cascade_calibration.analysis.decays import decay
from cascade_calibration.analysis.oscillation import aliases, highest_frequency
from cascade_calibration.analysis.ranges import likeliest_window
from cascade_calibration.analysis.separable import (
    Array,
    Fit,
    Model,
    each_once,
    estimate,
    fit,
    fit_robustly,
)
from cascade_calibration.analysis.summary import curve, quality
from cascade_calibration.analysis.sums import Product
from cascade_calibration.analysis.trace import Trace, trace
from cascade_calibration.analysis.verdict import Estimate, Range, Verdict
from cascade_calibration.analysis.waves import waves
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement

STATUSES = (
    "SUCCESS",
    "NO_DETUNING",
    "BEATING",
    "TOO_MANY_OSC",
    "TOO_FEW_OSC",
    "WINDOW_TOO_SHORT",
    "SAMPLING_TOO_COARSE",
)

_NONE = 0.3
"""Periods in two decay times, or in the window if that is shorter: with less there is no fringe."""
_FEW = 2.5
"""With less the frequency hangs on the shape of the decay."""
_MANY = 4.3
"""Points that a period should have."""
_COARSE = 2.45
"""With less, frequencies above the highest that the points can tell look the same."""
_RESOLVED = 1.6
"""Steps that a decay time must have."""
_AIM = 1.4
"""The next measurement should be on the good side of a limit by this factor."""
_LITTLE = 1.15
"""The least factor, where points are short."""
_LONGEST = 10.0
"""Decay times of a window that still does."""
_FINER = 2.8
"""How much finer steps are next, where they were too coarse."""
_MOST_POINTS, _MOST_COARSE = 401, 601
"""Of the next measurement; the second where points were too far apart."""
_EARLIER = 6
"""Steps to which the next measurement goes where nothing was seen."""
_PER_PERIOD = 2.0
"""Grid points per period of the window."""
_BEATING = -2.0, 0.7
"""Logarithm of how rare a second frequency is; periods of the beat that must be seen."""
_NEAR = 1.5
"""Periods of the window from the best single frequency within which one of two lies."""
_EARLY, _FAR, _LONE = 5, 6.0, 3.0
"""A point among so many first ones, so many standard deviations off, and so many times farther than they are."""
_HINT = 0.5
"""Logarithm of the likelihood that a second frequency must gain to be looked for, beyond what chance does."""
_SLOWER = np.array([0.0, 1.0])
"""Logarithms of how much more slowly it may decay."""


def fringes(x: Array, exponent: float, periods: Array | None = None, log_times: Array | None = None) -> Model:
    """A cosine of any phase that decays; theta is periods in the window, and log of T2* in windows.

    Parameters
    ----------
    periods, log_times
        Values to search; by default all that evenly spaced points can tell.
    """
    grid = (_periods(x) if periods is None else periods, _log_times(x) if log_times is None else log_times)
    return Model(f"fringes {exponent:g}", _faded(x, exponent, 1), grid)


def beating(x: Array, alone: Array, exponent: float) -> Model:
    """Two frequencies that decay alike, one of them near that of :func:`fringes` alone; theta has both, and log of T2*.

    Parameters
    ----------
    alone : float64 [2]
        Best theta of one frequency: its decay is as fast, or faster where the beat looks like one.
    """
    periods = _periods(x, 1.5)
    near = np.linspace(max(periods[0], alone[0] - _NEAR), alone[0] + _NEAR, 5)
    times = alone[1] + np.linspace(-0.6, 1.5, 4)
    # the data chose the box, and either frequency may be the one in it
    chosen = np.log(min(1.0, 2 * np.ptp(near) / np.ptp(periods))) + np.log(np.ptp(times) / np.ptp(_log_times(x)))
    return Model(f"beating {exponent:g}", _faded(x, exponent, 2), (near, periods, times), _BEATING[0] + chosen)


def _log_times(x: Array) -> Array:
    """Of T2* in windows."""
    return np.linspace(-np.log(len(x)), np.log(20.0), 6)


def analyse(measurement: Measurement, family: str, *, least: float, after: str) -> Verdict:
    """Detuning, T2*, and whether the delays suit them.

    Parameters
    ----------
    least
        Decay times that the window must have.
    after
        The next experiment after a good one.
    """
    line = _without_lone_point(trace(measurement, ("s",), least=8))
    single = [fringes(line.x, exponent) for exponent in (1, 2)]
    fits, kept = fit_robustly([*single, *(decay(line.x, line.step, exponent) for exponent in (1, 2))], line.x, line.y)
    used = line.keep(kept)
    alone = [one for one in fits if one.model in single]
    double: list[Fit] = []
    if alone and _hints_at_more(alone[0]):
        # beats hide the shape of the decay from a single frequency
        double = fit([beating(used.x, alone[0].theta, exponent) for exponent in (1, 2)], used.x, used.y)
    fits = sorted([*fits, *double], key=lambda one: -one.evidence)
    probabilities = weigh(fits, STATUSES, lambda one: _status(used, one, least), nothing="NO_DETUNING")
    status, probability = most_probable(probabilities)
    shown = _shown(status, fits, alone, double)
    parameters = _parameters(status, line.window, alone, double)
    facts = {}
    if shown and not shown.model.name.startswith("decay"):
        periods = float(shown.theta[0])
        facts = {
            "periods": periods,
            "points per period": line.window / line.step / periods,
            "window / T2*": float(np.exp(-shown.theta[-1])),
        }
    return Verdict(
        family=family,
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=quality(line, shown, kept) | facts,
        sentences=_sentences(status, line, shown),
        suggested_range=_suggested(status, line, alone, least, flat=shown is None),
        next_experiment={
            "SUCCESS": after,
            "NO_DETUNING": "repeat with the drive detuned on purpose; if that is flat too, check rabi",
            "BEATING": "look for a second level, charge parity or a neighbour (qubit_spectroscopy)",
        }.get(status, f"{family} over the suggested delays"),
        picture=curve(line, shown, kept),
    )


def _without_lone_point(line: Trace) -> Trace:
    """Without an outlier just after the first point: fringes that are over at once would explain it."""
    distance = np.abs(line.y - np.median(line.y))
    early = distance[:_EARLY]
    lone = int(early.argmax())
    far = early[lone] > max(_FAR * np.median(distance) / norm.ppf(0.75), _LONE * np.delete(early, lone).max())
    return line.keep(np.arange(len(line.x)) != lone) if far and lone > 0 else line


def _status(line: Trace, one: Fit, least: float) -> NDArray[np.str_]:
    if one.model.name.startswith("decay"):
        times = np.exp(one.thetas[:, 0])
        return np.where(times < _RESOLVED * line.step, "SAMPLING_TOO_COARSE", "NO_DETUNING")
    periods, times = one.thetas[:, 0], np.exp(one.thetas[:, -1]) * line.window
    if one.model.name.startswith("beating"):
        periods = one.thetas[:, :2].max(axis=1)
    apart = line.window / line.step / periods
    visible = np.minimum(2 * times / line.window, 1)
    coarse = (apart < _COARSE) | (times < _RESOLVED * line.step)
    if one.model.name.startswith("beating"):
        seen = np.abs(one.thetas[:, 0] - one.thetas[:, 1]) * visible > _BEATING[1]
        few = periods * visible < _FEW
        return np.select([coarse, seen, few], ["SAMPLING_TOO_COARSE", "BEATING", "TOO_FEW_OSC"], "SUCCESS")
    return np.select(
        [coarse, periods * visible < _NONE, periods * visible < _FEW, apart < _MANY, line.window < least * times],
        ["SAMPLING_TOO_COARSE", "NO_DETUNING", "TOO_FEW_OSC", "TOO_MANY_OSC", "WINDOW_TOO_SHORT"],
        "SUCCESS",
    )


def _hints_at_more(best: Fit) -> bool:
    """Whether any second frequency would gain enough to be worth a fit.

    It may decay more slowly than the first seems to: what looks like the end of the fringes may be a node of a beat.
    """
    at = (best.x - best.x[0]) / np.ptp(best.x)
    exponent = float(best.model.name.split()[-1])
    turns = np.swapaxes(_wave(_periods(best.x), at), -1, -2)[None]
    faded = turns * _fading(best.theta[1] + _SLOWER, at, exponent)[:, None, None]
    power = 2 * ((faded @ best.residuals) ** 2).sum(axis=-1) / (faded**2).sum(axis=(-2, -1))
    # the best of so many gains the logarithm of their number by chance
    return bool(power.max() > 2 * (_HINT + np.log(power.size)) * best.sigma**2)


def _shown(status: str, fits: list[Fit], alone: list[Fit], double: list[Fit]) -> Fit | None:
    if not fits:
        return None
    if status == "NO_DETUNING":
        return fits[0] if fits[0].model.name.startswith("decay") and fits[0].evidence > 0 else None
    return (double if status == "BEATING" else alone)[0]


def _parameters(status: str, window: float, alone: list[Fit], double: list[Fit]) -> dict[str, Estimate]:
    if status == "BEATING":
        return {"beat": estimate(double, lambda p: np.abs(p[..., 0] - p[..., 1]) / window, "Hz")}
    found = {}
    if status in ("SUCCESS", "WINDOW_TOO_SHORT", "TOO_MANY_OSC", "TOO_FEW_OSC"):
        found["detuning"] = estimate(alone, lambda p: p[..., 0] / window, "Hz")
    if status in ("SUCCESS", "TOO_MANY_OSC"):
        found["T2*"] = estimate(alone, lambda p: np.exp(p[..., 1]) * window, "s")
    return found


def _sentences(status: str, line: Trace, shown: Fit | None) -> tuple[str, ...]:
    if status == "NO_DETUNING":
        seen = "The signal decays without a fringe." if shown else "The signal is flat within its noise."
        return (
            seen,
            "A drive detuned on purpose, by a few periods in a decay time, would show fringes.",
            "The data cannot tell a drive on resonance from pulses that miss the qubit, nor from fringes that are over "
            "before the second point."
            if not shown
            else "",
        )[: 2 if shown else 3]
    if shown is None:
        return ()
    periods, ratio = float(shown.theta[0]), float(np.exp(-shown.theta[-1]))
    if status == "BEATING":
        beat = abs(shown.theta[0] - shown.theta[1])
        return (
            f"Two frequencies fit, {beat:.2g} periods of the window apart; one alone leaves structure.",
            "Charge parity, a two-level defect or a coupled qubit does that; no other range helps.",
        )
    apart = line.window / line.step / periods
    if status == "TOO_MANY_OSC":
        return (
            f"A period has {apart:.2g} points; {_MANY:.2g} and more show the fringes.",
            "A smaller detuning, or more points, would do.",
        )
    if status == "TOO_FEW_OSC":
        return (
            f"{periods * min(2 / ratio, 1):.2g} periods are seen before the window or the decay ends them.",
            "A detuning that is larger on purpose helps, a longer window only if the decay allows.",
        )
    if status == "WINDOW_TOO_SHORT":
        return (
            f"The delays end after {ratio:.2g} decay times, with {np.exp(-ratio):.0%} of the fringes left.",
            "A longer window tells T2*, and the detuning more exactly.",
        )
    if status == "SAMPLING_TOO_COARSE":
        other = aliases(periods / line.window, line.step)[1]
        return (
            f"The best frequency has {apart:.2g} points in a period, and {1 / ratio * line.window / line.step:.2g} "
            "in a decay time.",
            f"A frequency of {other:.3g} Hz would look the same at these points.",
        )
    return (f"A decaying cosine fits, over {periods:.2g} periods and {ratio:.2g} decay times.",)


def _suggested(status: str, line: Trace, alone: list[Fit], least: float, flat: bool) -> tuple[Range, ...]:
    if status == "NO_DETUNING" and flat:
        return (Range(line.axis, 0.0, _EARLIER * line.step, line.x_unit, max(201, len(line.x))),)
    if not alone or status in ("SUCCESS", "NO_DETUNING", "BEATING"):
        return ()
    # of either shape of decay
    shapes = [one for one in alone if one.evidence > alone[0].evidence - 3]
    times = np.concatenate([np.exp(one.thetas[:, -1]) for one in shapes]) * line.window
    periods = float(np.median(alone[0].thetas[:, 0]))
    frequency, most = periods / line.window, _MOST_POINTS
    window = likeliest_window(times, _AIM * least, _LONGEST)
    if status == "SAMPLING_TOO_COARSE":
        # the true frequency may be beyond what the points can tell: finer steps, as far as they reach
        reach, most = (_MOST_COARSE - 1) * line.step / _FINER, _MOST_COARSE
        window = max(min(window, reach), likeliest_window(times, _AIM * least, 2 * _AIM * least))
        points = max(201, int(_FINER * window / line.step))
    else:
        # periods must be seen too, as far as the decay lets them
        window = max(window, min(_AIM * _FEW / frequency, 3 * float(np.median(times))))
        window = min(window, (_MOST_POINTS - 1) / (_LITTLE * _MANY * frequency))
        points = int(_AIM * _MANY * frequency * window) + 1
    return (Range(line.axis, 0.0, window, line.x_unit, int(np.clip(points, max(61, len(line.x)), most))),)


def _periods(x: Array, per_period: float = _PER_PERIOD) -> Array:
    most = highest_frequency(x) * float(np.ptp(x))
    return np.linspace(0.2, most, max(8, int(per_period * most)))


def _faded(x: Array, exponent: float, count: int) -> Product:
    """So many waves that decay alike, from the first of the points; periods and log of T2* in windows."""
    window = float(np.ptp(x))

    def wave(x: Array, periods: Array) -> Array:
        return _wave(periods, (x - x[0]) / window)

    def fading(x: Array, log_times: Array) -> Array:
        return _fading(log_times, (x - x[0]) / window, exponent)

    return Product((wave,) * count, fading)


def _wave(periods: Array, at: Array) -> Array:
    """Cosine and sine: [..., n, 2]."""
    return each_once(lambda some: waves(some, at), periods)


def _fading(log_times: Array, at: Array, exponent: float) -> Array:
    """[..., n]"""
    return each_once(lambda some: np.exp(-((at / np.exp(some)[..., None]) ** exponent)), log_times)
