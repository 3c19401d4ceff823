"""Exported graphs say what the decoders say that they were exported from."""

# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pymatching
import pytest
import stim

from cascade_qec import load
from cascade_qec.circuits import UniformDepolarizing
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.onnx import load_onnx
from cascade_qec.engine import Decision
from cascade_qec.errors import CascadeError
from cascade_qec.export import export_onnx
from cascade_qec.export.decision import decided
from cascade_qec.export.graph import Graph
from cascade_qec.model import Calibration, load_model
from cascade_qec.zoo import registry
from cascade_qec.zoo.checksum import Checksum
from tests.decoders.test_likely_errors import with_likely
from tests.recognition.test_both_bases import choi_memory

# What the experiments here are made for is not accuracy.
pytestmark = pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning")

OPERATORS = {
    *(
        "Add",
        "Cast",
        "Concat",
        "Div",
        "Equal",
        "Exp",
        "Floor",
        "Identity",
        "Log",
        "Max",
        "Min",
        "Mul",
        "Neg",
        "Sigmoid",
    ),
    *("ArgMax", "Gather", "MatMul", "Pad", "ReduceMax", "ReduceSum", "Reshape", "Sub", "Where"),
}
NOISE = {"after_clifford_depolarization": 0.006, "before_measure_flip_probability": 0.006}


