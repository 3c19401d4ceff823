"""Log rates on a straight line: one power law over noise rates, or exponential suppression over distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cascade_qec.evaluation.fits.likelihood import Floats


@dataclass(frozen=True)
class Line:
    """``log P = v + s (x - at)``.

    Attributes
    ----------
    x : float64 [points]
    at
        Where v is the log rate.
    first
        The first coordinate: "value" for (v, s), "slope" for (s, v).
    """

    x: Floats
    at: float
    first: Literal["value", "slope"] = "value"
    size: int = 2

    def log_rates(self, phi: Floats) -> tuple[Floats, Floats]:
        """See :class:`cascade_qec.evaluation.fits.maximise.Chart`."""
        value, slope = (0, 1) if self.first == "value" else (1, 0)
        dx = self.x - self.at
        derivatives = np.empty((len(phi), len(dx), 2))
        derivatives[..., value] = 1.0
        derivatives[..., slope] = dx
        return phi[:, [value]] + phi[:, [slope]] * dx, derivatives

    def of(self, value: Floats, slope: Floats, at: float) -> Floats:
        """Coordinates [batch, 2] of the lines with a log rate [batch] at some x and a slope [batch]."""
        pair = (value + slope * (self.at - at), slope)
        return np.stack(pair if self.first == "value" else pair[::-1], axis=-1)


@dataclass(frozen=True)
class Reach:
    """The same lines by where they reach a given log rate: ``log P = target + s (x - x*)``, coordinates (x*, s)."""

    x: Floats
    target: float
    size: int = 2

    def log_rates(self, phi: Floats) -> tuple[Floats, Floats]:
        """See :class:`cascade_qec.evaluation.fits.maximise.Chart`."""
        dx = self.x - phi[:, [0]]
        slope = phi[:, [1]]
        return self.target + slope * dx, np.stack([np.broadcast_to(-slope, dx.shape), dx], axis=-1)


@dataclass(frozen=True)
class Crossing:
    """Two curves that meet: ``log P_i = v + s_i (x - x*) + c_i (x - x*)^2``, coordinates (x*, v, s_0, s_1[, c_0, c_1]).

    Attributes
    ----------
    x : float64 [points]
        Points of both curves.
    second : bool [points]
        Which of them are the second curve's.
    curved
        Whether there are the quadratic terms.
    """

    x: Floats
    second: np.ndarray
    curved: bool

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return 6 if self.curved else 4

    def log_rates(self, phi: Floats) -> tuple[Floats, Floats]:
        """See :class:`cascade_qec.evaluation.fits.maximise.Chart`."""
        dx = self.x - phi[:, [0]]
        slope = np.where(self.second, phi[:, [3]], phi[:, [2]])
        log_rate = phi[:, [1]] + slope * dx
        by_crossing = -slope
        columns = [np.ones_like(dx), np.where(self.second, 0, dx), np.where(self.second, dx, 0)]
        if self.curved:
            curvature = np.where(self.second, phi[:, [5]], phi[:, [4]])
            log_rate = log_rate + curvature * dx**2
            by_crossing = by_crossing - 2 * curvature * dx
            columns += [np.where(self.second, 0, dx**2), np.where(self.second, dx**2, 0)]
        return log_rate, np.stack([by_crossing, *columns], axis=-1)
