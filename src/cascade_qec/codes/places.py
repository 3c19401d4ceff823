"""Places on the plane that planar codes are cut out of."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index

import numpy as np
from numpy.typing import NDArray

from cascade_qec import limits
from cascade_qec.codes.frame import ABSENT_PLACE
from cascade_qec.errors import CascadeError


def distance(value: int) -> int:
    """A distance that is given: an integer up to `limits.DISTANCE`, which a CascadeError says otherwise."""
    try:
        d = index(value)
    except TypeError as error:
        raise CascadeError(f"expected the distance as an integer, got {value!r}") from error
    if d > limits.DISTANCE:
        raise CascadeError(f"expected a distance of at most {limits.DISTANCE}, got {d}")
    return d


def places_at(
    places: NDArray[np.int64], centres: NDArray[np.int64], offsets: Sequence[tuple[int, int]]
) -> NDArray[np.int64]:
    """Index of the place at each offset from each centre: int64 [centres, offsets], -1 where there is none."""
    index_of = {where: number for number, where in enumerate(map(tuple, places.tolist()))}
    found = [index_of.get((r + dr, c + dc), ABSENT_PLACE) for r, c in centres.tolist() for dr, dc in offsets]
    return np.array(found, dtype=np.int64).reshape(-1, len(offsets))
