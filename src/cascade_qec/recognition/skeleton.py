"""Which check, and when, each detector of an experiment is, before the code's own coordinates are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import Basis, opposite


@dataclass(frozen=True, eq=False)
class Skeleton:
    """An experiment's detectors as checks in time, and its checks as sets of data qubits, all numbered arbitrarily.

    Attributes
    ----------
    rounds : int
        Rounds of syndrome extraction; time slices are 0..rounds.
    check : int64 [detectors]
        The check of each detector, -1 for a detector to be ignored: a double of another one, or a herald.
    time : int64 [detectors]
        Its slice: 0 compares the first round with the preparation, `rounds` the readout with the last round.
    supports : uint8 [checks, qubits]
        Data qubits of each check.
    primary : bool [checks]
        Whether a check is of the experiment's own basis: those alone have detectors in the first and the last slice,
        unless the experiment is of both.
    basis : "X", "Z" or None
        Basis of the primary checks, where the source tells.
    both : bool
        Whether the experiment keeps the logical operators of both bases, so that all checks have detectors in the first
        and the last slice.
    heralds : int
        Detectors of heralds alone; those of an error model without coordinates, where all checks' have them.
    """

    rounds: int
    check: NDArray[np.int64]
    time: NDArray[np.int64]
    supports: NDArray[np.uint8]
    primary: NDArray[np.bool_]
    basis: Basis | None = None
    both: bool = False
    heralds: int = 0

    def by_basis(self) -> list[Skeleton]:
        """The experiment as one memory experiment, or two where it is of both bases.

        Each of the two lacks the detectors that the other basis' checks have in the first and the last slice.
        """
        if not self.both:
            return [self]
        at_ends = (self.time == 0) | (self.time == self.rounds)
        of_basis = self.basis and opposite(self.basis)
        return [
            replace(self, check=np.where(at_ends & ~primary[self.check], -1, self.check), primary=primary, basis=basis)
            for primary, basis in ((self.primary, self.basis), (~self.primary, of_basis))
        ]
