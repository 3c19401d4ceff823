"""Oscillations: models of them for fits, and what their sampling can tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from cascade_calibration.analysis.separable import Array, Fit, Model, each_once, side_by_side
from cascade_calibration.analysis.waves import cosine_and_sine, waves

_PER_PERIOD = 4
"""Grid points per period of the window: the width of a peak of the spectrum is one."""
_LEAST_PERIODS = 0.15
_FASTEST = 4.0
"""Decay times in the window at most, and in a period one: what decays faster hardly oscillates."""
_RARE = -2.0
"""Of distortions: in few periods they fit slow drift too."""

ENVELOPES: dict[str, Callable[[Array], Array]] = {
    "exponential": lambda decays: np.exp(-decays),
    "gaussian": lambda decays: np.exp(-(decays**2)),
}
"""How oscillations decay, against the distance in decay times."""

DISTORTIONS = ("chirp", "beating", "jump")
"""Names of the models of :func:`distorted`."""


def highest_frequency(x: Array) -> float:
    """Half a period from point to point: higher frequencies have aliases below, for evenly spaced points.

    Of points over many decades no more periods count than 50 for each point.

    Parameters
    ----------
    x : float64 [n], sorted
    """
    return 0.5 / max(float(np.median(np.diff(np.unique(x)))), float(np.ptp(x)) / (100 * len(x)))


def from_nothing(x: Array) -> bool:
    """Whether a sweep starts with a pulse that does nothing, so that its oscillation starts at phase 0."""
    return bool(abs(x[0]) < 1 / highest_frequency(x))


def aliases(frequency: float, step: float, count: int = 3) -> list[float]:
    """Frequencies that look the same at points `step` apart: the lowest `count`, rising."""
    rate = 1 / step
    base = frequency % rate
    low = min(base, rate - base)
    return sorted({low, *(i * rate + sign * low for i in range(1, count + 1) for sign in (-1, 1))})[:count]


def oscillation(x: Array, *, phase: float | None = None, envelope: str = "exponential") -> Model:
    """A decaying cosine around a constant; theta is the number of periods in the window and the decay.

    Frequencies from a sixth of a period in the window to half a period from point to point are searched evenly, decays
    from next to none to a fourth of the window, or to a period where that is longer.

    Parameters
    ----------
    x : float64 [n], sorted
    phase
        At x = 0, in radians; None if it may be any.
    """
    window, periods = float(np.ptp(x)), _periods(x)
    decays = np.linspace(0.0, _FASTEST, 5)
    fading = ENVELOPES[envelope]

    def basis(x: Array, theta: Array) -> Array:
        at = x / window
        faded = each_once(lambda some: fading(some[..., None] * np.abs(at))[..., None], _decays(theta))
        return _wave(theta[..., 0], at, phase) * faded

    return Model(f"{envelope}{'' if phase is None else f' from phase {phase:.3g}'}", basis, (periods, decays))


def left_over(fit: Fit) -> Array:
    """How much of its size the oscillation of :func:`oscillation` has left at the end of the window: [samples]."""
    return ENVELOPES[fit.model.name.split()[0]](_decays(fit.thetas))


def _decays(theta: Array) -> Array:
    """Decay times in the window, from the parameters of :func:`oscillation`: [..., 2] -> [...]."""
    return theta[..., 1] * np.minimum(1.0, theta[..., 0] / _FASTEST)


def distorted(x: Array) -> list[Model]:
    """Oscillations that no decaying cosine fits; the first part of theta is the number of periods, as it is there.

    A frequency that changes along the sweep, as of a drive that saturates; two frequencies; and a jump of phase
    and size somewhere in the middle. In a sweep from zero all start with a pulse that does nothing, at phase 0.
    """
    window, periods = float(np.ptp(x)), _periods(x, 3)
    functions = 1 if from_nothing(x) else 2  # cosines alone, or sines too

    def chirped(x: Array, theta: Array) -> Array:
        at = x / window
        angle = 2 * np.pi * theta[..., None, 0] * at * (1 + theta[..., None, 1] * at)
        return side_by_side(*cosine_and_sine(angle)[:functions])

    def beating(x: Array, theta: Array) -> Array:
        at = x / window
        periods = theta[..., 0], theta[..., 0] + theta[..., 1]
        return np.concatenate([_wave(one, at)[..., :functions] for one in periods], axis=-1)

    def jumping(x: Array, theta: Array) -> Array:
        at = x / window
        wave = _wave(theta[..., 0], at)
        step = (at - at[0]) * 2 * len(x)
        after = each_once(lambda some: expit(step - some[..., None] * 2 * len(x))[..., None], theta[..., 1])
        later = wave * after
        return np.concatenate([(wave - later)[..., :functions], later], axis=-1)

    return [
        Model(DISTORTIONS[0], chirped, (periods, np.linspace(-0.6, 0.6, 9)), _RARE),
        Model(DISTORTIONS[1], beating, (periods, np.linspace(0.4, 3.4, 7)), _RARE),
        Model(DISTORTIONS[2], jumping, (periods, np.linspace(0.2, 0.8, 7)), _RARE),
    ]


def _periods(x: Array, per_period: float = _PER_PERIOD) -> Array:
    most = highest_frequency(x) * float(np.ptp(x))
    return np.linspace(_LEAST_PERIODS, most, max(8, int(per_period * (most - _LEAST_PERIODS))))


def _wave(periods: Array, at: Array, phase: float | None = None) -> Array:
    """A cosine of a phase, or cosine and sine: [..., n, k]."""
    both = each_once(lambda some: waves(some, at), periods)
    if phase is None:
        return both
    return both @ np.array([[np.cos(phase)], [-np.sin(phase)]])
