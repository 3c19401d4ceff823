"""``cascade decode``: files in, files out, through the public doors."""

import io
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
import stim
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cascade_qec import BoundCascade, load
from cascade_qec.cli import main
from cascade_qec.decoders.shots import decoding

# Round counts other than a model's own are warned of; these tests want small and odd ones.
pytestmark = pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning")

SHOTS = 100
FORMATS = ["01", "b8", "r8", "hits", "dets", "ptb64"]


@pytest.fixture(scope="module")
def sampled(tiny_model, tmp_path_factory):
    """A folder with a circuit, its shots and the truth; and the same as arrays."""
    folder = tmp_path_factory.mktemp("sampled")
    circuit = load(tiny_model, device="cpu").experiment(p=0.02, rounds=4, basis="X")
    dets, obs = circuit.compile_detector_sampler(seed=1).sample(SHOTS, separate_observables=True)
    circuit.to_file(folder / "c.stim")
    circuit.detector_error_model().to_file(folder / "c.dem")
    sizes = {"num_detectors": circuit.num_detectors}
    for format in ("b8", "01", "dets", "r8", "hits"):
        stim.write_shot_data_file(data=dets, path=folder / f"shots.{format}", format=format, **sizes)
        stim.write_shot_data_file(data=obs, path=folder / f"truth.{format}", format=format, num_observables=1)
    both = np.concatenate([dets, obs], axis=1)
    stim.write_shot_data_file(data=both, path=folder / "both.b8", format="b8", num_observables=1, **sizes)
    return folder, circuit, dets, obs


@pytest.fixture(scope="module")
def expected(tiny_model, sampled):
    _, circuit, dets, _ = sampled
    return load(tiny_model, circuit=circuit, device="cpu").decode_batch(dets)


def decode(model: Path, *arguments: object) -> int:
    return main(["decode", "--model", str(model), "--device", "cpu", *map(str, arguments)])


@pytest.mark.parametrize("format", ["b8", "01", "dets", "r8", "hits"])
def test_files_hold_what_decode_batch_returns(format, tiny_model, sampled, expected, tmp_path):
    folder = sampled[0]
    out = tmp_path / "predictions"
    files = ("--in", folder / f"shots.{format}", "--in_format", format, "--out", out, "--out_format", format)
    assert decode(tiny_model, "--circuit", folder / "c.stim", *files) == 0
    predictions = stim.read_shot_data_file(path=out, format=format, num_observables=1)
    np.testing.assert_array_equal(predictions, expected.observables)
    assert list(tmp_path.iterdir()) == [out]


def test_small_batches_probabilities_and_summary(tiny_model, sampled, expected, tmp_path, capsys, monkeypatch):
    """Streaming in many batches changes nothing; the truth is counted; formats follow the files' endings."""
    monkeypatch.setattr(decoding, "_BATCH_SHOTS", 64)
    folder, _, _, obs = sampled
    files = (
        "--in",
        folder / "shots.b8",
        "--obs_in",
        folder / "truth.01",
        "--out",
        tmp_path / "predictions.hits",
    )
    more = ("--probabilities_out", tmp_path / "p.npy", "--confidence_out", tmp_path / "c.npy")
    assert decode(tiny_model, "--dem", folder / "c.dem", *files, *more) == 0
    predictions = stim.read_shot_data_file(path=tmp_path / "predictions.hits", format="hits", num_observables=1)
    np.testing.assert_array_equal(predictions, expected.observables)
    written = np.load(tmp_path / "p.npy")
    assert (written.dtype, written.shape) == (np.float32, (SHOTS, 1))
    np.testing.assert_allclose(written, expected.probabilities, atol=1e-6)
    confidence = np.load(tmp_path / "c.npy")
    assert (confidence.dtype, confidence.shape) == (np.float32, (SHOTS,))
    np.testing.assert_allclose(confidence, expected.confidence, atol=1e-6)
    captured = capsys.readouterr()
    failures = int((expected.observables != obs).any(axis=1).sum())
    assert f"shots: {SHOTS}\nfailures: {failures}\nblock error: {failures / SHOTS:.4g} [" in captured.out
    assert captured.err.endswith(f"decoding: {SHOTS} of {SHOTS}\n")


