"""Real decoders, timed for a moment."""

import sys
from pathlib import Path

import numpy as np
import pytest
import stim

import cascade_qec as cascade
from cascade_qec.decoders import classical
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.latency.entrants import cascade_entrant, classical_entrant, ready_entrants
from cascade_qec.evaluation.latency.timing import sample_shots, time_decoders

# Strong noise, so that a few shots tell, is warned of.
pytestmark = pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning")


@pytest.fixture(scope="module")
def decoder(tiny_model: Path) -> CascadeDecoder:
    return cascade.load(tiny_model, device="cpu", precision="float32")


@pytest.fixture(scope="module")
def circuit(decoder: CascadeDecoder) -> stim.Circuit:
    return decoder.experiment(0.02)


def test_an_entrant_decodes_as_the_decoder_itself(decoder: CascadeDecoder, circuit: stim.Circuit) -> None:
    entrant = cascade_entrant("tiny", decoder, circuit)
    assert (entrant.name, entrant.device, entrant.precision, entrant.threads) == ("cascade:tiny", "cpu", "float32", 1)
    dets, _ = circuit.compile_detector_sampler(seed=9).sample(40, separate_observables=True)
    shots = sample_shots(circuit, 40, seed=9)
    np.testing.assert_array_equal(entrant.decode(shots.events), decoder.decode_batch(dets).observables)


@pytest.mark.parametrize("name", ["pymatching", "pymatching-filtered"])
def test_a_rival_decodes_as_it_does_elsewhere(name: str, circuit: stim.Circuit) -> None:
    rival = classical.get(name)
    entrant = classical_entrant(rival, circuit)
    dets, _ = circuit.compile_detector_sampler(seed=9).sample(200, separate_observables=True)
    dem = circuit.detector_error_model(decompose_errors=rival.decomposed, flatten_loops=True)
    predicted = entrant.decode(sample_shots(circuit, 200, seed=9).events)
    np.testing.assert_array_equal(predicted, rival.bind(dem).predict(dets))
    assert predicted.any()
    assert (entrant.name, entrant.device, entrant.threads) == (name, "cpu", 1)


def test_settings_of_a_rival_are_recorded(circuit: stim.Circuit) -> None:
    entrant = classical_entrant(classical.get("pymatching-correlated"), circuit)
    assert entrant.parameters == "enable_correlations=True"


def test_side_by_side_by_the_real_clock(decoder: CascadeDecoder, circuit: stim.Circuit) -> None:
    """Seed 10, 100 shots: at p = 2 % matching fails on a sixth of them, an untrained network on half."""
    entrants = ready_entrants({"tiny": decoder}, [classical.get("pymatching")], circuit, skipped=pytest.fail)
    ours, matching = time_decoders(entrants, sample_shots(circuit, 100, seed=10), seconds=100.0, turns=2)
    assert ours.shots == matching.shots == 100
    assert 0 < np.median(matching.seconds) < np.median(ours.seconds)
    assert 0 < matching.failures < ours.failures


def test_who_cannot_take_part_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = CascadeDecoder.untrained("bb72", width=4, depth=1)
    circuit = decoder.experiment(0.001, rounds=6)
    monkeypatch.setitem(sys.modules, "tesseract_decoder", None)
    told: list[str] = []
    entrants = ready_entrants(
        {"bb": decoder}, [classical.get("pymatching"), classical.get("tesseract")], circuit, skipped=told.append
    )
    assert [entrant.name for entrant in entrants] == ["cascade:bb"]
    assert len(told) == 2
    assert told[0].startswith("left out: pymatching cannot decode this circuit: Failed to decompose errors")
    assert told[1].startswith("left out: tesseract needs the package")


def test_a_circuit_of_another_code_is_told(decoder: CascadeDecoder) -> None:
    other = CascadeDecoder.untrained("bb72", width=4, depth=1).experiment(0.001)
    with pytest.raises(CascadeError, match="expected the checks of surface_d3"):
        cascade_entrant("tiny", decoder, other)