@pytest.fixture(scope="module")
def models(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    bicycle = tmp_path_factory.mktemp("models") / "bicycle.safetensors"
    decoder = CascadeDecoder.untrained("bb72", width=8, depth=1)
    network = decoder.description.network.model_copy(update={"segment_rounds": 1})
    CascadeDecoder(decoder.state, decoder.description.model_copy(update={"network": network})).save(bicycle)
    return {"surface": tiny_model, "bicycle": bicycle}


def same(model: Path | str, out: Path, experiment: stim.Circuit | stim.DetectorErrorModel, events: np.ndarray) -> None:
    """Check that an exported decoder says what the decoder in NumPy says, at several sizes of batch."""
    which = "circuit" if isinstance(experiment, stim.Circuit) else "dem"
    export_onnx(model, out, **{which: experiment})
    expected = load(model, device="cpu", runtime="numpy").bind(experiment).decode_batch(events)
    exported = load_onnx(out)
    for shots in (len(events), 1, 5, 0):
        found: Any = exported.decode_batch(events[:shots])
        np.testing.assert_array_equal(found.observables, expected.observables[:shots])
        np.testing.assert_allclose(found.probabilities, expected.probabilities[:shots], atol=1e-4)
        np.testing.assert_allclose(found.log_odds, expected.log_odds[:shots], rtol=1e-4, atol=1e-4)
        assert (found.observables.dtype, found.probabilities.dtype) == (np.bool_, np.float32)
    packed = np.packbits(events, axis=1, bitorder="little")
    np.testing.assert_array_equal(exported.decode_batch(packed, bit_packed=True).observables, expected.observables)


def outputs(model: Path | bytes, inputs: dict[str, Any]) -> list[Any]:
    return list(onnxruntime.InferenceSession(model).run(None, inputs))


def shots(experiment: stim.Circuit, count: int = 70) -> np.ndarray:
    return experiment.compile_detector_sampler(seed=3).sample(count)


@pytest.mark.parametrize(("model", "basis"), [("surface", "Z"), ("surface", "X"), ("bicycle", "X")])
def test_a_graph_says_what_the_decoder_says(model, basis, models, tmp_path):
    circuit = load(models[model], device="cpu", runtime="numpy").experiment(0.01, rounds=2, basis=basis)
    same(models[model], tmp_path / "m.onnx", circuit, shots(circuit))


def test_a_trained_and_calibrated_model(tmp_path):
    circuit = load("surface_d3", device="cpu", runtime="numpy").experiment(0.008)
    same("surface_d3", tmp_path / "m.onnx", circuit, shots(circuit, 500))


def test_a_foreign_circuit_whose_observable_is_turned_by_a_detector(tmp_path):
    circuit = stim.Circuit.generated("surface_code:rotated_memory_x", distance=3, rounds=3, **NOISE)
    last = [each for each in circuit.flattened() if each.name == "DETECTOR"][-1]
    circuit.append("OBSERVABLE_INCLUDE", last.targets_copy(), 0)
    assert load("surface_d3", circuit=circuit, device="cpu", runtime="numpy").observables.detectors.any()
    same("surface_d3", tmp_path / "m.onnx", circuit, shots(circuit))


def test_detectors_in_another_order(tmp_path):
    circuit = stim.Circuit.generated("surface_code:rotated_memory_x", distance=3, rounds=3, **NOISE)
    dem = circuit.detector_error_model(flatten_loops=True)
    order = np.random.default_rng(5).permutation(dem.num_detectors)
    shuffled = stim.DetectorErrorModel()
    for each in dem.flattened():
        targets = [
            stim.target_relative_detector_id(int(order[target.val])) if target.is_relative_detector_id() else target
            for target in each.targets_copy()
        ]
        shuffled.append(each.type, each.args_copy() if each.type == "error" else [], targets)
    events = np.empty_like(shots(circuit))
    events[:, order] = shots(circuit)
    same("surface_d3", tmp_path / "m.onnx", shuffled, events)


def test_errors_likelier_than_not(tmp_path):
    dem, _, _ = with_likely()
    same("surface_d3", tmp_path / "m.onnx", dem, dem.compile_sampler(seed=4).sample(70)[0])


def test_both_bases_at_once(models, tmp_path):
    decoder = load(models["surface"], device="cpu", runtime="numpy")
    circuit = choi_memory(decoder.code, 3, UniformDepolarizing(0.01))
    bound = decoder.bind(circuit)
    assert len(bound.recognition.parts) == 2
    same(models["surface"], tmp_path / "m.onnx", circuit, shots(circuit))
    assert load_onnx(tmp_path / "m.onnx").metadata["basis"] == "X and Z"


def test_a_local_model_ends_at_its_log_odds(tmp_path):
    circuit = stim.Circuit.generated("surface_code:rotated_memory_z", distance=3, rounds=2, **NOISE)
    export_onnx("local_surface", tmp_path / "m.onnx", circuit=circuit)
    bound = load("local_surface", circuit=circuit, device="cpu", runtime="numpy")
    events = shots(circuit, 7)
    (found,) = outputs(tmp_path / "m.onnx", {"detection_events": events.view(np.uint8)})
    expected = bound.parts[0].log_odds(np.packbits(events, axis=1, bitorder="little"))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert (
        "matching"
        in {prop.key: prop.value for prop in onnx.load(tmp_path / "m.onnx").metadata_props}["cascade.log_odds"]
    )
    with pytest.raises(CascadeError, match=r"expected a decoder that decides observables, found .* log_odds"):
        load_onnx(tmp_path / "m.onnx")


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_precisions_names_and_operators(precision, tmp_path):
    paths = [tmp_path / "one.onnx", tmp_path / "two.onnx"]
    for path in paths:
        export_onnx("surface_d3", path, precision=precision)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    model = onnx.load(paths[0])
    extra = {"QuantizeLinear", "DequantizeLinear"} if precision == "int8" else set()
    assert {node.op_type for node in model.graph.node} <= OPERATORS | extra
    assert extra <= {node.op_type for node in model.graph.node}
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 17)]
    decoder = load("surface_d3", device="cpu", runtime="numpy")
    events = shots(decoder.experiment(0.005), 300)
    expected: Any = decoder.bind().decode_batch(events)
    found: Any = load_onnx(paths[0]).decode_batch(events)
    within = {"float32": 1e-5, "float16": 0.01, "int8": 0.2}[precision]
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=within)
    assert (found.observables != expected.observables).sum() <= 2


