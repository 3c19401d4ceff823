"""Numbers of rounds that a model was not measured at: refused, or decoded without a confidence."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import stim

from cascade_qec import decoders, load
from cascade_qec.cli import main
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.escalation import EscalatingDecoder
from cascade_qec.decoders.sinter import sinter_decoders
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.model import Calibration

REFUSED = r"model tiny was measured at 3 rounds, got an experiment of 5: local models decode any number, and with"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network with a calibration, as training gives it."""
    decoder = CascadeDecoder.untrained("surface_d3", width=8, depth=1, seed=3)
    worth = Calibration(raw=[0], log_odds=[0.1], before=1, beyond=0.5, noise=[0.005], shots=100)
    decoder.description = decoder.description.model_copy(update={"name": "tiny", "calibration": worth})
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    decoder.save(path)
    return path


@pytest.fixture(scope="module")
def circuit(model: Path) -> stim.Circuit:
    return load(model, device="cpu").experiment(0.003, rounds=5)


def test_other_rounds_are_refused(model: Path, circuit: stim.Circuit) -> None:
    dem = circuit.detector_error_model()
    decoder = load(model, device="cpu")
    for bind in (
        lambda: decoder.bind(circuit),
        lambda: decoder.bind(rounds=5),
        lambda: load(model, dem=dem, device="cpu"),
        lambda: load(model, circuit=circuit, device="cpu", fallback="pymatching", below=0.9),
        lambda: decoders.get(f"cascade:{model}").bind(circuit),
        lambda: pickle.loads(pickle.dumps(decoder)).bind(circuit),
    ):
        with pytest.raises(CascadeError, match=REFUSED):
            bind()


def test_those_that_ask_for_it_get_observables_and_no_confidence(model: Path, circuit: stim.Circuit) -> None:
    events = circuit.compile_detector_sampler(seed=1).sample(50)
    decoder = load(model, device="cpu", allow_unmeasured=True)
    for asked in (decoder, pickle.loads(pickle.dumps(decoder))):
        with pytest.warns(CascadeWarning, match="made for 3 rounds and is bound to an experiment with 5"):
            bound = asked.bind(circuit)
        result = bound.decode_batch(events)
        assert (result.probabilities, result.log_odds, result.confidence) == (None, None, None)
        assert result.observables.shape == (50, 1)
        assert "log-odds" not in repr(result)
    sure = decoder.bind().decode_batch(np.zeros((1, 24), np.bool_))
    assert sure.log_odds is not None


@pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning")
def test_thresholds_want_a_confidence_when_they_are_bound(model: Path, circuit: stim.Circuit) -> None:
    decoder = load(model, device="cpu", allow_unmeasured=True)
    with pytest.raises(CascadeError, match="expected a decoder whose confidence was measured, got cascade:tiny"):
        EscalatingDecoder(decoder, decoders.get("pymatching"), 0.9).bind(circuit)
    with pytest.raises(CascadeError, match="expected a decoder whose confidence was measured, got cascade:"):
        decoders.get(f"cascade:{model}@0.9", device="cpu", allow_unmeasured=True).bind(circuit)


def test_a_model_without_a_calibration_tells_no_confidence(model: Path) -> None:
    decoder = load(model, device="cpu")
    decoder.description = decoder.description.model_copy(update={"calibration": None})
    bound = decoder.bind()
    assert not bound.tells_confidence
    assert bound.decode_batch(np.zeros((2, 24), np.bool_)).confidence is None


def test_the_calibration_says_how_sure_and_not_what(model: Path) -> None:
    decoder = load(model, device="cpu")
    events = decoder.experiment(0.01).compile_detector_sampler(seed=2).sample(100)
    before = CascadeDecoder.untrained("surface_d3", width=8, depth=1, seed=3).bind().decode_batch(events)
    after = decoder.bind().decode_batch(events)
    np.testing.assert_array_equal(after.observables, before.observables)
    np.testing.assert_allclose(after.log_odds, 0.1 + 0.5 * before.log_odds, rtol=1e-4)
    right = np.where(after.observables, after.probabilities, 1 - after.probabilities)[:, 0]
    np.testing.assert_allclose(right, after.confidence, rtol=1e-5)


@pytest.mark.filterwarnings("default::cascade_qec.errors.CascadeWarning")
def test_sinter_and_the_command_line(model: Path, circuit: stim.Circuit, tmp_path: Path, capsys) -> None:
    dem = load("surface_d3", device="cpu").experiment(0.003, rounds=12).detector_error_model()
    with pytest.raises(CascadeError, match="surface_d3 was measured at 1 to 9 rounds"):
        sinter_decoders()["cascade:surface_d3"].compile_decoder_for_dem(dem=dem)  # pyright: ignore
    with pytest.warns(CascadeWarning, match="made for 1 to 9 rounds"):
        sinter_decoders(allow_unmeasured=True)["cascade:surface_d3"].compile_decoder_for_dem(dem=dem)  # pyright: ignore
    circuit.to_file(tmp_path / "c.stim")
    circuit.compile_detector_sampler(seed=1).sample_write(20, filepath=tmp_path / "s.b8", format="b8")
    files = ["--circuit", f"{tmp_path}/c.stim", "--in", f"{tmp_path}/s.b8", "--out", f"{tmp_path}/o.b8"]
    line = ["decode", "--model", str(model), "--device", "cpu", *files]
    assert main(line) == 2
    assert "(--allow_unmeasured)" in capsys.readouterr().err
    assert not (tmp_path / "o.b8").exists()
    assert main([*line, "--allow_unmeasured", "--confidence_out", str(tmp_path / "c.npy")]) == 2
    assert "expected a decoder that knows probabilities and confidence" in capsys.readouterr().err
    assert main([*line, "--allow_unmeasured"]) == 0


def test_a_network_that_overflows_decides_nothing(model: Path) -> None:
    decoder = load(model, device="cpu")
    changed = {"head.output": np.finfo(np.float32).max, "head.hidden_bias": 100}
    state = {
        name: np.full_like(array, changed[name]) if name in changed else array for name, array in decoder.state.items()
    }
    bound = CascadeDecoder(state, decoder.description).bind()
    with pytest.raises(CascadeError, match="expected finite numbers from the network"):
        bound.decode_batch(np.zeros((2, 24), np.bool_))


@pytest.mark.filterwarnings("error::cascade_qec.errors.CascadeWarning")
def test_noise_beyond_what_models_are_measured_at_is_warned_of() -> None:
    decoder = load("bb72", device="cpu")
    decoder.bind(decoder.experiment(0.006))  # cards go so far
    with pytest.warns(CascadeWarning, match="its noise is as strong as"):
        decoder.bind(decoder.experiment(0.008))
