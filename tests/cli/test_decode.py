"""``cascade decode``: files in, files out, through the public doors."""

import signal
from pathlib import Path

import numpy as np
import pytest
import stim

from cascade_qec import CascadeDecoder, load
from cascade_qec.cli import main
from cascade_qec.decoders import file_decoding

# Round counts other than a model's own are warned of; these tests want small and odd ones.
pytestmark = pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning")

SHOTS = 100


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
    monkeypatch.setattr(file_decoding, "_BATCH_SHOTS", 7)
    folder, _, _, obs = sampled
    files = (
        "--in",
        folder / "shots.b8",
        "--obs_in",
        folder / "truth.01",
        "--out",
        tmp_path / "predictions.hits",
    )
    probabilities = ("--probabilities_out", tmp_path / "p.npy")
    assert decode(tiny_model, "--circuit", folder / "c.dem", *files, *probabilities) == 0
    predictions = stim.read_shot_data_file(path=tmp_path / "predictions.hits", format="hits", num_observables=1)
    np.testing.assert_array_equal(predictions, expected.observables)
    written = np.load(tmp_path / "p.npy")
    assert (written.dtype, written.shape) == (np.float32, (SHOTS, 1))
    np.testing.assert_allclose(written, expected.probabilities, atol=1e-6)
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


def test_no_shots(tiny_model, sampled, tmp_path, capsys):
    (tmp_path / "none.b8").write_bytes(b"")
    files = (
        "--in",
        tmp_path / "none.b8",
        "--out",
        tmp_path / "out.b8",
        "--probabilities_out",
        tmp_path / "p.npy",
    )
    assert decode(tiny_model, "--circuit", sampled[0] / "c.stim", *files) == 0
    assert (tmp_path / "out.b8").read_bytes() == b""
    assert np.load(tmp_path / "p.npy").shape == (0, 1)
    assert "shots: 0\n" in capsys.readouterr().out


def test_termination_leaves_no_file(tiny_model, sampled, tmp_path, monkeypatch):
    """SIGTERM in the midst of decoding: outputs already begun are removed."""

    def terminate(self: CascadeDecoder, dets: np.ndarray) -> None:
        assert len(list(tmp_path.iterdir())) == 2
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(CascadeDecoder, "decode_batch", terminate)
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

    def test_truncated_shots(self, refused, sampled, tmp_path):
        contents = (sampled[0] / "shots.b8").read_bytes()
        (tmp_path / "cut.b8").write_bytes(contents[:-1])
        refused("more bytes after 99 whole shots", **{"in": tmp_path / "cut.b8"})

    def test_shots_of_another_circuit(self, refused, sampled):
        refused("expected at most 24 characters", circuit=None, rounds=3, **{"in": sampled[0] / "shots.01"})

    def test_missing_shots(self, refused, tmp_path):
        refused("found nothing of that name", **{"in": tmp_path / "none.b8"})

    def test_unknown_ending(self, refused, tmp_path):
        refused("expected --in_format among", **{"in": tmp_path / "shots.bin"})

    def test_truth_of_other_length(self, refused, tmp_path):
        (tmp_path / "truth.01").write_text("0\n" * 99)
        refused(f"expected {SHOTS} shots as in", obs_in=tmp_path / "truth.01")

    def test_out_over_in(self, refused, sampled):
        refused("expected a file of its own", out=sampled[0] / "shots.b8")

    def test_out_in_a_missing_folder(self, refused, tmp_path):
        refused("cannot be written", out=tmp_path / "none" / "predictions.b8")

    def test_probabilities_in_a_missing_folder(self, refused, tmp_path):
        refused("cannot be written", probabilities_out=tmp_path / "none" / "p.npy")

    def test_not_a_circuit(self, refused, tmp_path):
        (tmp_path / "c.stim").write_text("TELEPORT 0\n")
        refused("expected a Stim circuit: Gate not found: 'TELEPORT'", circuit=tmp_path / "c.stim")

    def test_circuit_of_another_code(self, refused, tmp_path):
        from cascade_qec import circuits, codes

        circuits.memory(codes.get("surface_d5"), rounds=3).to_file(tmp_path / "d5.stim")
        refused("is no check of surface_d3", circuit=tmp_path / "d5.stim")

    def test_circuit_and_rounds(self, refused):
        refused("expected either --circuit or --rounds and --basis, got both", rounds=3)