def test_appended_observables_own_experiment_and_dashes(tiny_model, sampled, expected, tmp_path, capsys):
    folder, _, _, obs = sampled
    own = ("--rounds", 4, "--basis", "X")
    files = ("--in", folder / "both.b8", "--in-includes-appended-observables", "--in-format", "b8")
    assert decode(tiny_model, *own, *files, "--out", tmp_path / "predictions.b8") == 0
    predictions = stim.read_shot_data_file(path=tmp_path / "predictions.b8", format="b8", num_observables=1)
    np.testing.assert_array_equal(predictions, expected.observables)
    failures = int((expected.observables != obs).any(axis=1).sum())
    assert f"failures: {failures}\n" in capsys.readouterr().out


def test_the_flags_of_sinter_predict(tiny_model, sampled, expected, tmp_path):
    folder = sampled[0]
    dets = ("--dets", folder / "shots.dets", "--dets_format", "dets")
    out = ("--obs_out", tmp_path / "predictions", "--obs_out_format", "01")
    assert decode(tiny_model, "--dem", folder / "c.dem", *dets, *out) == 0
    predictions = stim.read_shot_data_file(path=tmp_path / "predictions", format="01", num_observables=1)
    np.testing.assert_array_equal(predictions, expected.observables)


def test_standard_input_and_output(tiny_model, sampled, expected, tmp_path, capsysbinary, monkeypatch):
    """Predictions alone go to standard output; what is said of them goes elsewhere."""
    folder, _, _, obs = sampled
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((folder / "shots.dets").read_bytes())))
    files = ("--in", "-", "--in_format", "dets", "--out", "-", "--out_format", "b8", "--obs_in", folder / "truth.b8")
    assert decode(tiny_model, "--circuit", folder / "c.stim", *files, "--confidence_out", tmp_path / "c.npy") == 0
    captured = capsysbinary.readouterr()
    assert captured.out == np.packbits(expected.observables, axis=1, bitorder="little").tobytes()
    failures = int((expected.observables != obs).any(axis=1).sum())
    assert f"shots: {SHOTS}\nfailures: {failures}\n" in captured.err.decode()
    np.testing.assert_allclose(np.load(tmp_path / "c.npy"), expected.confidence, atol=1e-6)


@pytest.mark.parametrize("into", ["-", "link", "pipe"])
def test_arrays_go_whole_to_standard_output_links_and_pipes(into, tiny_model, sampled, expected, tmp_path, capfdbinary):
    folder = sampled[0]
    path, got = tmp_path / into if into != "-" else Path(into), []
    if into == "link":
        path.symlink_to("array.npy")
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()) if into == "pipe" else None)
    if into == "pipe":
        os.mkfifo(path)
    reader.start()
    files = ("--in", folder / "shots.b8", "--out", "/dev/null", "--out_format", "b8", "--confidence_out", path)
    assert decode(tiny_model, "--circuit", folder / "c.stim", *files) == 0
    reader.join()
    printed = capfdbinary.readouterr()
    if into == "-":
        got.append(printed.out)
        assert f"shots: {SHOTS}\n" in printed.err.decode()
    elif into == "link":
        assert path.is_symlink()
        got.append((tmp_path / "array.npy").read_bytes())
    np.testing.assert_allclose(np.load(io.BytesIO(got[0])), expected.confidence, atol=1e-6)
    assert Path("/dev/null").is_char_device()


def test_standard_output_takes_one_result(tiny_model, sampled, capfd):
    folder = sampled[0]
    files = ("--in", folder / "shots.b8", "--out", "-", "--out_format", "b8", "--confidence_out", "-")
    assert decode(tiny_model, "--circuit", folder / "c.stim", *files) == 2
    assert "-: expected a file of its own for each input and output, got it twice" in capfd.readouterr().err


