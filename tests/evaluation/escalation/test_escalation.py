"""Both decoders on the same shots, and thresholds between them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import stim

from cascade_qec.decoders import classical
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.escalation import EscalatingDecoder
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.escalation.thresholds import (
    BATCH,
    EscalationShots,
    choose,
    decode_both,
    escalate,
    trade_off,
)

# One bit: the detector fires when the first error happens, the observable flips with either.
_BITS = stim.Circuit("X_ERROR(0.5) 0\nX_ERROR(0.25) 1\nM 0 1\nDETECTOR rec[-2]\nOBSERVABLE_INCLUDE(0) rec[-1] rec[-2]")


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class _Decoder:
    """Takes time, and predicts what a function of the events says."""

    clock: _Clock
    seconds: Callable[[np.ndarray], float]
    predict: Callable[[np.ndarray], DecodeResult]
    name = "scripted"

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> "_Decoder":
        return self

    def decode_batch(self, detection_events: np.ndarray, *, bit_packed: bool = False) -> DecodeResult:
        self.clock.now += self.seconds(detection_events)
        return self.predict(detection_events)


def _network(clock: _Clock) -> _Decoder:
    """Predicts that nothing flips; sure where the detector is silent."""

    def predict(dets: np.ndarray) -> DecodeResult:
        log_odds = np.where(dets[:, 0], 0, np.log(9))
        return DecodeResult(np.zeros((len(dets), 1), np.bool_), log_odds=log_odds)

    return _Decoder(clock, lambda dets: 1.0, predict)


def _fallback(clock: _Clock, seconds: Callable[[np.ndarray], float] = lambda dets: 0.5) -> _Decoder:
    """Predicts what the detector says."""
    return _Decoder(clock, seconds, DecodeResult)


def _sampled(size: int, batches: int = 1) -> tuple[np.ndarray, np.ndarray]:
    sampler = _BITS.compile_detector_sampler(seed=3)
    pieces = [sampler.sample(size, separate_observables=True) for _ in range(batches)]
    dets, truth = (np.concatenate(part)[:, 0] for part in zip(*pieces, strict=True))
    return dets, truth


def test_every_shot_is_decoded_by_both_and_timed() -> None:
    clock = _Clock()
    slower = _fallback(clock, lambda dets: 2.0 if dets.any() else 0.5)
    shares: list[float] = []
    shots = decode_both(_network(clock), slower, _BITS, shots=600, seed=3, clock=clock, report=shares.append)
    dets, truth = (part[:600] for part in _sampled(BATCH, 2))
    np.testing.assert_allclose(shots.confidence, np.where(dets, 0.5, 0.9), rtol=1e-12)
    np.testing.assert_array_equal(shots.network_failed, truth)
    np.testing.assert_array_equal(shots.fallback_failed, dets != truth)
    np.testing.assert_array_equal(shots.fallback_seconds, np.where(dets, 2.0, 0.5))
    assert shots.network_seconds == pytest.approx(1 / BATCH)
    assert shares[-1] == 1.0
    assert shares == sorted(shares)


@pytest.mark.parametrize(
    ("limits", "expected"),
    # the network takes 1 s for its batch of shots, the fallback 0.5 s for a shot
    [({"seconds": 21.0}, 40), ({"seconds": 20.9}, 40), ({"seconds": 0.1}, 1), ({"failures": 10}, None)],
)
def test_it_stops_when_it_has_enough(limits: dict[str, Any], expected: int | None) -> None:
    clock = _Clock()
    dets, truth = _sampled(500)
    if expected is None:
        expected = int(np.flatnonzero(np.cumsum(dets != truth) == 10)[0]) + 1

    def run() -> EscalationShots:
        return decode_both(_network(clock), _fallback(clock), _BITS, shots=500, seed=3, clock=clock, **limits)

    if expected < 2:
        with pytest.raises(CascadeError, match="at least 2 shots decoded when the time is up, got 1"):
            run()
    else:
        assert len(run()) == expected


def test_an_interrupt_gives_what_there_is() -> None:
    clock = _Clock()
    calls = 0

    def seconds(dets: np.ndarray) -> float:
        nonlocal calls
        calls += 1
        if calls == 12:  # the first is not counted
            raise KeyboardInterrupt
        return 0.5

    shots = decode_both(_network(clock), _fallback(clock, seconds), _BITS, shots=500, seed=3, clock=clock)
    assert len(shots) == 10
    dets, truth = _sampled(500)
    np.testing.assert_array_equal(shots.fallback_failed, (dets != truth)[:10])


@pytest.mark.parametrize("limits", [{"shots": 1}, {"shots": 5, "failures": 0}, {"shots": 5, "seconds": 0.0}])
def test_too_little_is_refused(limits: dict[str, Any]) -> None:
    clock = _Clock()
    with pytest.raises(CascadeError, match="expected at least 2 shots"):
        decode_both(_network(clock), _fallback(clock), _BITS, seed=3, clock=clock, **limits)


def test_a_network_without_confidence_is_told() -> None:
    clock = _Clock()
    with pytest.raises(CascadeError, match="expected a decoder that tells its confidence, got scripted"):
        decode_both(_fallback(clock), _fallback(clock), _BITS, shots=10, seed=3, clock=clock)


def _shots(
    confidence: Any, network_failed: Any, fallback_failed: Any, seconds: Any = None, asked_failed: Any = None
) -> EscalationShots:
    times = np.ones(len(confidence)) if seconds is None else np.array(seconds, np.float64)
    return EscalationShots(
        np.array(confidence, np.float32),
        np.array(network_failed, np.bool_),
        np.array(fallback_failed, np.bool_),
        np.array(fallback_failed if asked_failed is None else asked_failed, np.bool_),
        times,
        times,
        0.25,
    )


def test_a_threshold_by_hand() -> None:
    shots = _shots([0.1, 0.2, 0.3, 0.4], [1, 1, 1, 0], [0, 1, 0, 1], seconds=[8, 4, 2, 1])
    found = escalate(shots, float(np.float32(0.3)))
    assert (found.shots, found.escalated, found.failures, found.fallback_failures) == (4, 2, 2, 2)
    assert (found.worse, found.better) == (1, 1)
    assert (found.escalated_fraction, found.difference.value, found.block_error.value) == (0.5, 0.0, 0.5)
    times = [8.25, 4.25, 0.25, 0.25]
    assert found.us_per_shot.value == pytest.approx(1e6 * np.mean(times))
    assert found.us_per_shot.high - found.us_per_shot.value == pytest.approx(1.959964e6 * np.std(times, ddof=1) / 2)
    alone = escalate(shots, None)
    assert (alone.escalated, alone.failures, alone.worse, alone.better) == (4, 2, 0, 0)
    assert alone.us_per_shot.value == 15e6 / 4  # without the network


def test_the_curve_begins_at_the_network_alone() -> None:
    shots = _shots([0.5, 0.1, 0.1, 0.9], [1, 1, 0, 0], [0, 0, 0, 0])
    curve = trade_off(shots, (0.0, 0.25, 0.5, 0.75))
    # shots of one confidence go together, and each threshold is there once
    assert [(point.escalated, point.failures) for point in curve] == [(0, 2), (2, 1), (3, 0)]


def test_the_cheapest_threshold_that_loses_nothing() -> None:
    first = ([0.1, 0.2, 0.3, 0.4, 0.5], [1, 0, 1, 0, 0], [0, 0, 0, 0, 0])
    second = ([0.15, 0.35, 0.4, 0.45, 0.9], [1, 1, 0, 1, 0], [1, 0, 0, 0, 0])
    found = choose(_shots(*(a + b for a, b in zip(first, second, strict=True))))
    assert found is not None
    assert found.threshold == np.float32(0.4)  # the first half alone; the lowest above its failures
    assert (found.shots, found.escalated, found.failures, found.fallback_failures) == (5, 2, 2, 1)
    assert (found.worse, found.better) == (1, 0)


def test_the_cheapest_threshold_that_wins_more_than_it_loses() -> None:
    """The network loses the least confident shot and the most confident one, and wins ten between."""
    confidence = np.linspace(0.1, 0.9, 100)
    fallback_failed = (np.arange(100) >= 40) & (np.arange(100) < 50)
    network_failed = np.isin(np.arange(100), (5, 99))
    halves = [np.tile(part, 2) for part in (confidence, network_failed, fallback_failed)]
    found = choose(_shots(*halves))
    assert found is not None
    assert found.threshold == np.float32(0.1)
    assert (found.escalated, found.worse, found.better) == (0, 2, 10)
    # three wins are not enough to be sure: it takes a threshold that loses nothing
    halves[2] = np.tile((np.arange(100) >= 40) & (np.arange(100) < 43), 2)
    found = choose(_shots(*halves))
    assert found is not None
    assert (found.threshold, found.escalated) == (1.0, 100)


def test_the_cheapest_threshold_against_all_of_them() -> None:
    rng = np.random.default_rng(4)
    for _ in range(200):
        confidence = rng.integers(1, 12, size=80) / np.float32(11)
        network, fallback = rng.random(80) < 0.3 * (1.1 - confidence), rng.random(80) < 0.3
        asked = np.where(rng.random(80) < 0.1, network, fallback)
        shots = _shots(confidence, network, fallback, asked_failed=asked)
        half = shots[:40]
        points = [escalate(half, float(t)) for t in [*np.unique(half.confidence), 1.0]]
        good = [point.threshold for point in points if point.worse == 0 or point.difference.high <= 0]
        found = choose(shots)
        expected = min(good, default=None) if half.network_failed.any() else None
        assert (found and found.threshold) == expected
        if found:
            assert found == escalate(shots[40:], found.threshold)


def test_no_threshold_where_there_is_none() -> None:
    assert choose(_shots([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1], [0, 0, 0, 0])) is None  # nothing to choose by
    assert choose(_shots([1.0, 1.0, 0.3, 0.4], [0, 1, 1, 1], [0, 0, 0, 0])) is None  # sure, and wrong
    everything = choose(_shots([0.8, 0.9, 0.3, 0.4], [0, 1, 1, 1], [0, 0, 0, 0]))
    assert everything is not None
    assert (everything.threshold, everything.escalated) == (1.0, 2)
    with pytest.raises(CascadeError, match="at least 4 shots to choose a threshold and to try it, got 3"):
        choose(_shots([1, 1, 1], [0, 0, 0], [0, 0, 0]))


@pytest.mark.filterwarnings("ignore::cascade_qec.errors.CascadeWarning")  # of strong noise
@pytest.mark.parametrize("name", ["pymatching", "bposd-lowest"])  # the second tells how sure it is
def test_what_is_foretold_of_a_threshold_is_what_the_decoder_does(name: str) -> None:
    network = CascadeDecoder.untrained("surface_d3", width=8, depth=1, seed=3)
    fallback = classical.get(name)
    circuit = network.experiment(0.02)
    shots = decode_both(network, fallback, circuit, shots=300, seed=9)
    dets, truth = circuit.compile_detector_sampler(seed=9).sample(300, separate_observables=True)
    for point in trade_off(shots, (0.0, 0.3, 0.9)):
        assert point.threshold is not None
        result = EscalatingDecoder(network, fallback, point.threshold).bind(circuit).decode_batch(dets)
        assert int(result.escalated.sum()) == point.escalated
        assert int((result.observables != truth).any(axis=1).sum()) == point.failures