def test_metadata(tmp_path):
    weights = registry.path("surface_d3")
    export_onnx("surface_d3", tmp_path / "m.onnx", rounds=3, basis="X")
    exported = load_onnx(tmp_path / "m.onnx")
    told = exported.metadata
    assert told["weights_sha256"] == Checksum.of(weights).sha256
    assert told["card_sha256"] == Checksum.of(weights.with_suffix(".json")).sha256
    assert (told["model"], told["code"], told["rounds"], told["basis"]) == (
        "surface_d3",
        "surface_d3",
        "3",
        "X",
    )
    assert told["outputs"] == "observables probabilities confidence log_odds"
    assert Calibration.model_validate_json(told["calibration"]) == load_model(weights)[1].calibration
    assert (exported.num_detectors, exported.num_observables) == (24, 1)
    assert exported.name == "model surface_d3 (3 rounds, basis X, ONNX float32)"
    assert pickle.loads(pickle.dumps(exported)).metadata == told
    with pytest.raises(CascadeError, match=r"expects detection events of shape \[shots, 24\]"):
        exported.decode_batch(np.zeros((2, 23), bool))


def test_without_a_confidence(tmp_path):
    export_onnx("surface_d3", tmp_path / "m.onnx", rounds=10, allow_unmeasured=True)
    exported = load_onnx(tmp_path / "m.onnx")
    assert not exported.tells_confidence
    assert "calibration" not in exported.metadata
    assert exported.decode_batch(np.zeros((3, exported.num_detectors), bool)).log_odds is None


def test_a_model_that_nobody_calibrated(models, tmp_path):
    state, description = load_model(models["surface"])
    plain = CascadeDecoder(state, description.model_copy(update={"calibration": None}), device="cpu", runtime="numpy")
    plain.save(tmp_path / "plain.safetensors")
    export_onnx(tmp_path / "plain.safetensors", tmp_path / "m.onnx")
    assert load_onnx(tmp_path / "m.onnx").metadata["outputs"] == "observables"


def test_the_layout_of_predecoders(models, tmp_path):
    export_onnx("surface_d3", tmp_path / "m.onnx", layout="ising")
    decoder = load("surface_d3", device="cpu", runtime="numpy")
    events = shots(decoder.experiment(0.01))
    (found,) = outputs(tmp_path / "m.onnx", {"dets": events.view(np.uint8)})
    expected = decoder.bind().decode_batch(events).observables
    assert (found.dtype, found.shape) == (np.uint8, (len(events), 1 + events.shape[1]))
    np.testing.assert_array_equal(found[:, :1], expected)
    assert not found[:, 1:].any()
    np.testing.assert_array_equal(load_onnx(tmp_path / "m.onnx").decode_batch(events).observables, expected)
    with pytest.raises(CascadeError, match="one observable for the layout ising, got 12 observables"):
        export_onnx(models["bicycle"], tmp_path / "no.onnx", layout="ising")


def test_a_local_model_as_a_predecoder(tmp_path):
    """What its graph leaves is less, and matching explains it better than all of the events."""
    circuit = stim.Circuit.generated("surface_code:rotated_memory_x", distance=5, rounds=5, **NOISE)
    export_onnx("local_surface", tmp_path / "m.onnx", circuit=circuit, layout="ising")
    events, flips = circuit.compile_detector_sampler(seed=11).sample(600, separate_observables=True)
    (found,) = outputs(tmp_path / "m.onnx", {"dets": events.view(np.uint8)})
    assert (found.dtype, found.shape) == (np.uint8, (len(events), 1 + events.shape[1]))
    part = load("local_surface", circuit=circuit, runtime="numpy").parts[0]
    log_odds = part.log_odds(np.packbits(events, axis=1, bitorder="little"))
    clear = (np.abs(log_odds) > 1e-3).all(axis=1)  # beside a tie rounding decides
    observables, left = part.components.committed(log_odds, events)
    np.testing.assert_array_equal(found[clear], np.hstack([observables, left])[clear])
    own = np.unique(part.components.detector)
    assert left[:, own].sum() < 0.1 * events[:, own].sum()
    matching = pymatching.Matching.from_detector_error_model(circuit.detector_error_model(decompose_errors=True))
    plain, rest = (np.asarray(matching.decode_batch(each), dtype=bool) for each in (events, left))
    ours, plain = ((answer != flips).sum() for answer in (rest ^ observables, plain))
    # about 7 of these 600 fail by matching, a quarter fewer with the model: 8 more but with a probability below 1e-3
    assert ours < plain + 8
    with pytest.raises(CascadeError, match=r"decides observables, found a pre-decoder, which leaves events"):
        load_onnx(tmp_path / "m.onnx")


