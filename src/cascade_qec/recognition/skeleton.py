"""Which check, and when, each detector of an experiment is, before the code's own coordinates are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes.css import Basis


@dataclass(frozen=True, eq=False)
class Skeleton:
    """An experiment's detectors as checks in time, and its checks as sets of data qubits, all numbered arbitrarily.

    Attributes
    ----------
    rounds : int
        Rounds of syndrome extraction; time slices are 0..rounds.
    check : int64 [detectors]
        The check of each detector, -1 for a detector to be ignored (a double of another one).
    time : int64 [detectors]
        Its slice: 0 compares the first round with the preparation, `rounds` the readout with the last round.
    supports : uint8 [checks, qubits]
        Data qubits of each check.
    primary : bool [checks]
        Whether a check is of the experiment's own basis: those alone have detectors in the first and the last slice.
    basis : "X", "Z" or None
        Basis of the experiment, where the source tells.
    """

    rounds: int
    check: NDArray[np.int64]
    time: NDArray[np.int64]
    supports: NDArray[np.uint8]
    primary: NDArray[np.bool_]
    basis: Basis | None = None
