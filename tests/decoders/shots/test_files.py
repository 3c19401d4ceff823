"""Shot files against Stim's own reading and writing, and against damage."""

import contextlib
import tempfile
from pathlib import Path

import numpy as np
import pytest
import stim
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_qec.decoders.shots import FORMATS, ShotFile, guess_format
from cascade_qec.decoders.shots.files import observables_writer
from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole


def random_bits(seed: int, shots: int, width: int, density: float) -> np.ndarray:
    return np.random.default_rng(seed).random((shots, width)) < density


def write_with_stim(path: Path, bits: np.ndarray, format: str, observables: int = 0) -> None:
    stim.write_shot_data_file(
        data=bits,
        path=path,
        format=format,
        num_detectors=bits.shape[1] - observables,
        num_observables=observables,
    )


def read_all(file: ShotFile, batch: int = 7) -> np.ndarray:
    width = file.detectors + file.observables
    batches = list(file.batches(batch))
    assert all(len(b) == batch for b in batches[:-1])
    packed = np.concatenate([np.zeros((0, -(-width // 8)), np.uint8), *batches])
    bits = np.unpackbits(packed, axis=1, bitorder="little").astype(np.bool_)
    assert not bits[:, width:].any()
    return bits[:, :width]


def count(file: ShotFile) -> int:
    return sum(len(batch) for batch in file.batches(1000))


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=60, deadline=None)
@given(
    shots=st.integers(0, 150),
    detectors=st.sampled_from([1, 3, 7, 8, 9, 63, 64, 65, 254, 255, 256, 300, 511, 700]),
    observables=st.sampled_from([0, 1, 12]),
    density=st.sampled_from([0.0, 0.004, 0.1, 0.5, 1.0]),
    batch=st.sampled_from([1, 7, 64, 1000]),
    seed=st.integers(0, 1000),
)
def test_reads_what_stim_writes(format, shots, detectors, observables, density, batch, seed):
    shots -= shots % 64 if format == "ptb64" else 0
    bits = random_bits(seed, shots, detectors + observables, density)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shots"
        write_with_stim(path, bits, format, observables)
        file = ShotFile(path, format, detectors, observables)
        assert count(file) == shots
        np.testing.assert_array_equal(read_all(file, batch), bits)


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(st.integers(0, 20), max_size=4),
    k=st.sampled_from([1, 2, 7, 8, 9, 12, 254, 255, 256, 600]),
    density=st.sampled_from([0.0, 0.01, 0.5, 1.0]),
    seed=st.integers(0, 1000),
)
def test_writes_what_stim_writes(format, batches, k, density, seed):
    if format == "ptb64":
        batches = [64 * groups for groups in batches]
    bits = random_bits(seed, sum(batches), k, density)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours", Path(folder) / "theirs"
        with observables_writer(ours, format) as write:
            for batch in np.split(bits, np.cumsum(batches)[:-1]) if batches else []:
                write(batch)
        write_with_stim(theirs, bits, format, observables=k)
        assert ours.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("format", FORMATS)
def test_many_pieces_join(format, tmp_path):
    """More than one piece of every reader, so that shots cross from one to the next."""
    bits = random_bits(5, 64 * 1000, 123, 0.02)
    write_with_stim(tmp_path / "shots", bits, format, observables=3)
    np.testing.assert_array_equal(read_all(ShotFile(tmp_path / "shots", format, 120, 3), batch=999), bits)


def test_carriage_returns_and_blank_dets_lines_are_read_as_stim_reads_them(tmp_path):
    texts = {"01": b"010\r\n111\r\n", "hits": b"1\r\n0,1,2\r\n", "dets": b"\n shot D1\r\n\nshot L0 D1 D0\n"}
    for format, text in texts.items():
        path = tmp_path / format
        path.write_bytes(text)
        expected = stim.read_shot_data_file(
            path=path,
            format=format,
            num_detectors=2,
            num_observables=1,
        )
        np.testing.assert_array_equal(read_all(ShotFile(path, format, 2, 1)), expected)


def test_what_is_out_of_the_ordinary_far_into_a_file(tmp_path):
    """Carriage returns, blank lines and damage beyond the first block are found where they are."""
    path = tmp_path / "shots"
    path.write_bytes(b"shot D1 L0\n" * 10_000 + b"\r\n  shot D0\r\n" + b"shot L0 D1\n" * 10_000)
    bits = read_all(ShotFile(path, "dets", 200, 1), batch=4096)
    expected = stim.read_shot_data_file(path=path, format="dets", num_detectors=200, num_observables=1)
    np.testing.assert_array_equal(bits, expected)
    lines = {"hits": b"1,200\n", "dets": b"shot D1 L0\n", "01": b"0" * 200 + b"1\n"}
    found = {
        "hits": "wasn't comma-separated integers .*; found in line 20001: 'bad'",
        "dets": "didn't start with 'shot'; found in line 20001: 'bad'",
        "01": "Unexpected character .*; found in line 20001: 'bad'",
    }
    for format, line in lines.items():
        path.write_bytes(line * 20_000 + b"bad\n" + line)
        with pytest.raises(CascadeError, match=found[format]):
            count(ShotFile(path, format, 200, 1))


DAMAGED = [
    ("b8", b"\x00\x01\x00", "expected 2 bytes a shot (9 bits), found 1 more bytes after 1 whole shots"),
    ("b8", b"\x00\x01\x00\x04", "found more bits set in shot 1"),
    (
        "ptb64",
        bytes(80),
        "(9 bits a shot), found 8 more bytes after 64 whole shots",
    ),
    ("01", b"010101010\n01010101\n", "Expected bits per record was 9; found in line 2: '01010101'"),
    ("01", b"0101010101\n", "expected data length of '9'; found in line 1: '0101010101'"),
    ("01", b"010101010\n0101", "expected a newline at the end, found the end of the file in line 2"),
    ("01", b"01010101x\n", "Unexpected character in 01 format data: '120'; found in line 1: '01010101x'"),
    ("01", b"0" * 200, "expected at most 124 characters a line, found more in line 1"),
    ("01", b"\n", "Expected bits per record was 9; found in line 1: ''"),
    ("hits", b"1,8\n1,9\n", "hit index is too large; found in line 2: '1,9'"),
    ("hits", b"1,\n", "wasn't comma-separated integers terminated by a newline; found in line 1: '1,'"),
    ("hits", b"1, 2\n", "wasn't comma-separated integers"),
    ("hits", b"1,2", "expected a newline at the end"),
    ("hits", b"1,1\n", "expected each index once, found one repeated; found in line 1: '1,1'"),
    ("hits", b"1\n\n2,2,2\n3,9\n", "expected each index once, found one repeated; found in line 3: '2,2,2'"),
    ("hits", b"99999999999999999999\n", "too big; found in line 1: '99999999999999999999'"),
    ("dets", b"shot D0 L1\nshot D7\n", "Got D7 but expected length of D space to be 7; found in line 2: 'shot D7'"),
    ("dets", b"shot L2\n", "Got L2 but expected length of L space to be 2"),
    ("dets", b"shot M0\n", "Got M0 but expected length of M space to be 0"),
    ("dets", b"D0\n", "didn't start with 'shot'"),
    ("dets", b"shot D0 shot D1\n", "Unrecognized DETS prefix"),
    ("dets", b"shot D1 D", "expected a newline at the end"),
    ("dets", b"shot D1\nshot D2 L0 D2\n", "expected each index once, found one repeated; found in line 2"),
    ("r8", b"\x09\x08", "found the end of the file 9 bits into shot 1"),
    ("r8", b"\x09\x0a", "found a longer run in shot 1"),
    ("r8", b"\xff\x09", "found a longer run in shot 0"),
]


@pytest.mark.parametrize(("format", "contents", "message"), DAMAGED)
def test_damage_is_named(format, contents, message, tmp_path):
    path = tmp_path / "shots"
    path.write_bytes(contents)
    with pytest.raises(CascadeError) as caught:
        count(ShotFile(path, format, 7, 2))
    assert message in str(caught.value)
    assert f"{path} ({format}, 7 detectors and 2 observables a shot): " in str(caught.value)


NEARLY_TEXT = st.lists(
    st.sampled_from([b"shot", b" ", b"D", b"L", b"M", b"0", b"1", b"19", b",", b"\n", b"\r\n", b"shot D1\n", b"1,2\n"])
).map(b"".join)


@pytest.mark.parametrize("format", FORMATS)
@given(contents=st.one_of(st.binary(max_size=60), NEARLY_TEXT), detectors=st.integers(1, 20))
@settings(max_examples=250, deadline=None)
def test_garbage_is_refused_or_read_as_stim_reads_it(format, contents, detectors):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shots"
        path.write_bytes(contents)
        try:
            bits = read_all(ShotFile(path, format, detectors, 1))
        except CascadeError:
            return
        expected = stim.read_shot_data_file(path=path, format=format, num_detectors=detectors, num_observables=1)
        np.testing.assert_array_equal(bits, expected)


@pytest.mark.parametrize("format", FORMATS)
@given(cut=st.integers(1, 200), seed=st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_a_cut_file_never_gains_or_alters_a_shot(format, cut, seed):
    bits = random_bits(seed, 64, 30, 0.2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shots"
        write_with_stim(path, bits, format)
        contents = path.read_bytes()
        path.write_bytes(contents[:-cut])
        try:
            found = read_all(ShotFile(path, format, 30))
        except CascadeError:
            return
        np.testing.assert_array_equal(found, bits[: len(found)])  # cut between two shots
        assert len(found) < len(bits)


def test_memory_stays_bounded(tmp_path):
    """A file of 40 MB is read without ever holding more than a few MB of it."""
    import tracemalloc

    path = tmp_path / "shots.b8"
    with path.open("wb") as file:
        for _ in range(40):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        shots = sum(len(batch) for batch in ShotFile(path, "b8", 1024).batches(4096))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert shots == (40 << 20) // 128
    assert peak < 32 << 20


@pytest.mark.parametrize("format", FORMATS)
def test_an_endless_line_is_not_read(format, tmp_path):
    """20 MB of the same byte are refused, or are shots, without ever holding more than a few MB."""
    import tracemalloc

    path = tmp_path / "shots"
    path.write_bytes(b"0" * (20 << 20))
    tracemalloc.start()
    try:
        with contextlib.suppress(CascadeError):
            count(ShotFile(path, format, 1024))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 << 20


def test_a_file_that_cannot_be_read(tmp_path, monkeypatch):
    (tmp_path / "shots").write_bytes(b"")
    file = ShotFile(tmp_path / "shots", "b8", 3)

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CascadeError, match="shots: cannot be read: Permission denied"):
        count(file)


def test_what_is_not_a_file_of_shots(tmp_path):
    (tmp_path / "shots").write_bytes(b"")
    with pytest.raises(CascadeError, match="expected a file of shots, found nothing of that name"):
        ShotFile(tmp_path / "none", "b8", 3)
    with pytest.raises(CascadeError, match="found a directory"):
        ShotFile(tmp_path, "b8", 3)
    with pytest.raises(CascadeError, match=r"expected shots that are not compressed, got \.gz"):
        ShotFile(tmp_path / "shots.b8.gz", "b8", 3)
    with pytest.raises(CascadeError, match=r"expected shots that are not compressed, got \.xz"):
        guess_format(tmp_path / "shots.b8.xz", "--in_format")
    with (
        pytest.raises(CascadeError, match=r"expected shots that are not compressed, got \.gz"),
        observables_writer(tmp_path / "p.b8.gz", "b8"),
    ):
        pass
    with pytest.raises(CascadeError, match=r"expected a format to read among 01, b8, .* got 'b9'"):
        ShotFile(tmp_path / "shots", "b9", 3)
    with pytest.raises(CascadeError, match="at least one bit"):
        ShotFile(tmp_path / "shots", "b8", 0)


def test_format_from_the_ending():
    assert guess_format(Path("a/shots.01"), "--in_format") == "01"
    with pytest.raises(CascadeError, match="expected --in_format among"):
        guess_format(Path("shots.bin"), "--in_format")


class TestWrittenWhole:
    def test_appears_at_the_end(self, tmp_path):
        with written_whole(tmp_path / "out") as file:
            file.write(b"abc")
            assert not (tmp_path / "out").exists()
        assert [p.name for p in tmp_path.iterdir()] == ["out"]
        assert (tmp_path / "out").read_bytes() == b"abc"

    @staticmethod
    def _fail_midway(path: Path, failure: BaseException) -> None:
        with written_whole(path) as file:
            file.write(b"abc")
            raise failure

    @pytest.mark.parametrize("failure", [CascadeError(), KeyboardInterrupt(), SystemExit()])
    def test_leaves_nothing_on_failure(self, tmp_path, failure):
        with pytest.raises(type(failure)):
            self._fail_midway(tmp_path / "out", failure)
        assert list(tmp_path.iterdir()) == []

    def test_keeps_the_old_file_on_failure(self, tmp_path):
        (tmp_path / "out").write_bytes(b"old")
        with pytest.raises(CascadeError):
            self._fail_midway(tmp_path / "out", CascadeError())
        assert (tmp_path / "out").read_bytes() == b"old"

    def test_refuses_what_cannot_be_written(self, tmp_path):
        with pytest.raises(CascadeError, match="found a directory"), written_whole(tmp_path):
            pass
        with pytest.raises(CascadeError, match="cannot be written"), written_whole(tmp_path / "none" / "out"):
            pass

    def test_refuses_unknown_formats(self, tmp_path):
        message = "expected a format to write among 01, b8, r8, hits, dets, ptb64, got 'b9'"
        with pytest.raises(CascadeError, match=message), observables_writer(tmp_path / "out", "b9"):
            pass
        assert list(tmp_path.iterdir()) == []
