"""Segments between seams: with the right seams what they flip adds up to what the experiment's errors flip."""

from collections import Counter

import numpy as np
import stim

import cascade_qec as cascade
from cascade_qec import circuits, codes
from cascade_qec.decoders.local import LocalDecoder
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.lattice import memory_lattice
from workshop.studies.segments import Segmented, segment, size_of

CODE = codes.get("surface_d3")
SIZE = size_of(CODE)
P, ENDS = 0.004, ((0, SIZE), (SIZE, 2 * SIZE), (2 * SIZE, 3 * SIZE + 1))


def whole() -> stim.Circuit:
    noise = circuits.UniformDepolarizing(P)
    return circuits.memory(CODE, rounds=3 * SIZE, basis="X", noise=noise)


def errors(model: stim.DetectorErrorModel) -> list[tuple[tuple[int, ...], bool, float]]:
    """What each error flips, detectors and the observable, and its probability."""
    found = Mechanisms.of(model)
    detectors = np.split(found.detector, found.start[1:-1])
    flips = found.observables[:, 0].astype(bool)
    return [
        (tuple(map(int, d)), bool(o), float(p)) for d, o, p in zip(detectors, flips, found.probability, strict=True)
    ]


def test_every_error_crosses_one_seam_or_is_one_of_one_segment() -> None:
    slices = memory_lattice(CODE, 3 * SIZE, "X").detector_slices
    crossing, enclosed = Counter[int](), Counter[tuple[int, tuple[tuple[int, ...], bool, float]]]()
    for detectors, flips, probability in errors(error_model(whole())):
        at = slices[list(detectors)]
        (here,) = [index for index, (first, stop) in enumerate(ENDS) if first <= at.min() < stop]
        first, stop = ENDS[here]
        if at.max() >= stop:
            assert at.max() < ENDS[here + 1][1]
            crossing[here] += 1
            continue
        before = int(np.count_nonzero(slices < first))
        enclosed[here, (tuple(d - before for d in detectors), flips, probability)] += 1
    assert crossing[0] == crossing[1] > 0
    of_segments = Counter(
        (index, error) for index, ends in enumerate(ENDS) for error in errors(segment(CODE, "X", P, *ends)[0])
    )
    assert enclosed == of_segments


def test_silence_flips_nothing_and_events_of_a_seam_are_taken_out() -> None:
    seams, head = (cascade.load(name, device="cpu", allow_unmeasured=True) for name in ("local_surface", "surface_d3"))
    assert isinstance(seams, LocalDecoder)
    bound = Segmented(seams, head, SIZE, 3).bind(whole())
    slices = memory_lattice(CODE, 3 * SIZE, "X").detector_slices
    shots = np.zeros((2, len(slices)), dtype=np.bool_)
    # a wrong outcome of one check in the last round before a seam: two events, one on each side of it
    pairs = [d for d, flips, _ in errors(error_model(whole())) if len(d) == 2 and not flips and d[1] - d[0] == 8]
    crossing = next(pair for pair in pairs if list(slices[list(pair)]) == [SIZE - 1, SIZE])
    shots[1, list(crossing)] = True
    assert not bound.decode_batch(shots).observables.any()
