"""The sum of two power laws, by parameters that suit the question asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit

from cascade_qec.evaluation.fits.laws import exponent, log_exponent, natural, parameters
from cascade_qec.evaluation.fits.likelihood import Floats

Quantity = Literal["a", "b", "m1", "m2", "rate"]


@dataclass(frozen=True)
class Chart:
    """Parameters of two terms of which the first is a quantity of interest.

    At p = 1, where a and b stand, amplitudes and exponents are all but one and the same parameter; so only the
    quantity of interest is meant there, the others amid the data.

    ====== =======================================================================================
    first  parameters
    ====== =======================================================================================
    "rate" (log P, log(b / a), log m1, log(m2 - m1)), the first two `shift` away from the pivot
    "a"    (log of the first term `shift` away from the pivot, log B, log m1, log(m2 - m1))
    "b"    (log of the second term `shift` away from the pivot, log A, log m1, log(m2 - m1))
    "m1"   (m1, log A, log B, log(m2 - m1))
    "m2"   (m2, log A, log B, log odds of m1 / m2)
    ====== =======================================================================================
    """

    first: Quantity
    shift: float

    def of(self, coordinates: Floats) -> list[float]:
        """Parameters from (log A, log B, m1, m2) at the pivot."""
        log_a, log_b, m1, m2 = coordinates
        there = np.array([log_a + m1 * self.shift, log_b + m2 * self.shift, m1, m2])
        logs = log_exponent(np.array([m1, m2 - m1]))
        rows = {
            "rate": parameters(there),
            "a": (there[0], log_b, *logs),
            "b": (there[1], log_a, *logs),
            "m1": (m1, log_a, log_b, logs[1]),
            "m2": (m2, log_a, log_b, logs[0] - logs[1]),
        }
        return [float(value) for value in rows[self.first]]

    def natural(self, phi: Floats) -> Floats:
        """(log A, log B, m1, m2) at the pivot."""
        one, two, three, four = phi
        if self.first == "m1":
            return np.array([two, three, one, one + exponent(four)])
        if self.first == "m2":
            return np.array([two, three, one * expit(four), one])
        there = natural(phi)
        log_a, log_b, m1, m2 = there
        if self.first == "a":
            return np.array([one - m1 * self.shift, two, m1, m2])
        if self.first == "b":
            return np.array([two, one - m2 * self.shift, m1, m2])
        return np.array([log_a - m1 * self.shift, log_b - m2 * self.shift, m1, m2])
