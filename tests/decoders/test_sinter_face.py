"""Cascade in sinter's hands."""

import pickle

import numpy as np
import pytest
import sinter
import stim

import cascade_qec
from cascade_qec import load
from cascade_qec.decoders import classical
from cascade_qec.decoders.sinter_face import SinterCascade
from cascade_qec.errors import CascadeError


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
    decoders = cascade_qec.sinter_decoders()
    assert list(decoders) == [*(f"cascade:{name}" for name in cascade_qec.zoo.names()), *classical.names()]
    assert all(isinstance(decoder, sinter.Decoder) for decoder in decoders.values())
    assert pickle.loads(pickle.dumps(decoders)) == decoders


@pytest.mark.parametrize("name", ["pymatching", "bplsd", "relay-bp-filtered", "tesseract"])
def test_classical_decoder_with_the_model_that_sinter_makes(name, circuit):
    dets = circuit.compile_detector_sampler(seed=1).sample(200)
    compiled = cascade_qec.sinter_decoders()[name].compile_decoder_for_dem(
        dem=circuit.detector_error_model(decompose_errors=True)
    )
    predictions = compiled.decode_shots_bit_packed(
        bit_packed_detection_event_data=np.packbits(dets, axis=1, bitorder="little")
    )
    method = classical.get(name)
    expected = method.compile(circuit.detector_error_model(decompose_errors=method.decomposed)).predict(dets)
    # Not always the same: the mechanisms come in another order.
    assert (predictions == np.packbits(expected, axis=1, bitorder="little")).mean() > 0.98


def test_compiled_decoder_after_a_journey_by_pickle(tiny_model, circuit, shots):
    packed, expected = shots
    decoder = pickle.loads(pickle.dumps(SinterCascade(str(tiny_model), device="cpu")))
    compiled = decoder.compile_decoder_for_dem(dem=circuit.detector_error_model())
    predictions = compiled.decode_shots_bit_packed(bit_packed_detection_event_data=packed)
    assert predictions.dtype == np.uint8
    np.testing.assert_array_equal(predictions, expected)


@pytest.mark.parametrize("wrong", [np.zeros((5, 9), np.uint8), np.zeros((5, 3), np.bool_), np.zeros(3, np.uint8)])
def test_wrong_arrays_are_refused(tiny_model, circuit, wrong):
    compiled = SinterCascade(str(tiny_model)).compile_decoder_for_dem(dem=circuit.detector_error_model())
    with pytest.raises(CascadeError, match=r"expected uint8 \[shots, 3\] for 24 detectors, got"):
        compiled.decode_shots_bit_packed(bit_packed_detection_event_data=wrong)


def test_via_files(tiny_model, circuit, shots, tmp_path):
    packed, expected = shots
    circuit.detector_error_model().to_file(tmp_path / "c.dem")
    packed.tofile(tmp_path / "dets.b8")
    SinterCascade(str(tiny_model), device="cpu").decode_via_files(
        num_shots=50,
        num_dets=circuit.num_detectors,
        num_obs=1,
        dem_path=tmp_path / "c.dem",
        dets_b8_in_path=tmp_path / "dets.b8",
        obs_predictions_b8_out_path=tmp_path / "predictions.b8",
        tmp_dir=tmp_path,
    )
    np.testing.assert_array_equal(np.fromfile(tmp_path / "predictions.b8", np.uint8)[:, None], expected)


def test_collect(tiny_model, circuit):
    (stats,) = sinter.collect(
        num_workers=1,
        max_shots=200,
        tasks=[sinter.Task(circuit=circuit, decoder="tiny")],
        custom_decoders={"tiny": SinterCascade(str(tiny_model), device="cpu")},
    )
    assert stats.shots == 200
    assert 0 <= stats.errors <= 200
