"""Timing of decoders by a clock that only they move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cascade_qec import circuits, codes
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.latency.sweep import latency_sweep
from cascade_qec.evaluation.latency.timing import Entrant, Shots, Timing, sample_shots, time_decoders

MICROSECOND = 1000


@dataclass
class Function:
    """Predicts what a function of the packed events says."""

    predict: Callable[[NDArray[np.uint8]], Any]

    def decode_batch(self, detection_events: NDArray[np.uint8], *, bit_packed: bool = False) -> DecodeResult:
        assert bit_packed
        return DecodeResult(self.predict(detection_events))


class World:
    """A clock, and decoders whose calls take the time that they are told."""

    def __init__(self, shots: int = 100, k: int = 2, seed: int = 3) -> None:
        random = np.random.default_rng(seed)
        # distinct, so that who saw which shot is known
        events = np.arange(shots, dtype="<u2").view(np.uint8).reshape(shots, 2)
        self.shots = Shots(events, random.random((shots, k)) < 0.3)
        self.now = 0
        self.calls: list[tuple[str, NDArray[np.uint8]]] = []

    def clock(self) -> int:
        return self.now

    def decoder(self, name: str, cost: Callable[[int, int], int], *, wrong: NDArray[np.bool_] | None = None) -> Entrant:
        """Calls take ``cost(number of the call, shots in it)`` nanoseconds; `wrong` are the shots it fails on."""
        number = 0

        def decode(events: NDArray[np.uint8]) -> NDArray[np.bool_]:
            nonlocal number
            self.calls.append((name, events))
            self.now += cost(number, len(events))
            number += 1
            indices = np.ascontiguousarray(events).view("<u2").ravel()
            predicted = self.shots.observables[indices].copy()
            if wrong is not None:
                predicted[wrong[indices], 0] ^= True
            return predicted

        return Entrant(name, Function(decode))

    def seen_by(self, name: str) -> NDArray[np.uint8]:
        return np.concatenate([events for who, events in self.calls if who == name])

    def time(self, *entrants: Entrant, **changes: object) -> list[Timing]:
        arguments = {"seconds": 1.0, "clock": self.clock} | changes
        return time_decoders(entrants, self.shots, **arguments)  # pyright: ignore[reportArgumentType]


def test_percentiles_are_those_of_the_calls_after_the_warm_up() -> None:
    world = World(shots=200)
    costs = np.random.default_rng(4).integers(1, 10**6, size=250)  # 50 calls warm up
    (timing,) = world.time(world.decoder("a", lambda call, _: int(costs[call])))
    measured = costs[50:] / MICROSECOND
    np.testing.assert_allclose(timing.microseconds_per_shot, measured)
    assert np.percentile(timing.microseconds_per_shot, 99) == pytest.approx(np.percentile(measured, 99))


def test_a_slow_first_call_is_no_part_of_it() -> None:
    world = World()
    (timing,) = world.time(world.decoder("compiles", lambda call, _: 10**12 if call == 0 else 7 * MICROSECOND))
    assert set(timing.microseconds_per_shot) == {7.0}
    assert len(world.calls) == 101  # one call has used up the time of warming up


def test_cpu_time_is_that_of_the_measured_calls() -> None:
    world = World()
    used = 0

    def cost(call: int, shots: int) -> int:
        nonlocal used
        used += 10**9 if call < 50 else 3 * shots * MICROSECOND  # 50 calls warm up
        return MICROSECOND

    (timing,) = world.time(world.decoder("a", cost), batch=5, cpu_clock=lambda: used)
    assert timing.cpu_microseconds_per_shot == pytest.approx(3)


def test_time_of_a_batch_is_shared_out() -> None:
    world = World()
    (timing,) = world.time(world.decoder("a", lambda _, shots: (10 + shots) * MICROSECOND), batch=8)
    np.testing.assert_allclose(timing.microseconds_per_shot, 18 / 8)


def test_every_decoder_sees_the_same_shots() -> None:
    world = World(shots=100)
    slow, fast = (
        world.decoder(name, lambda *_, us=us: us * MICROSECOND) for name, us in (("slow", 10**5), ("fast", 1))
    )
    timings = world.time(slow, fast, seconds=2.0)
    assert [timing.shots for timing in timings] == [20, 100]
    warm_slow, warm_fast = 2, 50
    np.testing.assert_array_equal(world.seen_by("fast")[warm_fast:], world.shots.events)
    np.testing.assert_array_equal(world.seen_by("slow")[warm_slow:], world.shots.events[:20])


def test_decoders_take_turns() -> None:
    world = World(shots=30)
    entrants = [world.decoder(name, lambda *_: MICROSECOND) for name in "abc"]
    reported: list[tuple[int, int]] = []
    world.time(*entrants, turns=3, report=lambda done, total: reported.append((done, total)))
    order = "".join(name for name, _ in world.calls)
    warm_up = "".join(name * 50 for name in "abc")
    assert order == warm_up + "".join(name * 10 for name in "abc" + "bca" + "cab")
    assert reported == [(1, 3), (2, 3), (3, 3)]


def test_a_decoder_slower_than_its_time_is_timed_once() -> None:
    world = World()
    (timing,) = world.time(world.decoder("slow", lambda *_: 10**10), seconds=0.1)
    assert (len(timing.seconds), timing.shots) == (1, 1)
    assert timing.seconds[0] == 10.0


def test_time_is_kept_to_a_call() -> None:
    world = World(shots=100)
    (timing,) = world.time(world.decoder("a", lambda *_: 3 * 10**8), seconds=1.0)
    assert len(timing.seconds) == 4


@pytest.mark.parametrize("batch", [1, 8, 40])
def test_failures_are_those_of_the_shots_decoded(batch: int) -> None:
    world = World(shots=100)
    wrong = np.random.default_rng(5).random(100) < 0.2
    timing, right = world.time(
        world.decoder("a", lambda *_: MICROSECOND, wrong=wrong), world.decoder("b", lambda *_: MICROSECOND), batch=batch
    )
    decoded = 100 - 100 % batch
    assert (timing.shots, timing.failures) == (decoded, wrong[:decoded].sum())
    assert (right.shots, right.failures) == (decoded, 0)


def test_large_batches_start_over_and_count_failures_once() -> None:
    world = World(shots=100)
    (timing,) = world.time(world.decoder("a", lambda *_: MICROSECOND, wrong=np.ones(100, dtype=bool)), batch=50)
    assert (len(timing.seconds), timing.shots, timing.failures) == (20, 100, 100)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 0}, "expected batches of 1 to 100 shots"),
        ({"batch": 101}, "got 101"),
        ({"seconds": 0.0}, "expected seconds > 0"),
        ({"seconds": float("nan")}, "expected seconds > 0"),
        ({"turns": 0}, "at least 1 turn"),
    ],
)
def test_bad_sizes_are_told(changes: dict[str, object], message: str) -> None:
    world = World()
    with pytest.raises(CascadeError, match=message):
        world.time(world.decoder("a", lambda *_: 1), **changes)


def test_nobody_to_time_is_told() -> None:
    with pytest.raises(CascadeError, match="at least one decoder"):
        World().time()


def test_observables_of_another_shape_are_told() -> None:
    wrong = Entrant("wrong", Function(lambda events: np.zeros((len(events), 3), dtype=bool)))
    with pytest.raises(CascadeError, match=r"wrong: expected observables .*\[1, 2\], got numpy.ndarray \[1, 3\]"):
        World(k=2).time(wrong)


def test_results_that_a_device_may_still_compute_are_told() -> None:
    late = Entrant("late", Function(lambda events: torch.zeros((len(events), 2), dtype=torch.bool)))
    with pytest.raises(CascadeError, match=r"late: expected observables numpy.ndarray \[1, 2\], got torch.Tensor"):
        World(k=2).time(late)


def test_sampled_shots_are_those_of_stim_and_cannot_be_changed() -> None:
    noise = circuits.UniformDepolarizing(0.02)
    circuit = circuits.memory(codes.get("surface_d3"), rounds=3, basis="Z", noise=noise)
    shots = sample_shots(circuit, 50, seed=6)
    events, observables = circuit.compile_detector_sampler(seed=6).sample(50, separate_observables=True)
    np.testing.assert_array_equal(shots.events, np.packbits(events, axis=1, bitorder="little"))
    np.testing.assert_array_equal(shots.observables, observables)
    assert observables.any()
    with pytest.raises(ValueError, match="read-only"):
        shots.events[0, 0] = 1
    with pytest.raises(CascadeError, match="at least 1 shot, got 0"):
        sample_shots(circuit, 0, seed=6)


def _sweep(world: World, *entrants: Entrant, **changes: object) -> list[Timing]:
    arguments = {"single_shots": 30, "batches": [1, 10, 100], "seconds": 1.0, "clock": world.clock} | changes
    return latency_sweep(entrants, world.shots, **arguments)  # pyright: ignore[reportArgumentType]


def test_a_sweep_goes_on_with_those_that_are_fast_enough() -> None:
    world = World(shots=100)
    entrants = [world.decoder(name, lambda _, n, us=us: n * us * MICROSECOND) for name, us in (("a", 1), ("b", 5000))]
    reported: list[int] = []
    timings = _sweep(world, *entrants, turns=2, report=lambda done, total: reported.append(done))
    tried = [(timing.entrant.name, timing.batch) for timing in timings]
    assert tried == [("a", 1), ("b", 1), ("a", 10), ("b", 10), ("a", 100)]  # 4 times 100 times 5 ms are 2 s
    assert timings[0].shots == 30
    assert reported == [1, 2, 3, 4, 5, 6, 6]


def test_a_sweep_ends_when_nobody_is_fast_enough() -> None:
    world = World(shots=100)
    timings = _sweep(world, world.decoder("slow", lambda *_: 10**9))
    assert [timing.batch for timing in timings] == [1]


@pytest.mark.parametrize("batches", [[], [8, 1], [1, 1]])
def test_batches_must_ascend(batches: list[int]) -> None:
    world = World()
    with pytest.raises(CascadeError, match="expected ascending batch sizes"):
        _sweep(world, world.decoder("a", lambda *_: 1), batches=batches)
