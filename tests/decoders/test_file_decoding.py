"""Files of shots to files of predictions, batch by batch."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.decoders import file_decoding
from cascade_qec.decoders.file_decoding import decode_file
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.decoders.shot_files import ShotFile
from cascade_qec.errors import CascadeError

CIRCUIT = circuits.memory(codes.get("surface_d3"), rounds=3, basis="Z", noise=circuits.UniformDepolarizing(0.003))


class Parity:
    """Stands for a decoder: the parities of two halves of the events, more probable the more events there are."""

    def __init__(self):
        self.decoded = 0

    def decode_batch(self, events):
        assert events.dtype == np.bool_
        self.decoded += len(events)
        halves = events.reshape(len(events), 2, -1).sum(axis=2)
        likely = 1 - 0.4 / (1 + halves)
        probabilities = np.where(halves % 2, likely, 1 - likely).astype(np.float32)
        return DecodeResult.of_network(probabilities > 0.5, probabilities, likely.prod(axis=1, dtype=np.float32))


def _shots(path: Path, shots: int, seed: int = 1) -> ShotFile:
    sampler = CIRCUIT.compile_detector_sampler(seed=seed)
    sampler.sample_write(shots, filepath=path, format="b8")
    return ShotFile(path, "b8", CIRCUIT.num_detectors)


@pytest.mark.parametrize("format", ["01", "b8", "r8", "hits", "dets", "ptb64"])
def test_shots_keep_their_order_and_alike_ones_are_decoded_once(format, tmp_path, monkeypatch):
    monkeypatch.setattr(file_decoding, "_BATCH_SHOTS", 128)
    shots = _shots(tmp_path / "shots.b8", 64 * 20)
    decoder = Parity()
    reports = []
    decoded = decode_file(
        decoder,
        shots,
        tmp_path / "out",
        format,
        k=2,
        probabilities=tmp_path / "p.npy",
        confidence=tmp_path / "c.npy",
        report=lambda *report: reports.append(report),
    )
    assert (decoded.shots, decoded.failures) == (1280, None)
    assert reports == [(done, 1280) for done in range(128, 1281, 128)]
    assert decoder.decoded < 1280 / 2  # at p = 0.3 % one shot in four has no event at all, and few have many

    dets = stim.read_shot_data_file(path=tmp_path / "shots.b8", format="b8", num_detectors=CIRCUIT.num_detectors)
    expected = Parity().decode_batch(dets)
    predictions = stim.read_shot_data_file(path=tmp_path / "out", format=format, num_observables=2)
    np.testing.assert_array_equal(predictions, expected.observables)
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), expected.probabilities)
    confidence = np.load(tmp_path / "c.npy")
    assert (confidence.dtype, confidence.shape) == (np.float32, (1280,))
    np.testing.assert_array_equal(confidence, expected.confidence)


def test_ptb64_has_whole_groups_only(tmp_path):
    shots = _shots(tmp_path / "shots.b8", 100)
    decoder = Parity()
    with pytest.raises(CascadeError, match="out: expected a multiple of 64 shots to write as ptb64, got 100"):
        decode_file(decoder, shots, tmp_path / "out", "ptb64", k=2)
    assert decoder.decoded == 0
    assert [path.name for path in tmp_path.iterdir()] == ["shots.b8"]


def test_memory_does_not_grow_with_the_number_of_shots(tmp_path):
    def peak(shots: int) -> int:
        file = _shots(tmp_path / f"{shots}.b8", shots)
        outputs = {"probabilities": tmp_path / "p.npy", "confidence": tmp_path / "c.npy"}
        tracemalloc.start()
        try:
            decoded = decode_file(Parity(), file, tmp_path / "out.b8", "b8", k=2, **outputs)
            assert decoded.shots == shots
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # The larger file has 29 MB as bits alone, and 14 MB of outputs, if they were held.
    small, large = peak(400_000), peak(1_200_000)
    assert large < 1.2 * small
    assert large < 32 << 20
