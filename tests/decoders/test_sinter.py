"""Cascade in sinter's hands."""

# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

import pickle
import subprocess
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import sinter
import stim

import cascade_qec
from cascade_qec import decoders, load
from cascade_qec.decoders import classical
from cascade_qec.decoders.sinter import SinterDecoder
from cascade_qec.errors import CascadeError

# Strong noise makes few shots enough; the network is told of it, and has learnt nothing anyway.
pytestmark = pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning")


def _sinter(model: Path, threshold: float | None = None) -> SinterDecoder:
    at = "" if threshold is None else f"@{threshold!r}"
    return SinterDecoder(decoders.get(f"cascade:{model}{at}", device="cpu"))


@pytest.fixture(scope="module")
def circuit(tiny_model) -> stim.Circuit:
    return load(tiny_model, device="cpu").experiment(p=0.02, rounds=3, basis="Z")


@pytest.fixture(scope="module")
def shots(circuit, tiny_model):
    """Packed detection events, and the packed predictions of the same model."""
    dets = circuit.compile_detector_sampler(seed=1).sample(50)
    expected = load(tiny_model, circuit=circuit, device="cpu").decode_batch(dets).observables
    return np.packbits(dets, axis=1, bitorder="little"), np.packbits(expected, axis=1, bitorder="little")


def test_one_decoder_for_each_shipped_model_and_each_classical_name():
    found = cascade_qec.sinter_decoders()
    models = [f"cascade:{name}" for name in cascade_qec.zoo.names()]
    more = [f"{model}{more}" for model in models for more in ("@0.9", "@0.99", "@0.999", "+bposd-lowest")]
    others = [name for name in classical.names() if name not in ("pymatching", "pymatching-correlated")]
    assert list(found) == [*models, *more, *others]
    assert not set(found) & set(sinter.BUILT_IN_DECODERS)
    assert all(isinstance(decoder, sinter.Decoder) for decoder in found.values())
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize("name", ["pymatching-filtered", "bplsd", "relay-bp-filtered", "tesseract"])
def test_classical_decoder_with_the_model_that_sinter_makes(name, circuit):
    dets = circuit.compile_detector_sampler(seed=1).sample(200)
    compiled = cascade_qec.sinter_decoders()[name].compile_decoder_for_dem(
        dem=circuit.detector_error_model(decompose_errors=True)
    )
    predictions = compiled.decode_shots_bit_packed(
        bit_packed_detection_event_data=np.packbits(dets, axis=1, bitorder="little")
    )
    method = classical.get(name)
    expected = method.bind(circuit).decode_batch(dets).observables
    # Not always the same: the mechanisms come in another order.
    assert (predictions == np.packbits(expected, axis=1, bitorder="little")).mean() > 0.98


def test_compiled_decoder_after_a_journey_by_pickle(tiny_model, circuit, shots):
    packed, expected = shots
    decoder = pickle.loads(pickle.dumps(_sinter(tiny_model)))
    compiled = decoder.compile_decoder_for_dem(dem=circuit.detector_error_model())
    predictions = compiled.decode_shots_bit_packed(bit_packed_detection_event_data=packed)
    assert predictions.dtype == np.uint8
    np.testing.assert_array_equal(predictions, expected)


def test_shots_below_the_threshold_get_a_byte_that_discards_them(tiny_model, circuit, shots):
    packed, expected = shots
    confidence = load(tiny_model, circuit=circuit, device="cpu").decode_batch(packed, bit_packed=True).confidence
    threshold = float(np.median(confidence))
    decoder = pickle.loads(pickle.dumps(_sinter(tiny_model, threshold)))
    compiled = decoder.compile_decoder_for_dem(dem=circuit.detector_error_model())
    predictions = compiled.decode_shots_bit_packed(bit_packed_detection_event_data=packed)
    assert (predictions.dtype, predictions.shape) == (np.uint8, (50, 2))
    np.testing.assert_array_equal(predictions[:, :1], expected)
    np.testing.assert_array_equal(predictions[:, 1], confidence < threshold)
    assert 0 < predictions[:, 1].sum() < 50


def test_thresholds_by_argument_and_by_name():
    named = cascade_qec.sinter_decoders()
    assert named["cascade:surface_d3"] == SinterDecoder(decoders.get("cascade:surface_d3"))
    assert named["cascade:surface_d3@0.99"] == SinterDecoder(decoders.get("cascade:surface_d3@0.99"))
    paired = "cascade:surface_d3+bposd-lowest"
    assert named[paired] == SinterDecoder(decoders.get(paired))
    surer = cascade_qec.sinter_decoders(discard_below=0.8)["cascade:surface_d3"]
    assert surer == SinterDecoder(decoders.get("cascade:surface_d3@0.8"))
    for wrong in (0.0, -1.0, 1.5, float("nan")):
        with pytest.raises(CascadeError, match="expected a threshold of confidence above 0 and up to 1, got"):
            cascade_qec.sinter_decoders(discard_below=wrong)


@pytest.mark.parametrize("wrong", [np.zeros((5, 9), np.uint8), np.zeros((5, 3), np.bool_), np.zeros(3, np.uint8)])
def test_wrong_arrays_are_refused(tiny_model, circuit, wrong):
    compiled = _sinter(tiny_model).compile_decoder_for_dem(dem=circuit.detector_error_model())
    matching = cascade_qec.sinter_decoders()["bposd"]
    for decoder in (
        compiled,
        matching.compile_decoder_for_dem(dem=circuit.detector_error_model(decompose_errors=True)),
    ):
        with pytest.raises(CascadeError, match=r"expects bit-packed detection events (of shape|as uint8).*, got"):
            decoder.decode_shots_bit_packed(bit_packed_detection_event_data=wrong)


