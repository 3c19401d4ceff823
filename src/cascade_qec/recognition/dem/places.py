"""Checks of a code by the coordinates of an error model's detectors."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.codes import BASES, CSSCode

# Linear maps of the plane. Turning a rotated surface code by a right angle exchanges its two kinds of check, no more.
_TURNS = (np.array([[1, 0], [0, 1]]), np.array([[1, 1], [1, -1]]))
_MIRRORS = (np.array([1, 1]), np.array([1, -1]))
_TOLERANCE = 1e-6


def places(dem: stim.DetectorErrorModel, kept: NDArray[np.bool_], code: CSSCode) -> NDArray[np.int64] | None:
    """The check at each detector's place.

    Which two coordinates are the place, the others being a time, a colour, a basis, is found by trying; and so are
    the axes, to multiples of 45 degrees and reflections, their steps and their origin.

    Parameters
    ----------
    dem
        The model.
    kept : bool [detectors]
        Detectors to look at.
    code
        The code whose checks are looked for.

    Returns
    -------
    int64 [detectors] or None
        Row of the check in the X checks followed by the Z checks, up to a symmetry of the code, which may exchange X
        with Z; -1 for detectors not kept. None if the coordinates are no places of the code's checks.
    """
    coordinates = dem.get_detector_coordinates()
    rows = [coordinates[detector] for detector in np.flatnonzero(kept).tolist()]
    columns = min(map(len, rows), default=0)
    table = np.array([row[:columns] for row in rows], dtype=np.float64)
    checks = {basis: code.detector_coords(basis) for basis in BASES}
    offset = {"X": 0, "Z": len(checks["X"])}
    targets = [(0, np.concatenate([checks["X"], checks["Z"]])), *((offset[b], checks[b]) for b in BASES)]
    for pair in combinations(range(columns), 2):
        points, point = np.unique(np.round(table[:, pair] / _TOLERANCE), axis=0, return_inverse=True)
        for (first, target), turn, mirror in product(targets, _TURNS, _MIRRORS):
            fit = _fitted(points @ turn * mirror, target)
            if fit is not None:
                found = np.full(len(kept), -1)
                found[kept] = first + fit[point.ravel()]
                return found
    return None


def _fitted(points: NDArray[np.float64], target: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Row of `target` for each point, after shifting and stretching both axes; None unless the sets are the same."""
    if len(points) != len(target):
        return None
    extent = np.ptp(points, axis=0)
    if not extent.all():
        return None
    stretched = (points - points.min(axis=0)) / extent * np.ptp(target, axis=0) + target.min(axis=0)
    nearest = np.rint(stretched).astype(np.int64)
    if np.abs(stretched - nearest).max() > 1e-3:
        return None
    row_of = {place: row for row, place in enumerate(map(tuple, target.tolist()))}
    found = [row_of.get(place, -1) for place in map(tuple, nearest.tolist())]
    return np.array(found) if sorted(found) == list(range(len(target))) else None
