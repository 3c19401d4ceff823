"""Which check, and when, each detector of an error model is, by what the model alone says.

The mechanisms tell the times. Where each data qubit meets three checks of each basis, they also tell which data qubits
each check has, and coordinates are not looked at. With other codes, and on tori so small that steps which differ
elsewhere are one there, hook errors look like errors of data qubits: then coordinates say which check is where, and
without them, the model is compared with those of known circuits.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.codes import BASES, CSSCode
from cascade_qec.codes.gf2 import Bits
from cascade_qec.error_models import Mechanisms
from cascade_qec.errors import CascadeError
from cascade_qec.recognition.dem.chains import (
    Chains,
    distinct,
    experiment_of,
    in_order,
    linked,
    measurement_errors,
    oriented,
    repeated,
)
from cascade_qec.recognition.dem.comparison import isomorphic_skeletons
from cascade_qec.recognition.skeleton import Skeleton

_DEGREE = 3
"""Checks of each basis that a data qubit meets, where mechanisms alone tell which."""

_Found = tuple[NDArray[np.bool_], Chains, NDArray[np.bool_], Bits]
"""The detectors that count, bool [detectors], their chains, which are primary, and the data qubits of each one."""

# Linear maps of the plane. Turning a rotated surface code by a right angle exchanges its two kinds of check, no more.
_TURNS = (np.array([[1, 0], [0, 1]]), np.array([[1, 1], [1, -1]]))
_MIRRORS = (np.array([1, 1]), np.array([1, -1]))
_TOLERANCE = 1e-6


def dem_skeletons(dem: stim.DetectorErrorModel, code: CSSCode) -> list[Skeleton]:
    """Work out the checks and times of a memory experiment's detectors.

    Parameters
    ----------
    dem
        Error model under circuit-level noise, of any tool: with all detectors or those of one basis only, in any order,
        with any coordinates. Unless each of the code's data qubits meets three checks of each basis, and looks unlike
        all other errors, it has coordinates of the checks, or the mechanisms of a circuit of this package. Detectors
        without coordinates, where others have them, are taken for heralds.

    Returns
    -------
    list of Skeleton
        Candidates, one unless the model was compared with a circuit or has no errors that the checks of both bases see.
        They are right up to a symmetry of the code, which may exchange X with Z, and up to the direction of time.
        Checks without detectors are left out.

    Raises
    ------
    CascadeError
        If the model is of no such experiment.
    """
    mechanisms, kept, heralds = of_checks(dem)
    if not kept.any():
        raise CascadeError(
            f"expected an error model of {code.name}, got one without errors that flip detectors, which leaves open "
            "what they are: give the circuit, which tells it without errors"
        )
    ways = [_by_places, None]
    if all((code.checks(basis).sum(axis=0) == _DEGREE).all() for basis in BASES):
        ways.insert(0, _by_mechanisms)
    refusal: CascadeError | None = None
    for way in ways:
        try:
            if way is None:
                return isomorphic_skeletons(mechanisms, kept, code)
            if found := way(dem, mechanisms, kept, code):
                return _skeletons(found, mechanisms, code, heralds)
        except CascadeError as error:
            refusal = refusal or error
    assert refusal is not None
    raise refusal


def _by_mechanisms(
    _: stim.DetectorErrorModel, mechanisms: Mechanisms, kept: NDArray[np.bool_], code: CSSCode
) -> _Found:
    chains = linked(measurement_errors(mechanisms), kept, code)
    primary = experiment_of(chains, code)[1]
    return kept, chains, primary, _supports(mechanisms, chains, primary, code)


def _by_places(
    dem: stim.DetectorErrorModel, mechanisms: Mechanisms, kept: NDArray[np.bool_], code: CSSCode
) -> _Found | None:
    """None where coordinates are no places."""
    place = _places(dem, kept, code)
    if place is None:
        return None
    pairs = repeated(mechanisms, place)
    every = np.ones_like(kept)
    if not len(pairs) and (placed := _places(dem, every, code)) is not None:
        # Measurements never fail: no error tells the order of the slices, and some slices may have no errors.
        kept, place, pairs = every, placed, in_order(placed)
    chains = linked(pairs, kept, code)
    primary = experiment_of(chains, code)[1]
    check = np.empty(len(primary), dtype=np.int64)
    check[chains.check[kept]] = place[kept]
    if len(np.unique((check < len(code.hx)) ^ primary)) > 1:
        raise CascadeError(f"expected one kind of {code.name}'s checks in the first and the last slice, got both")
    return kept, chains, primary, np.vstack([code.hx, code.hz])[check]


def _skeletons(found: _Found, mechanisms: Mechanisms, code: CSSCode, heralds: int) -> list[Skeleton]:
    kept, chains, primary, supports = found
    rounds = int(chains.length.max()) - 1
    degrees = {int(degree) for basis in BASES for degree in np.unique(code.checks(basis).sum(axis=0))} - {0, 1}
    skeletons = []
    for turned in oriented(chains, mechanisms, primary, degrees):
        # The other basis' checks have no detector in the first slice.
        time = np.where(kept, turned.position + ~primary[turned.check], 0)
        skeletons.append(Skeleton(rounds, turned.check, time, supports, primary, heralds=heralds))
    return skeletons


def of_checks(dem: stim.DetectorErrorModel) -> tuple[Mechanisms, NDArray[np.bool_], int]:
    """Leave out the detectors that tell nothing of their own, and those of heralds.

    Returns
    -------
    mechanisms : Mechanisms
        As the other detectors see them.
    kept : bool [detectors]
        Those others.
    heralds : int
        Detectors without coordinates, where others have them.
    """
    mechanisms, kept = distinct(Mechanisms.of(dem))
    coordinates = dem.get_detector_coordinates()
    placed = np.array([len(coordinates[detector]) > 0 for detector in range(len(kept))], dtype=bool)
    if not placed[kept].any():
        return mechanisms, kept, 0
    kept_placed = kept & placed
    return mechanisms.on(kept_placed), kept_placed, int((kept & ~placed).sum())


def _places(dem: stim.DetectorErrorModel, kept: NDArray[np.bool_], code: CSSCode) -> NDArray[np.int64] | None:
    """The check at each detector's place.

    Which two coordinates are the place, the others being a time, a colour, a basis, is found by trying; and so are
    the axes, to multiples of 45 degrees and reflections, their steps and their origin.

    Returns
    -------
    int64 [detectors] or None
        Row of the check in the X checks followed by the Z checks, up to a symmetry of the code, which may exchange X
        with Z; -1 for detectors not kept. None if the coordinates are no places of the code's checks.
    """
    coordinates = dem.get_detector_coordinates()
    # Where all checks lie on a line, coordinates may lack the other axis.
    rows = [[*coordinates[detector], 0.0] for detector in np.flatnonzero(kept).tolist()]
    columns = min(map(len, rows), default=0)
    table = np.array([row[:columns] for row in rows], dtype=np.float64)
    checks = {basis: code.detector_coords(basis) for basis in BASES}
    offset = {"X": 0, "Z": len(checks["X"])}
    both = np.concatenate([checks["X"], checks["Z"]])
    if len(np.unique(both, axis=0)) < len(both):
        # Checks of both bases at one place: a third coordinate tells them apart.
        both = np.column_stack([both, np.arange(len(both)) >= offset["Z"]])
    targets = [(0, both), *((offset[b], checks[b]) for b in BASES)]
    for first, target in targets:
        for axes in combinations(range(columns), target.shape[1]):
            points, point = np.unique(np.round(table[:, axes] / _TOLERANCE), axis=0, return_inverse=True)
            for turn, mirror in product(_TURNS, _MIRRORS):
                fit = _fitted(np.hstack([points[:, :2] @ turn * mirror, points[:, 2:]]), target)
                if fit is not None:
                    found = np.full(len(kept), -1)
                    found[kept] = first + fit[point.ravel()]
                    return found
    return None


def _fitted(points: NDArray[np.float64], target: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Row of `target` for each point, after shifting and stretching both axes; None unless the sets are the same."""
    if len(points) != len(target):
        return None
    extent, wanted = np.ptp(points, axis=0), np.ptp(target, axis=0)
    if not np.array_equal(extent > 0, wanted > 0):
        return None
    stretched = (points - points.min(axis=0)) / np.maximum(extent, 1e-9) * wanted + target.min(axis=0)
    nearest = np.rint(stretched).astype(np.int64)
    if np.abs(stretched - nearest).max() > 1e-3:
        return None
    row_of = {place: row for row, place in enumerate(map(tuple, target.tolist()))}
    found = [row_of.get(place, -1) for place in map(tuple, nearest.tolist())]
    return np.array(found) if sorted(found) == list(range(len(target))) else None


