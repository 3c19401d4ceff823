"""Detector error models restricted to some of their detectors."""

from collections.abc import Iterator

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError


def project(dem: stim.DetectorErrorModel, detectors: NDArray[np.integer]) -> stim.DetectorErrorModel:
    """Forget all detectors but some.

    Mechanisms that cannot be told apart any more, because they flip the same remaining detectors and the same
    observables, become one with the probability ``p1 (1 - p2) + p2 (1 - p1)`` that an odd number of them
    happens. Mechanisms that flip nothing any more are dropped. Suggested decompositions are dropped too: what
    flips at most two of the remaining detectors needs none.

    Parameters
    ----------
    dem
        Any detector error model.
    detectors : int [kept]
        Indices of the detectors to keep, each once. Detector ``detectors[i]`` becomes detector ``i``, so that
        ``dets[:, detectors]`` is what the new model speaks of.

    Returns
    -------
    stim.DetectorErrorModel
        Flat, with ``kept`` detectors (their coordinates kept) and as many observables as before.

    Raises
    ------
    CascadeError
        If ``detectors`` repeats an index or has one that the model lacks.
    """
    if len(np.unique(detectors)) != len(detectors) or not np.isin(detectors, range(dem.num_detectors)).all():
        raise CascadeError(f"expected distinct detectors of 0..{dem.num_detectors - 1}, got {detectors!r}")
    renumbered = {int(old): new for new, old in enumerate(detectors)}
    probabilities: dict[tuple[frozenset[int], frozenset[int]], float] = {}
    for p, parts in mechanisms(dem):
        detectors_flipped, observables = symptoms(parts)
        flipped = frozenset(renumbered[i] for i in detectors_flipped if i in renumbered)
        if flipped or observables:
            before = probabilities.get((flipped, observables), 0.0)
            probabilities[flipped, observables] = before * (1 - p) + p * (1 - before)
    return _assemble(probabilities, dem, renumbered)


def mechanisms(dem: stim.DetectorErrorModel) -> Iterator[tuple[float, list[list[stim.DemTarget]]]]:
    """Each error mechanism of a model: its probability, and its targets in the parts that ``^`` suggests."""
    for instruction in dem.flattened():
        if isinstance(instruction, stim.DemInstruction) and instruction.type == "error":
            yield instruction.args_copy()[0], instruction.target_groups()


def symptoms(parts: list[list[stim.DemTarget]]) -> tuple[frozenset[int], frozenset[int]]:
    """Detectors and observables that a mechanism flips: those that an odd number of its parts names."""
    detectors: set[int] = set()
    observables: set[int] = set()
    for target in (target for part in parts for target in part):
        (observables if target.is_logical_observable_id() else detectors).symmetric_difference_update({target.val})
    return frozenset(detectors), frozenset(observables)


def without_decomposition(dem: stim.DetectorErrorModel) -> stim.DetectorErrorModel:
    """The same mechanisms as wholes, for decoders that cannot use the parts that ``^`` suggests."""
    if not any(len(parts) > 1 for _, parts in mechanisms(dem)):
        return dem
    return project(dem, np.arange(dem.num_detectors))


def _assemble(
    probabilities: dict[tuple[frozenset[int], frozenset[int]], float],
    dem: stim.DetectorErrorModel,
    renumbered: dict[int, int],
) -> stim.DetectorErrorModel:
    coordinates = dem.get_detector_coordinates()
    projected = stim.DetectorErrorModel()
    for (flipped, observables), p in probabilities.items():
        targets: list[object] = [stim.target_relative_detector_id(i) for i in sorted(flipped)]
        targets += [stim.target_logical_observable_id(i) for i in sorted(observables)]
        projected.append("error", p, targets)
    for old, new in renumbered.items():
        projected.append("detector", coordinates[old], [stim.target_relative_detector_id(new)])
    for i in range(dem.num_observables):
        projected.append("logical_observable", [], [stim.target_logical_observable_id(i)])
    return projected


def is_coloured(dem: stim.DetectorErrorModel) -> bool:
    """Whether the detectors are those of a colour code, annotated as Chromobius wants them.

    Their fourth coordinate is the colour, 0, 1, 2 for X checks and 3, 4, 5 for Z checks, or -1 for a detector
    to be ignored. All three colours of one kind of check are there: the planes 0 and 1 of
    :func:`cascade_qec.circuits.memory` are no colours.
    """
    found = {place[3] if len(place) >= 4 else None for place in dem.get_detector_coordinates().values()}
    return found <= {-1, 0, 1, 2, 3, 4, 5} and (found >= {0, 1, 2} or found >= {3, 4, 5})


def basis_detectors(dem: stim.DetectorErrorModel) -> NDArray[np.int64]:
    """Detectors of the basis that a memory experiment is read out in.

    Parameters
    ----------
    dem
        Model of a circuit from :func:`cascade_qec.circuits.memory`, or another one with detector coordinates
        (x, y, t, plane), where plane is 0 for X checks and 1 for Z checks. The experiment's own plane is the
        one with detectors at the earliest t: only those checks have a known outcome after the reset. In a
        colour code (see `is_coloured`) colours 0 to 2 are the plane of X checks, 3 to 5 that of Z checks.

    Returns
    -------
    int64 [kept]
        Indices of the detectors of that plane, ascending.

    Raises
    ------
    CascadeError
        If a detector has other coordinates, or both planes have detectors at the earliest t.
    """
    coordinates = dem.get_detector_coordinates()
    coloured = is_coloured(dem)
    allowed = range(6) if coloured else range(2)
    for detector, place in coordinates.items():
        if len(place) != 4 or place[3] not in allowed:
            raise CascadeError(
                "filtered decoding expects detector coordinates (x, y, t, plane) with plane 0 for X checks "
                f"and 1 for Z checks; detector {detector} has {tuple(place)}"
            )
    if not coordinates:
        raise CascadeError("filtered decoding expects a model with detectors, got one without any")
    plane_of = {i: place[3] // 3 if coloured else place[3] for i, place in coordinates.items()}
    start = min(place[2] for place in coordinates.values())
    planes = {plane_of[i] for i, place in coordinates.items() if place[2] == start}
    if len(planes) != 1:
        raise CascadeError(f"filtered decoding expects detectors of one plane at the earliest t, {start:g}; found two")
    (plane,) = planes
    return np.array(sorted(i for i in coordinates if plane_of[i] == plane), dtype=np.int64)
