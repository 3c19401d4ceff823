"""Rounds as bytes: they come back as they were, and nothing else passes."""

import numpy as np
import pytest
import stim

from cascade_qec.decoders import get
from cascade_qec.decoders.streams import windows
from cascade_qec.errors import CascadeError
from cascade_qec.serving.rounds import RoundSizes
from tests.decoders.test_streams import looped
from tests.serving.conftest import circuit_of


@pytest.mark.parametrize(
    ("circuit", "rounds"),
    [
        *((circuit_of(rounds=rounds), rounds) for rounds in (1, 2, 12, 40, 1000)),
        (looped("two unlike rounds a turn"), 61),
        (looped("two loops"), 61),
    ],
)
def test_sizes_are_those_of_the_experiment(circuit: stim.Circuit, rounds: int) -> None:
    timeline = windows(get("pymatching"), circuit).timeline
    sizes = RoundSizes.of(timeline)
    assert RoundSizes.from_message(sizes.message()) == sizes
    assert sizes.slices == rounds + 1
    assert [sizes[t] for t in range(sizes.slices)] == [timeline.size(t) for t in range(sizes.slices)]
    assert len(sizes.first) + len(sizes.turn) + len(sizes.last) < 100


@pytest.mark.parametrize(
    "sizes", [RoundSizes(4, (4, 8, 9, 17)), RoundSizes(50, (3, 16), (16, 5, 1), (8, 2)), RoundSizes(9, (8,), (8,))]
)
@pytest.mark.parametrize("block", [1, 2, 3, 100])
def test_rounds_come_back_as_they_were(sizes: RoundSizes, block: int) -> None:
    at = 0
    while at < sizes.slices:
        stop = min(sizes.slices, at + block)
        events = np.random.default_rng(at).random(sum(sizes[t] for t in range(at, stop))) < 0.5
        parts = sizes.packed(at, events)
        assert [len(part) for part in parts] == [-(-sizes[t] // 8) for t in range(at, stop)]
        back, slices = sizes.unpacked(at, b"".join(parts), 100)
        assert slices == stop - at
        np.testing.assert_array_equal(back, events)
        at = stop


@pytest.mark.parametrize(
    ("first", "data", "message"),
    [
        (0, b"", "4 detectors in 1 bytes for slice 1 of 3, got 0 bytes"),
        (0, b"\0\0", "4 detectors in 1 bytes for slice 1 of 3, got 2 bytes"),
        (0, b"\0\0\0\0\0", r"whole rounds.*got 5 bytes"),
        (2, b"\0\0", r"4 detectors in 1 bytes for slice 3 of 3 \(the readout\), got 2 bytes"),
        (3, b"\0", "no more rounds after the readout, got 1 bytes"),
        (0, b"\x10", "bits after the 4 detectors of a slice that are 0"),
        (0, b"\0\0\x02\0", "bits after the 9 detectors of a slice that are 0"),
    ],
)
def test_other_bytes_are_refused(first: int, data: bytes, message: str) -> None:
    with pytest.raises(CascadeError, match=message):
        RoundSizes(3, (4, 9, 4)).unpacked(first, data, 100)


def test_other_numbers_of_detectors_are_refused() -> None:
    for events in (np.zeros(0), np.zeros(5), np.zeros(18)):
        with pytest.raises(CascadeError, match=f"whole rounds, 4 detectors .* got {len(events)} detectors"):
            RoundSizes(3, (4, 9, 4)).packed(0, events.astype(np.bool_))


def test_too_many_rounds_are_refused() -> None:
    with pytest.raises(CascadeError, match="expected at most 2 rounds in a message, got more"):
        RoundSizes(9, (8,), (8,)).unpacked(0, bytes(3), 2)
