"""What components flip, all that belief propagation and ordered statistics ask of an error model."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes.gf2 import Bits


class Symptoms(Protocol):
    """Arrays as `Components` and `Mechanisms` have them."""

    @property
    def detector(self) -> NDArray[np.int64]:
        """Detectors flipped, int64 [entries]: those of one component after those of another."""
        ...

    @property
    def start(self) -> NDArray[np.int64]:
        """Component c flips ``detector[start[c]:start[c + 1]]``: int64 [components + 1]."""
        ...

    @property
    def observables(self) -> Bits:
        """Whether it flips each observable: uint8 [components, k]."""
        ...
