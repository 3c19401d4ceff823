"""A detector error model as matrices over GF(2), for decoders that take a parity-check matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.projection import mechanisms, symptoms

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix


@dataclass(frozen=True)
class CheckMatrices:
    """What each error mechanism flips, and how likely it is.

    Attributes
    ----------
    checks : csc_matrix, uint8 [detectors, mechanisms]
    observables : csc_matrix, uint8 [observables, mechanisms]
    priors : float64 [mechanisms]
    """

    checks: csc_matrix
    observables: csc_matrix
    priors: NDArray[np.float64]


def check_matrices(dem: stim.DetectorErrorModel) -> CheckMatrices:
    """Matrices with a column for each mechanism that can happen and flips any detector.

    Suggested decompositions are ignored. Mechanisms that flip the same detectors and observables are one
    column, with the probability that an odd number of them happens.

    Parameters
    ----------
    dem
        Any detector error model.
    """
    probabilities: dict[tuple[frozenset[int], frozenset[int]], float] = {}
    for p, parts in mechanisms(dem):
        flipped = symptoms(parts)
        if p > 0 and flipped[0]:
            before = probabilities.get(flipped, 0.0)
            probabilities[flipped] = before * (1 - p) + p * (1 - before)
    return CheckMatrices(
        _matrix([detectors for detectors, _ in probabilities], dem.num_detectors),
        _matrix([observables for _, observables in probabilities], dem.num_observables),
        np.array(list(probabilities.values()), dtype=np.float64),
    )


def _matrix(columns: list[frozenset[int]], rows: int) -> csc_matrix:
    from scipy.sparse import csc_matrix

    ends = np.cumsum([0, *map(len, columns)])
    indices = np.array([row for column in columns for row in sorted(column)], dtype=np.int64)
    return csc_matrix((np.ones(len(indices), np.uint8), indices, ends), shape=(rows, len(columns)))
