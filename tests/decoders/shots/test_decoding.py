"""Files of shots to files of predictions, batch by batch."""

import os
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.decoders.result import DecodeResult, NetworkResult
from cascade_qec.decoders.shots import ShotFile, decode_file, decoding
from cascade_qec.errors import CascadeError

CIRCUIT = circuits.memory(codes.get("surface_d3"), rounds=3, basis="Z", noise=circuits.UniformDepolarizing(0.003))


class Parity:
    """Stands for a decoder: the parities of two halves of the events, more probable the more events there are."""

    def __init__(self):
        self.decoded = 0

    def decode_batch(self, events, *, bit_packed=False):
        if bit_packed:
            events = np.unpackbits(events, axis=1, count=CIRCUIT.num_detectors, bitorder="little")
        self.decoded += len(events)
        halves = events.reshape(len(events), 2, -1).sum(axis=2)
        likely = 1 - 0.4 / (1 + halves)
        probabilities = np.where(halves % 2, likely, 1 - likely).astype(np.float32)
        sure = likely.prod(axis=1)
        return NetworkResult(probabilities > 0.5, probabilities, np.log(sure / (1 - sure)).astype(np.float32))


def _shots(path: Path, shots: int, seed: int = 1) -> ShotFile:
    sampler = CIRCUIT.compile_detector_sampler(seed=seed)
    sampler.sample_write(shots, filepath=path, format="b8")
    return ShotFile(path, "b8", CIRCUIT.num_detectors)


@pytest.mark.parametrize("format", ["01", "b8", "r8", "hits", "dets", "ptb64"])
def test_shots_keep_their_order_and_alike_ones_are_decoded_once(format, tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "_BATCH_SHOTS", 128)
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
    np.testing.assert_array_equal(confidence, expected.confidence.astype(np.float32))


def test_ptb64_has_whole_groups_only(tmp_path):
    shots = _shots(tmp_path / "shots.b8", 100)
    decoder = Parity()
    with pytest.raises(CascadeError, match="out: expected a multiple of 64 shots to write as ptb64, got 100"):
        decode_file(decoder, shots, tmp_path / "out", "ptb64", k=2)
    assert decoder.decoded == 0
    assert [path.name for path in tmp_path.iterdir()] == ["shots.b8"]


def test_a_decoder_that_knows_observables_alone(tmp_path):
    class Never:
        def decode_batch(self, events, *, bit_packed=False):
            return DecodeResult(np.zeros((len(events), 2), np.bool_))

    shots = _shots(tmp_path / "shots.b8", 100)
    decoded = decode_file(Never(), shots, tmp_path / "out.01", "01", k=2)
    assert (decoded.shots, decoded.escalated) == (100, 0)
    assert (tmp_path / "out.01").read_text() == "00\n" * 100
    with pytest.raises(CascadeError, match=r"c\.npy: expected a decoder that knows probabilities and confidence"):
        decode_file(Never(), shots, tmp_path / "out.b8", "b8", k=2, confidence=tmp_path / "c.npy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.01", "shots.b8"]


@contextmanager
def _pipe(contents: bytes) -> Iterator[Path]:
    """A pipe that gives these few bytes, once."""
    read, write = os.pipe()
    os.write(write, contents)
    os.close(write)
    yield Path(f"/dev/fd/{read}")
    os.close(read)


def test_pipes_are_read_once_and_written_as_it_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "_BATCH_SHOTS", 64)
    path = _shots(tmp_path / "shots.b8", 200).path
    expected = Parity().decode_batch(
        stim.read_shot_data_file(path=path, format="b8", num_detectors=CIRCUIT.num_detectors)
    )
    truth = expected.observables.copy()
    truth[:3] ^= True
    reports = []
    read, write = os.pipe()
    with _pipe(path.read_bytes()) as shots, _pipe(np.packbits(truth, axis=1, bitorder="little").tobytes()) as flips:
        decoded = decode_file(
            Parity(),
            ShotFile(shots, "b8", CIRCUIT.num_detectors),
            Path(f"/dev/fd/{write}"),
            "01",
            k=2,
            truth=ShotFile(flips, "b8", 0, 2),
            confidence=tmp_path / "c.npy",
            report=lambda *report: reports.append(report),
        )
    os.close(write)
    with open(read, "rb") as file:
        rows = np.frombuffer(file.read(), np.uint8).reshape(200, 3)[:, :2] == ord("1")
    np.testing.assert_array_equal(rows, expected.observables)
    np.testing.assert_array_equal(np.load(tmp_path / "c.npy"), expected.confidence.astype(np.float32))
    assert (decoded.shots, decoded.failures) == (200, 3)
    assert reports == [(64, None), (128, None), (192, None), (200, None)]


def test_what_a_pipe_brings_is_checked_as_it_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "_BATCH_SHOTS", 64)
    contents = _shots(tmp_path / "shots.b8", 100).path.read_bytes()

    def refused(contents: bytes, format: str = "b8", truth: ShotFile | None = None) -> str:
        with _pipe(contents) as path:
            shots = ShotFile(path, "b8", CIRCUIT.num_detectors)
            with pytest.raises(CascadeError) as caught:
                decode_file(Parity(), shots, tmp_path / "out", format, k=2, truth=truth)
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".", "out"))] == []
        return str(caught.value)

    assert "more bytes after 99 whole shots" in refused(contents[:-1])
    assert "expected a multiple of 64 shots to write as ptb64, got 100" in refused(contents, "ptb64")
    for true_shots, found in ((99, "found only 99"), (101, "found more than 100")):
        (tmp_path / "truth.01").write_text("00\n" * true_shots)
        assert found in refused(contents, truth=ShotFile(tmp_path / "truth.01", "01", 0, 2))


@pytest.mark.parametrize(("true_shots", "found"), [(0, "only 0"), (99, "only 99"), (101, "more than 100")])
def test_truth_of_another_length_is_refused_before_any_decoding(true_shots, found, tmp_path):
    (tmp_path / "truth.01").write_text("00\n" * true_shots)
    shots, decoder = _shots(tmp_path / "shots.b8", 100), Parity()
    with pytest.raises(CascadeError, match=rf"truth\.01: expected as many shots as in .*shots\.b8, found {found}"):
        decode_file(decoder, shots, tmp_path / "out", "b8", k=2, truth=ShotFile(tmp_path / "truth.01", "01", 0, 2))
    assert decoder.decoded == 0


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
