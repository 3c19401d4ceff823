"""Doubtful shots go to the fallback, the others stay with the network."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import stim

from cascade_qec import codes, load
from cascade_qec.decoders import DecodeResult, classical, settings
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.escalation import EscalatingDecoder, fallback_decoder
from cascade_qec.errors import CascadeError

# Strong noise makes few shots enough; the network is told of it, and has learnt nothing anyway.
pytestmark = pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning")

MATCHING = classical.get("pymatching")


def _network() -> CascadeDecoder:
    return CascadeDecoder.untrained("surface_d3", width=8, depth=1, seed=3)


def _shots(circuit: stim.Circuit, shots: int = 200) -> np.ndarray:
    return circuit.compile_detector_sampler(seed=7).sample(shots)


@pytest.mark.parametrize("bit_packed", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_shots_below_the_threshold_are_the_fallbacks_and_no_others(share: float, bit_packed: bool) -> None:
    network = _network()
    circuit = network.experiment(0.02)
    dets = _shots(circuit)
    own = network.bind(circuit).decode_batch(dets)
    matched = MATCHING.bind(circuit).decode_batch(dets).observables
    # an untrained network is never sure, so that at 1 every shot is escalated
    below = 1.0 if share == 1 else float(np.quantile(own.confidence, share))
    decoder = EscalatingDecoder(network, MATCHING, below).bind(circuit)
    events = np.packbits(dets, axis=1, bitorder="little") if bit_packed else dets
    result = decoder.decode_batch(events, bit_packed=bit_packed)
    np.testing.assert_array_equal(result.escalated, own.confidence < below)
    assert result.escalated.mean() == pytest.approx(share, abs=0.02)
    np.testing.assert_array_equal(result.observables, np.where(result.escalated[:, None], matched, own.observables))
    if share:
        assert (result.observables != own.observables).any()
    # the network's, whoever decided
    np.testing.assert_array_equal(result.probabilities, own.probabilities)
    np.testing.assert_array_equal(result.confidence, own.confidence)
    assert (result.escalated.dtype, result.observables.dtype) == (np.bool_, np.bool_)


def test_a_bound_pair_pickles() -> None:
    circuit = _network().experiment(0.02)
    bound, dets = EscalatingDecoder(_network(), MATCHING, 0.9).bind(circuit), _shots(circuit)
    found, again = (one.decode_batch(dets) for one in (bound, pickle.loads(pickle.dumps(bound))))
    np.testing.assert_array_equal(again.observables, found.observables)
    np.testing.assert_array_equal(again.escalated, found.escalated)


def test_uint8_events_are_the_same_events() -> None:
    circuit = _network().experiment(0.02)
    decoder, dets = EscalatingDecoder(_network(), MATCHING, 1.0).bind(circuit), _shots(circuit)
    np.testing.assert_array_equal(
        decoder.decode_batch(dets.astype(np.uint8)).observables, decoder.decode_batch(dets).observables
    )


def test_without_a_fallback_nothing_is_escalated() -> None:
    network = _network()
    assert network.bind().decode_batch(_shots(network.experiment(0.02))).escalated is None


@pytest.mark.parametrize("bit_packed", [False, True])
def test_no_shots_give_no_results(bit_packed: bool) -> None:
    decoder = EscalatingDecoder(_network(), MATCHING, 1.0).bind(_network().experiment(0.02))
    events = np.zeros((0, 3), np.uint8) if bit_packed else np.zeros((0, 24), np.bool_)
    result = decoder.decode_batch(events, bit_packed=bit_packed)
    assert result.escalated is not None
    assert (result.observables.shape, result.escalated.shape) == ((0, 1), (0,))


class _Copies:
    """Predicts that L0 flips where D0 fires, and has the log-odds that it is told, or does not tell."""

    name = "copies"

    def __init__(self, *log_odds: float) -> None:
        self.log_odds = np.array(log_odds, np.float32) if log_odds else None

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> "_Copies":
        return self

    def decode_batch(self, detection_events: np.ndarray, *, bit_packed: bool = False) -> DecodeResult:
        return DecodeResult(detection_events[:, :1], log_odds=self.log_odds)


DEM = stim.DetectorErrorModel("error(0.1) D0 L0")


def test_any_decoder_that_tells_its_confidence_escalates() -> None:
    decoder = EscalatingDecoder(_Copies(3, 0), _Copies(), 0.9)
    assert (decoder.name, settings(decoder)) == ("copies+copies@0.9", "below=0.9")
    both = EscalatingDecoder(classical.get("pymatching-correlated"), MATCHING)
    assert settings(both) == "enable_correlations=True, pymatching.enable_correlations=False, below=0.99"
    result = decoder.bind(DEM).decode_batch(np.zeros((2, 1), np.bool_))
    assert result.escalated is not None
    assert result.escalated.tolist() == [False, True]
    with pytest.raises(CascadeError, match="expected a decoder that tells its confidence, got copies\\+copies@0\\.9"):
        EscalatingDecoder(_Copies(), _Copies(), 0.9).bind(DEM).decode_batch(np.zeros((3, 1), np.bool_))


class _Still(_Copies):
    """Predicts that nothing flips."""

    def decode_batch(self, detection_events: np.ndarray, *, bit_packed: bool = False) -> DecodeResult:
        return DecodeResult(np.zeros((len(detection_events), 1), np.bool_), log_odds=self.log_odds)


def test_the_surer_of_two_decides() -> None:
    decoder = EscalatingDecoder(_Copies(9, 1, 1), _Still(0.5, 2), 0.9)  # the first shot is in no doubt
    result = decoder.bind(DEM).decode_batch(np.ones((3, 1), np.bool_))
    assert result.observables[:, 0].tolist() == [True, True, False]
    assert result.escalated is not None
    assert result.escalated.tolist() == [False, True, True]


def test_a_circuit_a_model_or_a_file_of_it_binds_both(tmp_path: Path) -> None:
    decoder = EscalatingDecoder(_network(), MATCHING, 1.0)
    circuit = _network().experiment(0.02, rounds=5, basis="X")
    dem = circuit.detector_error_model(decompose_errors=True, flatten_loops=True)
    path = tmp_path / "memory.dem"
    dem.to_file(path)
    dets = _shots(circuit)
    matched = MATCHING.bind(circuit).decode_batch(dets).observables
    for source in (circuit, dem, path, str(dem)):
        bound = decoder.bind(source)
        np.testing.assert_array_equal(bound.decode_batch(dets).observables, matched)
        np.testing.assert_array_equal(bound.decode(dets[0]), matched[0])


@pytest.mark.parametrize("name", ["bplsd", "tesseract"])
def test_a_decomposed_model_is_made_whole_for_decoders_that_do_not_match(name: str) -> None:
    circuit = _network().experiment(0.02)
    dem = circuit.detector_error_model(decompose_errors=True, flatten_loops=True)
    dets = _shots(circuit)
    method = classical.get(name)
    agree = method.bind(dem).decode_batch(dets).observables == method.bind(circuit).decode_batch(dets).observables
    assert agree.mean() > 0.98  # not always the same: the mechanisms come in another order


def test_a_fallback_that_cannot_decode_the_code_is_told_before_any_decoding() -> None:
    decoder = EscalatingDecoder(CascadeDecoder.untrained("bb72", width=4, depth=1), MATCHING, 0.9)
    circuit = CascadeDecoder.untrained("bb72", width=4, depth=1).experiment(0.001)
    with pytest.raises(
        CascadeError, match="pymatching cannot decode this circuit: expected errors that can be decomposed"
    ):
        decoder.bind(circuit)


@pytest.mark.parametrize("below", [0.0, -0.5, 1.001, float("nan")])
def test_thresholds_that_are_no_confidence_are_refused(below: float) -> None:
    with pytest.raises(CascadeError, match=r"above 0 and at most 1, got"):
        EscalatingDecoder(_network(), MATCHING, below)


def test_names_of_fallbacks() -> None:
    surface, bicycle = codes.get("surface_d3"), codes.get("bb72")
    assert fallback_decoder("relay", surface) is classical.get("relay-bp-surface")
    assert fallback_decoder("relay", bicycle) is classical.get("relay-bp")
    for name in ("tesseract", "bposd", "bplsd", "pymatching", "pymatching-correlated", "bposd-filtered"):
        assert fallback_decoder(name, bicycle) is classical.get(name)
    with pytest.raises(CascadeError, match="unknown classical decoder 'mwpm'"):
        fallback_decoder("mwpm", surface)


def test_a_missing_package_is_told_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "relay_bp", None)
    with pytest.raises(CascadeError, match=r"relay-bp needs the package relay_bp.*pip install relay-bp"):
        fallback_decoder("relay", codes.get("bb72"))
    with pytest.raises(CascadeError, match=r"pip install relay-bp"):
        EscalatingDecoder(_network(), classical.get("relay-bp"), 0.9).bind(_network().experiment(0.02))


def test_loaded_with_a_fallback(tiny_model: Path) -> None:
    decoder = load(tiny_model, device="cpu", fallback="relay", below=0.75)
    assert (decoder.fallback.name, decoder.below) == ("relay-bp-surface", 0.75)
    network = load(tiny_model, device="cpu")
    circuit = network.experiment(0.02)
    dets = _shots(circuit, 50)
    result = decoder.bind(circuit).decode_batch(dets)
    bound = load(tiny_model, device="cpu", circuit=circuit, fallback="relay", below=0.75).decode_batch(dets)
    np.testing.assert_array_equal(bound.escalated, network.bind(circuit).decode_batch(dets).confidence < 0.75)
    np.testing.assert_array_equal(bound.observables, result.observables)
    assert result.escalated is not None
    assert result.escalated.any()


def test_thresholds_are_of_fallbacks(tiny_model: Path) -> None:
    assert load(tiny_model, device="cpu", fallback="relay").below == 0.99
    with pytest.raises(CascadeError, match=r"expected a fallback for shots below 0\.9, got none"):
        load(tiny_model, below=0.9)  # pyright: ignore[reportCallIssue]
    with pytest.raises(CascadeError, match="at most 1, got 2"):
        load(tiny_model, fallback="pymatching", below=2)
