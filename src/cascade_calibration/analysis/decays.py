"""Decays to a constant: models of them for fits, which delays suit them, and which to measure next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.ranges import likeliest_window
from cascade_calibration.analysis.separable import Array, Model
from cascade_calibration.analysis.trace import Trace
from cascade_calibration.analysis.verdict import Range

STATUSES = ("SUCCESS", "NO_SIGNAL", "WINDOW_TOO_SHORT", "SAMPLING_TOO_COARSE")
"""Of a decay; the good one first."""

_SHORT = 2.1
"""Decay times that the window must be long: less than an eighth of the signal is then left."""
_RESOLVED = 1.5, 3
"""Within so many decay times of the first point there must be so many points."""
_AIM = 1.4
"""The next measurement should be on the good side of both limits by this factor."""


def possible(line: Trace, step: float) -> tuple[float, float]:
    """The shortest and the longest decay time that a sweep with this least step could show."""
    return step / 5, 8 * line.window


def decay(x: Array, step: float, exponent: float = 1.0) -> Model:
    """``exp(-(t / T)**exponent)`` to a constant; theta is the logarithm of T."""

    def basis(x: Array, theta: Array) -> Array:
        return np.exp(-(((x - x[0])[:, None] / np.exp(theta)[..., None, :]) ** exponent))

    return Model(f"decay {exponent:g}", basis, (np.linspace(np.log(step / 5), np.log(8 * np.ptp(x)), 80),))


def suited(line: Trace, times: Array) -> NDArray[np.str_]:
    """For each decay time the status of the delays: [samples]."""
    reach, points = _RESOLVED
    inside = np.searchsorted(line.x, line.x[0] + reach * times, side="right")
    short = line.window < _SHORT * times
    return np.where(short, "WINDOW_TOO_SHORT", np.where(inside < points, "SAMPLING_TOO_COARSE", "SUCCESS"))


def suggested(line: Trace, times: Array) -> Range:
    """Delays that most probably suit, for decay times [samples] that the data allow."""
    points = max(61, len(line.x))
    reach, within = _RESOLVED
    longest = reach * (points - 1) / (within - 1)
    return Range(line.axis, 0.0, likeliest_window(times, _AIM * _SHORT, longest / _AIM), line.x_unit, points)


def sentences(status: str, line: Trace, time: float, name: str) -> tuple[str, ...]:
    """What a status of :data:`STATUSES` rests on; no `time` is needed without a signal."""
    if status == "NO_SIGNAL":
        return (
            "The signal does not change with the delay by more than its noise.",
            "The data cannot tell a qubit that was not excited from one that decayed at once or hardly at all.",
        )
    ratio = line.window / time
    if status == "WINDOW_TOO_SHORT":
        left = f"The delays end after {ratio:.2g} decay times, with {np.exp(-ratio):.0%} of the signal left."
        return (left, f"The level that it decays to is a guess, and so is {name}.")
    if status == "SAMPLING_TOO_COARSE":
        inside = int((line.x <= line.x[0] + time).sum())
        return (
            f"The signal is gone after the first {inside} of {len(line.x)} points.",
            "The step between delays is too long to tell how fast it decays.",
        )
    return (f"A decay to a constant fits, over {ratio:.2g} decay times.",)