@pytest.mark.parametrize("format", ["b8", "01", "dets"])
def test_sinter_predicts_files_with_it(format, tiny_model, circuit, shots, tmp_path):
    packed, expected = shots
    circuit.detector_error_model().to_file(tmp_path / "c.dem")
    dets = np.unpackbits(packed, axis=1, count=circuit.num_detectors, bitorder="little").view(np.bool_)
    stim.write_shot_data_file(data=dets, path=tmp_path / "in", format=format, num_detectors=circuit.num_detectors)

    def predict(decoder: SinterDecoder) -> None:
        sinter.predict_on_disk(
            decoder="tiny",
            dem_path=tmp_path / "c.dem",
            dets_path=tmp_path / "in",
            dets_format=format,
            obs_out_path=tmp_path / "out",
            obs_out_format=format,
            custom_decoders={"tiny": decoder},
        )

    # Such a file has no place for discards, and to lose them silently would be wrong.
    with pytest.raises(CascadeError, match=r"cannot tell of discards, got one that discards below 0\.9"):
        predict(_sinter(tiny_model, 0.9))
    assert not (tmp_path / "out").exists()
    predict(_sinter(tiny_model))
    predictions = stim.read_shot_data_file(path=tmp_path / "out", format=format, num_observables=1, bit_packed=True)
    np.testing.assert_array_equal(predictions, expected)


@pytest.mark.slow
def test_collect_with_and_without_discards(tiny_model, circuit):
    dets, obs = circuit.compile_detector_sampler(seed=3).sample(4000, separate_observables=True)
    result = load(tiny_model, circuit=circuit, device="cpu").decode_batch(dets)
    threshold = float(np.median(result.confidence))
    asked = {
        "all": _sinter(tiny_model),
        "sure": _sinter(tiny_model, threshold),
    }
    stats = sinter.collect(
        num_workers=2,
        max_shots=4000,
        tasks=[sinter.Task(circuit=circuit, decoder=name) for name in asked],
        custom_decoders=asked,
    )
    by_name = {one.decoder: one for one in stats}
    assert (by_name["all"].shots, by_name["all"].discards) == (4000, 0)
    kept = result.confidence >= threshold
    wrong = (result.observables != obs).any(axis=1)
    _assert_near(by_name["all"].errors, wrong.sum())
    _assert_near(by_name["sure"].discards, (~kept).sum())
    _assert_near(by_name["sure"].errors, (wrong & kept).sum())


def _written_otherwise(circuit: stim.Circuit) -> stim.Circuit:
    """The same experiment without coordinates, with the detectors of each round the other way round."""
    written, run = stim.Circuit(), []
    for instruction in circuit.flattened():
        if instruction.name == "DETECTOR":
            run.append(stim.CircuitInstruction("DETECTOR", instruction.targets_copy()))
        elif instruction.name not in ("QUBIT_COORDS", "SHIFT_COORDS"):
            for detector in [*reversed(run), instruction]:
                written.append(detector)
            run = []
    return written


@pytest.mark.slow
def test_a_circuit_that_is_not_ours():
    """Sinter hands over an error model; what its detectors are is found out as `load` does."""
    ours = load("surface_d3", device="cpu").experiment(p=0.006, basis="X")
    other = _written_otherwise(ours)
    assert other.num_detectors == ours.num_detectors
    assert not any(other.get_detector_coordinates().values())
    dets, obs = ours.compile_detector_sampler(seed=5).sample(4000, separate_observables=True)
    wrong = (load("surface_d3", circuit=ours, device="cpu").decode_batch(dets).observables != obs).any(axis=1)
    (stats,) = sinter.collect(
        num_workers=1,
        max_shots=4000,
        tasks=[sinter.Task(circuit=other)],
        decoders=["cascade:surface_d3"],
        custom_decoders=cascade_qec.sinter_decoders(),
    )
    assert stats.shots == 4000
    _assert_near(stats.errors, wrong.sum())


def test_a_circuit_of_another_code_is_refused():
    dem = load("surface_d5", device="cpu").experiment(p=0.005).detector_error_model(flatten_loops=True)
    with pytest.raises(CascadeError, match=r"surface_d3's checks.* got 120 detectors"):
        cascade_qec.sinter_decoders()["cascade:surface_d3"].compile_decoder_for_dem(dem=dem)


def _assert_near(count: int, other: int, shots: int = 4000) -> None:
    """Two counts of equally many independent shots: equal rates differ more with a probability below 1e-6."""
    rate = (count + other) / (2 * shots)
    assert 0.02 < rate < 0.98
    assert abs(count - other) < 5 * (2 * shots * rate * (1 - rate)) ** 0.5


@pytest.mark.slow
def test_the_command_sinter_collect(tmp_path):
    """Named thresholds, as the command line calls the function without arguments."""
    circuit = load("surface_d3", device="cpu").experiment(p=0.01)
    circuit.to_file(tmp_path / "c.stim")
    command = [
        Path(sysconfig.get_path("scripts")) / "sinter",
        *("collect", "--circuits", tmp_path / "c.stim", "--processes", "1", "--max_shots", "500", "--quiet"),
        *("--custom_decoders_module_function", "cascade_qec:sinter_decoders"),
        *("--decoders", "cascade:surface_d3@0.99", "--save_resume_filepath", tmp_path / "c.csv"),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (stats,) = sinter.stats_from_csv_files(tmp_path / "c.csv")
    assert (stats.decoder, stats.shots) == ("cascade:surface_d3@0.99", 500)
    # A third of the shots are less sure than that at this noise; 90 from the mean are eight standard deviations.
    assert 90 < stats.discards < 270
