"""``cascade export``, and ``cascade decode`` with what it wrote."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import stim

from cascade_qec import load
from cascade_qec.cli import main
from cascade_qec.decoders.onnx import load_onnx

pytestmark = pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning")


@pytest.fixture(scope="module")
def folder(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a circuit, its shots, and a decoder exported for it."""
    folder = tmp_path_factory.mktemp("exported")
    circuit = load(tiny_model, device="cpu").experiment(0.02, rounds=4, basis="X")
    circuit.to_file(folder / "c.stim")
    circuit.detector_error_model().to_file(folder / "c.dem")
    events, flips = circuit.compile_detector_sampler(seed=1).sample(100, separate_observables=True)
    stim.write_shot_data_file(data=events, path=folder / "shots.b8", format="b8", num_detectors=circuit.num_detectors)
    stim.write_shot_data_file(data=flips, path=folder / "truth.01", format="01", num_observables=1)
    export = ["export", str(tiny_model), "--circuit", str(folder / "c.stim"), "--out", str(folder / "m.onnx")]
    assert main(export) == 0
    return folder


def decode(model: Path, folder: Path, out: Path, *arguments: object) -> int:
    files = ("--in", folder / "shots.b8", "--out", out)
    return main(["decode", "--model", str(model), *map(str, (*files, *arguments))])


def test_exported_decoders_decode_files(tiny_model, folder, tmp_path, capsys):
    exact, own = tmp_path / "exact.01", tmp_path / "own.01"
    more = ("--obs_in", folder / "truth.01", "--probabilities_out", tmp_path / "p.npy")
    assert decode(folder / "m.onnx", folder, own, *more, "--confidence_out", tmp_path / "c.npy") == 0
    assert "shots: 100\nfailures: " in capsys.readouterr().out
    assert decode(tiny_model, folder, exact, "--circuit", folder / "c.stim", "--device", "cpu") == 0
    assert own.read_bytes() == exact.read_bytes()
    assert np.load(tmp_path / "p.npy").shape == (100, 1)


def test_flags_and_what_is_printed(tiny_model, tmp_path, capsys):
    own = ("--rounds", "4", "--basis", "X", "--layout", "ising", "--precision", "float16")
    assert main(["export", str(tiny_model), *own, "--out", str(tmp_path / "m.onnx")]) == 0
    assert capsys.readouterr().out == f"float16 decoder: {tmp_path / 'm.onnx'}\n"
    told = load_onnx(tmp_path / "m.onnx").metadata
    assert (told["rounds"], told["basis"], told["layout"], told["precision"]) == ("4", "X", "ising", "float16")


def test_the_experiment_once(tiny_model, folder, tmp_path, capsys):
    both = ("--circuit", str(folder / "c.stim"), "--dem", str(folder / "c.dem"))
    assert main(["export", str(tiny_model), *both, "--out", str(tmp_path / "m.onnx")]) == 2
    assert capsys.readouterr().err.startswith("Error: expected the experiment once")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("flags", [("--circuit", "c.stim"), ("--basis", "X"), ("--precision", "float32")])
def test_an_exported_decoder_has_its_experiment(flags, folder, tmp_path, capsys):
    flag, value = flags
    value = folder / value if (folder / value).exists() else value
    assert decode(folder / "m.onnx", folder, tmp_path / "out.01", flag, value) == 2
    error = capsys.readouterr().err
    assert f"expected an exported decoder without --{flag[2:] if flag != '--basis' else 'rounds or --basis'}" in error
    assert error.count("\n") == 1


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _changed(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _foreign(content: bytes) -> bytes:
    helper = onnx.helper
    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [value],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])],
    )
    return helper.make_model(graph).SerializeToString()


@pytest.mark.parametrize("damage", [_cut, _changed, _foreign, lambda content: b""])
def test_damaged_and_foreign_files_are_told_in_one_line(damage, folder, tmp_path, capsys):
    path = tmp_path / "bad.onnx"
    path.write_bytes(damage((folder / "m.onnx").read_bytes()))
    assert decode(path, folder, tmp_path / "out.01") == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"Error: {path}: ")
    assert captured.err.count("\n") == 1
    assert not captured.out


def test_a_file_that_is_not_there(folder, tmp_path, capsys):
    assert decode(tmp_path / "none.onnx", folder, tmp_path / "out.01") == 2
    assert "none.onnx: expected a file to read, found nothing of that name" in capsys.readouterr().err
