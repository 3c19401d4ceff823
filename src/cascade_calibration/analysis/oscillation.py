"""Oscillations: models of them for fits, and what their sampling can tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cascade_calibration.analysis.separable import Array, Model

_PER_PERIOD = 6
"""Grid points per period of the window: the width of a peak of the spectrum is one."""
_LEAST_PERIODS = 0.15

ENVELOPES: dict[str, Callable[[Array], Array]] = {
    "exponential": lambda decays: np.exp(-decays),
    "gaussian": lambda decays: np.exp(-(decays**2)),
}
"""How oscillations decay, against the distance in decay times."""


def highest_frequency(x: Array) -> float:
    """Half a period from point to point: higher frequencies have aliases below, for evenly spaced points.

    Parameters
    ----------
    x : float64 [n], sorted
    """
    return 0.5 / float(np.median(np.diff(np.unique(x))))


def aliases(frequency: float, step: float, count: int = 3) -> list[float]:
    """Frequencies that look the same at points `step` apart: the lowest `count`, rising."""
    rate = 1 / step
    base = frequency % rate
    low = min(base, rate - base)
    return sorted({low, *(i * rate + sign * low for i in range(1, count + 1) for sign in (-1, 1))})[:count]


def oscillation(x: Array, *, phase: float | None = None, envelope: str = "exponential") -> Model:
    """A decaying cosine around a constant; theta is the number of periods and that of decay times in the window.

    Frequencies from a sixth of a period in the window to half a period from point to point are searched evenly, decays
    from next to none to a fifth of the window.

    Parameters
    ----------
    x : float64 [n], sorted
    phase
        At x = 0, in radians; None if it may be any.
    """
    window = float(np.ptp(x))
    most = highest_frequency(x) * window
    periods = np.linspace(_LEAST_PERIODS, most, max(8, int(_PER_PERIOD * (most - _LEAST_PERIODS))))
    decays = np.linspace(0.0, 5.0, 6)
    fading = ENVELOPES[envelope]

    def basis(x: Array, theta: Array) -> Array:
        at = x / window
        angle = 2 * np.pi * theta[..., None, 0] * at
        size = fading(theta[..., None, 1] * np.abs(at))
        if phase is not None:
            return (size * np.cos(angle + phase))[..., None]
        return np.stack([size * np.cos(angle), size * np.sin(angle)], axis=-1)

    name = f"{envelope}{'' if phase is None else f' from phase {phase:.3g}'}"
    return Model(name, basis, (periods, decays))