@pytest.mark.parametrize("wanted", [0, 1, 2, 3, 6])
def test_the_decision_is_that_in_numpy(wanted):
    """Fewer sums than observables, and more: several classes are one value, and some values have no class."""
    random = np.random.default_rng(wanted)
    logicals = np.vstack([np.eye(4), random.integers(0, 2, (9, 4))]).astype(np.uint8)
    sums = random.integers(0, 2, (max(wanted, 1), 4), dtype=np.uint8) * (wanted > 0)
    knots = Calibration(raw=[-1, 2, 3], log_odds=[-2, 0, 5], before=0.5, beyond=0.25, noise=[], shots=0)
    g = Graph()
    found = decided(g, "evidence", logicals, sums, knots)
    shapes = {name: (np.float32, ["shots", None]) for name in found}
    model = g.model({"evidence": (np.float32, ["shots", 13])}, shapes, {}, "")
    evidence = random.normal(scale=6, size=(40, 13)).astype(np.float32)
    observables, probabilities, log_odds = outputs(model.SerializeToString(), {"evidence": evidence})
    expected = Decision(logicals, sums)(evidence)
    worth = knots(expected.log_odds)
    np.testing.assert_array_equal(observables > 0, expected.observables)
    if not sums.any():  # nothing can be wrong
        assert (log_odds > 1e29).all()
        assert not probabilities.any()
        return
    np.testing.assert_allclose(log_odds[:, 0], worth, rtol=1e-4, atol=1e-4)
    wrong = expected.suspects / (1 + np.exp(worth))[:, None]
    np.testing.assert_allclose(probabilities, np.where(expected.observables, 1 - wrong, wrong), atol=1e-4)


@pytest.mark.parametrize("changes", [{"circuit": "c.stim", "dem": "c.dem"}, {"circuit": "c.stim", "basis": "X"}])
def test_the_experiment_is_given_once(changes, tmp_path):
    with pytest.raises(CascadeError, match=r"expected a circuit, an error model .* got two"):
        export_onnx("surface_d3", tmp_path / "m.onnx", **changes)


def test_too_many_observables():
    one = np.eye(13, dtype=np.uint8)
    with pytest.raises(CascadeError, match="at most 12 observables to export, got 13"):
        decided(Graph(), "evidence", one, one, None)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_packages_that_are_missing(package, models, tmp_path, monkeypatch):
    path = tmp_path / "m.onnx"
    export_onnx(models["surface"], path)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CascadeError, match=rf'needs the package {package}.*pip install "cascade-qec\[onnx\]"'):
        load_onnx(path) if package == "onnxruntime" else export_onnx(models["surface"], path)


def test_neither_pytorch_nor_onnx_is_needed_to_decode(models, tmp_path):
    export_onnx(models["surface"], tmp_path / "m.onnx")
    code = (
        "import sys, numpy; from cascade_qec.decoders.onnx import load_onnx; d = load_onnx(sys.argv[1]); "
        "d.decode_batch(numpy.zeros((2, d.num_detectors), bool)); sys.exit(bool({'torch', 'onnx'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "m.onnx"]).returncode == 0
