"""How sure a network may call itself: a map from what it says to what comes true."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Finite = Annotated[float, Field(allow_inf_nan=False)]

FEWEST = 20
"""Failures that a calibration takes: with fewer nothing is known of how sure a network may be."""

_TAIL = 10
"""Failures beyond the last knot at least, so that the slope there is measured too."""

_SLOPES = 0.01, 2.0
"""A map rises, so that the order of shots stays."""


class Calibration(BaseModel):
    """A rising, piecewise linear map of log-odds, and the shots that it comes from.

    It is fitted by maximum likelihood. Beyond the outer knots the slopes there go on, the last one at most 1: surer
    than the network itself is nobody where there are no failures to count.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    raw: list[Finite] = Field(min_length=1)
    """The network's log-odds at the knots, rising."""
    log_odds: list[Finite] = Field(min_length=1)
    """What they are worth."""
    before: float = Field(gt=0, allow_inf_nan=False)
    """Slope below the first knot."""
    beyond: float = Field(gt=0, le=1)
    """Slope above the last knot."""
    noise: list[float]
    """Noise rates of the shots, of as many rounds as in training: of each number of rounds as many."""
    shots: int = Field(ge=0)
    """Of each basis, noise rate and number of rounds."""

    @model_validator(mode="after")
    def _rises(self) -> Calibration:
        if len(self.raw) != len(self.log_odds) or any(
            not a < b for knots in (self.raw, self.log_odds) for a, b in pairwise(knots)
        ):
            raise ValueError(f"expected knots that rise, got {self.raw} and {self.log_odds}")
        return self

    def __call__(self, raw: NDArray[np.floating]) -> NDArray[np.float64]:
        """What a network's log-odds are worth, float64 of their shape."""
        raw = np.asarray(raw, np.float64)
        inner = np.interp(raw, self.raw, self.log_odds)
        return inner + self.before * np.minimum(raw - self.raw[0], 0) + self.beyond * np.maximum(raw - self.raw[-1], 0)


UNCHECKED = Calibration(raw=[0], log_odds=[0], before=1, beyond=1, noise=[], shots=0)
"""What a network says, as it is: for networks that nobody will believe."""


def calibrated(
    raw: NDArray[np.floating], wrong: NDArray[np.bool_], *, noise: list[float], shots: int
) -> Calibration | None:
    """Fit a calibration to log-odds and what came of them.

    Parameters
    ----------
    raw : float [n]
        Log-odds of a network's decisions, of all noise rates together.
    wrong : bool [n]
        Whether the decision was wrong.
    noise, shots
        What the calibration says of them.

    Returns
    -------
    Calibration or None
        None where fewer than `FEWEST` decisions are wrong.
    """
    from scipy.optimize import minimize  # here: decoding needs none of it

    failed = np.sort(raw[wrong].astype(np.float64))
    if len(failed) < FEWEST:
        return None
    last = len(failed) - max(_TAIL, len(failed) // 10)
    first, second = failed[last // 2], max(failed[last], failed[last // 2] + 1e-3)
    x = np.minimum(raw.astype(np.float64), np.finfo(np.float32).max)
    basis = np.stack(
        [
            np.ones_like(x),
            np.minimum(x - first, 0),
            np.clip(x - first, 0, second - first),
            np.maximum(x - second, 0),
        ]
    )

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = np.where(wrong, 1, -1) * (weights @ basis)
        slope = np.where(wrong, 1, -1) * np.exp(-np.logaddexp(0, -odds))
        return float(np.logaddexp(0, odds).mean()), basis @ slope / len(x)

    found = minimize(
        loss,
        [first, 1.0, 1.0, 1.0],
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None), _SLOPES, _SLOPES, (_SLOPES[0], 1)],
    ).x.tolist()
    at, before, between, beyond = found
    return Calibration(
        raw=[float(first), float(second)],
        log_odds=[at, at + between * float(second - first)],
        before=before,
        beyond=min(beyond, 1.0),
        noise=noise,
        shots=shots,
    )
