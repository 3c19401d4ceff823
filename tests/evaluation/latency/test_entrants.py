"""Real decoders, timed for a moment."""

import sys
from pathlib import Path

import numpy as np
import pytest
import stim
from numpy.typing import NDArray

import cascade_qec as cascade
from cascade_qec.decoders import classical
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.protocol import BoundDecoder
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.latency.sweep import ready_entrants
from cascade_qec.evaluation.latency.timing import Entrant, sample_shots, time_decoders

# Strong noise, so that a few shots tell, is warned of.
pytestmark = pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning")


@pytest.fixture(scope="module")
def decoder(tiny_model: Path) -> CascadeDecoder:
    return cascade.load(tiny_model, device="cpu", precision="float32")


@pytest.fixture(scope="module")
def circuit(decoder: CascadeDecoder) -> stim.Circuit:
    return decoder.experiment(0.02)


def test_a_model_decodes_as_it_does_elsewhere(decoder: CascadeDecoder, circuit: stim.Circuit) -> None:
    entrant = Entrant.of(decoder, circuit)
    assert (entrant.device, entrant.precision, entrant.threads) == ("cpu", "float32", 1)
    assert entrant.name == "cascade:surface_d3_untrained"
    dets, _ = circuit.compile_detector_sampler(seed=9).sample(40, separate_observables=True)
    predicted = entrant.decoder.decode_batch(sample_shots(circuit, 40, seed=9).events, bit_packed=True).observables
    np.testing.assert_array_equal(predicted, decoder.bind(circuit).decode_batch(dets).observables)


@pytest.mark.parametrize("name", ["pymatching", "pymatching-filtered"])
def test_a_rival_decodes_as_it_does_elsewhere(name: str, circuit: stim.Circuit) -> None:
    rival = classical.get(name)
    entrant = Entrant.of(rival, circuit)
    dets, _ = circuit.compile_detector_sampler(seed=9).sample(200, separate_observables=True)
    predicted = entrant.decoder.decode_batch(sample_shots(circuit, 200, seed=9).events, bit_packed=True).observables
    np.testing.assert_array_equal(predicted, rival.bind(circuit).decode_batch(dets).observables)
    assert predicted.any()
    assert (entrant.name, entrant.device, entrant.threads) == (name, "cpu", 1)
    assert entrant.parameters == "enable_correlations=False"


class NothingFlips:
    """A decoder of one's own."""

    name = "nothing"

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> BoundDecoder:
        return self

    def decode_batch(self, detection_events: NDArray, *, bit_packed: bool = False) -> DecodeResult:
        return DecodeResult(np.zeros((len(detection_events), 1), np.bool_))


def test_a_decoder_of_ones_own_is_timed(circuit: stim.Circuit) -> None:
    (timing,) = time_decoders([Entrant.of(NothingFlips(), circuit)], sample_shots(circuit, 50, seed=9), seconds=100.0)
    assert timing.shots == 50
    assert timing.failures == sample_shots(circuit, 50, seed=9).observables.sum()


def test_side_by_side_by_the_real_clock(decoder: CascadeDecoder, circuit: stim.Circuit) -> None:
    """Seed 10, 100 shots: at p = 2 % matching fails on a sixth of them, an untrained network on half."""
    entrants = ready_entrants([decoder], [classical.get("pymatching")], circuit, skipped=pytest.fail)
    ours, matching = time_decoders(entrants, sample_shots(circuit, 100, seed=10), seconds=100.0, turns=2)
    assert ours.shots == matching.shots == 100
    assert 0 < np.median(matching.seconds) < np.median(ours.seconds)
    assert 0 < matching.failures < ours.failures


def test_who_cannot_take_part_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = CascadeDecoder.untrained("bb72", width=4, depth=1)
    circuit = decoder.experiment(0.001, rounds=6)
    monkeypatch.setitem(sys.modules, "tesseract_decoder", None)
    told: list[str] = []
    rivals = [classical.get("pymatching"), classical.get("tesseract")]
    entrants = ready_entrants([decoder], rivals, circuit, skipped=told.append)
    assert [entrant.name for entrant in entrants] == ["cascade:bb72_untrained"]
    assert len(told) == 2
    assert told[0].startswith("left out: pymatching cannot decode this circuit: expected errors that can be decomposed")
    assert told[1].startswith("left out: tesseract needs the package")


def test_a_circuit_of_another_code_is_told(decoder: CascadeDecoder) -> None:
    other = CascadeDecoder.untrained("bb72", width=4, depth=1).experiment(0.001)
    with pytest.raises(CascadeError, match="expected the checks of surface_d3"):
        Entrant.of(decoder, other)