@pytest.mark.parametrize("flag", ["--circuit", "--dem"])
def test_doubtful_shots_go_to_the_fallback(flag, tiny_model, sampled, expected, tmp_path, capsys):
    folder, _, dets, obs = sampled
    below = float(np.median(expected.confidence))
    source = folder / ("c.stim" if flag == "--circuit" else "c.dem")
    files = ("--in", folder / "shots.b8", "--obs_in", folder / "truth.b8", "--out", tmp_path / "o.b8")
    more = ("--confidence_out", tmp_path / "c.npy", "--probabilities_out", tmp_path / "p.npy")
    assert decode(tiny_model, flag, source, *files, *more, "--fallback", "tesseract", "--below", below) == 0
    result = load(tiny_model, circuit=source, device="cpu", fallback="tesseract", below=below).decode_batch(dets)
    predictions = stim.read_shot_data_file(path=tmp_path / "o.b8", format="b8", num_observables=1)
    np.testing.assert_array_equal(predictions, result.observables)
    assert (predictions != expected.observables).any()
    np.testing.assert_allclose(np.load(tmp_path / "c.npy"), expected.confidence, atol=1e-6)
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), expected.probabilities, atol=1e-6)
    escalated = int((expected.confidence < below).sum())
    failures = int((predictions != obs).any(axis=1).sum())
    shown = capsys.readouterr().out
    assert f"shots: {SHOTS}\nescalated to tesseract: {escalated} ({escalated / SHOTS:.2%})\n" in shown
    assert f"failures: {failures}\n" in shown
    assert 0 < escalated < SHOTS


@pytest.mark.parametrize("format", FORMATS)
def test_no_shots(format, tiny_model, sampled, tmp_path, capsys):
    (tmp_path / f"none.{format}").write_bytes(b"")
    files = (
        "--in",
        tmp_path / f"none.{format}",
        "--out",
        tmp_path / f"out.{format}",
        "--probabilities_out",
        tmp_path / "p.npy",
    )
    assert decode(tiny_model, "--circuit", sampled[0] / "c.stim", *files) == 0
    assert (tmp_path / f"out.{format}").read_bytes() == b""
    assert np.load(tmp_path / "p.npy").shape == (0, 1)
    assert "shots: 0\n" in capsys.readouterr().out


def test_termination_leaves_no_file(tiny_model, sampled, tmp_path, monkeypatch):
    """SIGTERM in the midst of decoding: outputs already begun are removed."""

    def terminate(*_: object, **__: object) -> None:
        assert len(list(tmp_path.iterdir())) == 2
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(BoundCascade, "decode_chosen", terminate)
    files = (
        "--in",
        sampled[0] / "shots.b8",
        "--out",
        tmp_path / "o.b8",
        "--probabilities_out",
        tmp_path / "p.npy",
    )
    assert decode(tiny_model, "--circuit", sampled[0] / "c.stim", *files) == 143
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.one_of(st.binary(min_size=1, max_size=200), st.text(max_size=50).map(str.encode)))
def test_whatever_bytes_are_shots_or_refused_in_one_line(format, contents, tiny_model, sampled, capsys):
    with tempfile.TemporaryDirectory() as folder:
        shots, out = Path(folder) / f"in.{format}", Path(folder) / "out.01"
        shots.write_bytes(contents)
        status = decode(tiny_model, "--circuit", sampled[0] / "c.stim", "--in", shots, "--out", out)
        left = {path.name for path in Path(folder).iterdir()} - {shots.name}
    error = capsys.readouterr().err
    if status == 0:
        assert left == {"out.01"}
    else:
        assert (status, left) == (2, set())
        assert error.startswith("Error: ")
        assert error.count("\n") == 1