def _supports(mechanisms: Mechanisms, chains: Chains, primary: NDArray[np.bool_], code: CSSCode) -> NDArray[np.uint8]:
    """Data qubits of each check, in an order of their own: uint8 [chains, n].

    A data qubit is three checks of the experiment's basis that one mechanism flips alone, together with the three
    checks of the other basis, if they have detectors, that Y errors add.

    Raises
    ------
    CascadeError
        If these are not the sets of a code with as many data qubits and checks of the same weights.
    """
    own, own_weight = _flipped(mechanisms, chains, primary)
    other, other_weight = _flipped(mechanisms, chains, ~primary)
    qubits = np.unique(own[(own_weight == _DEGREE) & (other_weight == 0)], axis=0)
    if len(qubits) != code.n:
        raise CascadeError(
            f"expected a set of three checks for each of {code.name}'s {code.n} data qubits, got {len(qubits)} sets"
        )
    found = _incidence(qubits, len(primary))
    if not primary.all():
        # Faults of gates bring the sets of two data qubits together too, but rarely next to Y errors.
        both = (own_weight == _DEGREE) & (other_weight == _DEGREE)
        pairs, which = np.unique(np.hstack([own[both], other[both]]), axis=0, return_inverse=True)
        likely = np.bincount(which.ravel(), weights=mechanisms.probability[both], minlength=len(pairs))
        pairs = pairs[np.lexsort((-likely, *pairs[:, 2::-1].T))]
        firsts = np.unique(pairs[:, :_DEGREE], axis=0, return_index=True)[1]
        partners = pairs[firsts]
        if not np.array_equal(partners[:, :_DEGREE], qubits):
            raise CascadeError(
                f"expected Y errors of each of {code.name}'s {code.n} data qubits, "
                f"got mechanisms that flip three checks of both bases for {len(partners)}"
            )
        found |= _incidence(partners[:, _DEGREE:], len(primary))
    weights, expected = (np.unique(h.sum(axis=1)).tolist() for h in (found, np.vstack([code.hx, code.hz])))
    if weights != expected:
        raise CascadeError(f"expected checks of weights {expected} for {code.name}, got weights {weights}")
    if np.any(found[primary].astype(np.int64) @ found[~primary].T % 2):
        raise CascadeError(f"expected the checks of {code.name} to commute, but those of two bases meet in odd numbers")
    return found


def _flipped(
    mechanisms: Mechanisms, chains: Chains, kind: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Chains of one kind that each mechanism flips: sorted, int64 [mechanisms, 3], and how many, int64 [mechanisms].

    Rows of three different chains alone are filled in and counted as 3.
    """
    check = chains.check[mechanisms.detector]
    of_kind = (check >= 0) & kind[check]
    owner = mechanisms.owner[of_kind]
    weight = np.bincount(owner, minlength=len(mechanisms.probability))
    rows = np.full((len(weight), _DEGREE), -1)
    rows[weight == _DEGREE] = np.sort(check[of_kind][weight[owner] == _DEGREE].reshape(-1, _DEGREE), axis=1)
    different = (rows[:, 0] < rows[:, 1]) & (rows[:, 1] < rows[:, 2])
    return rows, np.where((weight == _DEGREE) & ~different, -1, weight)


def _incidence(members: NDArray[np.int64], checks: int) -> Bits:
    """uint8 [checks, qubits] from the checks of each qubit, int64 [qubits, 3]."""
    matrix = np.zeros((checks, len(members)), dtype=np.uint8)
    matrix[members.ravel(), np.repeat(np.arange(len(members)), members.shape[1])] = 1
    return matrix