@pytest.mark.parametrize(("flag", "name"), [("--circuit", "c.stim"), ("--dem", "c.dem"), ("--model", "m.safetensors")])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.binary(max_size=100))
def test_whatever_bytes_are_no_circuit_and_no_model(flag, name, contents, tiny_model, sampled, capsys):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(contents)
        flags = {"--model": tiny_model, "--device": "cpu", "--in": sampled[0] / "shots.b8"}
        flags |= {"--out": Path(folder) / "out.01", flag: Path(folder) / name}
        assert main(["decode", *(str(part) for pair in flags.items() for part in pair)]) == 2
        assert [path.name for path in Path(folder).iterdir()] == [name]
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert error.count("\n") == 1


class TestBadInput:
    """Exit status 2, one line that says why, and no file left behind."""

    @pytest.fixture
    def refused(self, tiny_model, sampled, tmp_path, capsys):
        def check(message: str, **changes: object) -> None:
            folder = sampled[0]
            flags: dict[str, object] = {
                "model": tiny_model,
                "circuit": folder / "c.stim",
                "in": folder / "shots.b8",
                "out": tmp_path / "out" / "predictions.b8",
            }
            (tmp_path / "out").mkdir()
            given = {flag: value for flag, value in (flags | changes).items() if value is not None}
            arguments = [str(part) for flag, value in given.items() for part in (f"--{flag}", value)]
            assert main(["decode", *arguments]) == 2
            captured = capsys.readouterr()
            assert message in captured.err
            assert captured.err.count("\n") == 1
            assert list((tmp_path / "out").iterdir()) == []

        return check

    def test_unknown_model(self, refused):
        refused("unknown model 'bb73'", model="bb73")

    @pytest.mark.parametrize(
        ("format", "message"),
        [
            ("01", "expected a newline at the end, found the end of the file in line 64"),
            ("b8", "expected 4 bytes a shot (32 bits), found 3 more bytes after 63 whole shots"),
            ("r8", "found the end of the file"),
            ("hits", "expected a newline at the end"),
            ("dets", "expected a newline at the end"),
            ("ptb64", "expected 256 bytes for every 64 shots (32 bits a shot), found 255 more bytes after 0 whole"),
        ],
    )
    def test_truncated_shots(self, format, message, refused, sampled, tmp_path):
        _, circuit, dets, _ = sampled
        cut = tmp_path / f"cut.{format}"
        stim.write_shot_data_file(data=dets[:64], path=cut, format=format, num_detectors=circuit.num_detectors)
        cut.write_bytes(cut.read_bytes()[:-1])
        refused(message, **{"in": cut})

    @pytest.mark.parametrize(
        ("format", "message"),
        [
            ("01", "expected data length of '24'; found in line 1: '"),
            ("b8", "expected 3 bytes a shot (24 bits), found 1 more bytes after 133 whole shots"),
            ("r8", "expected run lengths that add up to 24 bits a shot"),
            ("hits", "(hits, 24 detectors and 0 observables a shot): hit index is too large; found in line "),
            ("dets", "expected length of D space to be 24; found in line "),
        ],
    )
    def test_shots_of_another_circuit(self, format, message, refused, sampled):
        refused(message, circuit=None, rounds=3, **{"in": sampled[0] / f"shots.{format}"})

    def test_observables_appended_unannounced(self, refused, sampled, tmp_path):
        _, circuit, dets, obs = sampled
        sizes = {"num_detectors": circuit.num_detectors, "num_observables": 1}
        both, path = np.concatenate([dets, obs | True], axis=1), tmp_path / "both.dets"
        stim.write_shot_data_file(data=both, path=path, format="dets", **sizes)
        refused("--in_includes_appended_observables", **{"in": path})

    def test_shots_that_cannot_be_read(self, refused, sampled, monkeypatch):
        opened = Path.open

        def refuse(self, *arguments, **options):
            if self.name == "shots.b8":
                raise PermissionError(13, "Permission denied")
            return opened(self, *arguments, **options)

        monkeypatch.setattr(Path, "open", refuse)
        refused("shots.b8: cannot be read: Permission denied")

    def test_shots_that_are_a_directory(self, refused, tmp_path):
        (tmp_path / "shots.b8").mkdir()
        refused("expected a file of shots, found a directory", **{"in": tmp_path / "shots.b8"})

    @pytest.mark.parametrize("flag", ["circuit", "dem"])
    def test_missing_circuit(self, flag, refused, tmp_path):
        refused("none: expected a file to read", **({"circuit": None} | {flag: tmp_path / "none"}))

    @pytest.mark.parametrize("flag", ["circuit", "dem"])
    def test_circuit_that_is_a_directory(self, flag, refused, tmp_path):
        refused(f"{tmp_path}: expected a file of", **({"circuit": None} | {flag: tmp_path}))

    def test_shots_that_are_no_multiple_for_ptb64(self, refused, tmp_path):
        refused("expected a multiple of 64 shots to write as ptb64, got 100", out=tmp_path / "out" / "o.ptb64")

    def test_standard_input_for_two_files(self, refused):
        refused("expected standard input (-) for one file", **{"in": "-", "circuit": "-"})

    def test_missing_shots(self, refused, tmp_path):
        refused("found nothing of that name", **{"in": tmp_path / "none.b8"})

    def test_unknown_ending(self, refused, tmp_path):
        (tmp_path / "shots.bin").touch()
        refused("expected --in_format among", **{"in": tmp_path / "shots.bin"})

    def test_truth_of_other_length(self, refused, tmp_path):
        (tmp_path / "truth.01").write_text("0\n" * 99)
        refused("expected as many shots as in", obs_in=tmp_path / "truth.01")

    def test_out_over_in(self, refused, sampled):
        refused("expected a file of its own", out=sampled[0] / "shots.b8")

    def test_out_in_a_missing_folder(self, refused, tmp_path):
        refused("cannot be written", out=tmp_path / "none" / "predictions.b8")

    def test_probabilities_in_a_missing_folder(self, refused, tmp_path):
        refused("cannot be written", probabilities_out=tmp_path / "none" / "p.npy")

    def test_confidence_in_a_missing_folder(self, refused, tmp_path):
        refused("cannot be written", confidence_out=tmp_path / "none" / "c.npy")

    def test_one_file_for_two_outputs(self, refused, tmp_path):
        same = tmp_path / "out" / "p.npy"
        refused("expected a file of its own", probabilities_out=same, confidence_out=same)

    def test_not_a_circuit(self, refused, tmp_path):
        (tmp_path / "c.stim").write_text("TELEPORT 0\n")
        refused("expected a Stim circuit: Gate not found: 'TELEPORT'", circuit=tmp_path / "c.stim")

    def test_circuit_of_another_code(self, refused, tmp_path):
        from cascade_qec import circuits, codes

        circuits.memory(codes.get("surface_d5"), rounds=3).to_file(tmp_path / "d5.stim")
        refused("expected the checks of surface_d3", circuit=tmp_path / "d5.stim")

    def test_circuit_and_rounds(self, refused):
        refused("by --circuit, by --dem, or by --rounds and --basis, got --circuit and --rounds or --basis", rounds=3)

    def test_threshold_without_fallback(self, refused):
        refused("expected --fallback with --below, got --below alone", below=0.0)

    def test_threshold_that_is_no_confidence(self, refused):
        refused("above 0 and at most 1, got 1.5", fallback="tesseract", below=1.5)

    def test_unknown_fallback(self, refused):
        refused("'psychic'", fallback="psychic", below=0.9)

    def test_fallback_without_a_circuit(self, refused):
        message = "expected --circuit or --dem, to tell tesseract how likely errors are, got neither"
        refused(message, fallback="tesseract", below=0.9, circuit=None, rounds=4, basis="X")

    def test_circuit_and_dem(self, refused, sampled):
        refused("got --circuit and --dem", dem=sampled[0] / "c.dem")

    def test_dem_for_a_circuit(self, refused, sampled):
        refused("expected a Stim circuit, got a detector error model by", circuit=sampled[0] / "c.dem")

    def test_circuit_for_a_dem(self, refused, sampled):
        refused("c.stim: expected a detector error model", circuit=None, dem=sampled[0] / "c.stim")
