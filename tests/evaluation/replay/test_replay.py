"""Replay: the queue behind a decoder by hand, and a run of everyone on the same shots."""

import numpy as np
import pytest

import cascade_qec as cascade
from cascade_qec import circuits, codes
from cascade_qec.decoders import get
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.decoders.streams import Stream, windows
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.replay import play, play_live, queue, replay_rows
from cascade_qec.serving import Client, background


def test_queue_by_hand() -> None:
    """Rounds come at 0, 1, 2 and 3; of the second shot the first takes so long that all wait."""
    seconds = np.array([[0.5, 0.5, 1.5, 0.25], [5.0, 1.0, 1.0, 1.0]])
    latency, waiting = queue(seconds, 1.0)
    np.testing.assert_allclose(latency, [0.75, 5.0])
    np.testing.assert_array_equal(waiting, [[1, 1, 1, 2], [1, 2, 3, 4]])
    latency, waiting = queue(seconds, 10.0)
    np.testing.assert_allclose(latency, [0.25, 1.0])
    assert (waiting == 1).all()


def test_everyone_plays_the_same_shots() -> None:
    noise = circuits.UniformDepolarizing(0.008)
    circuit = circuits.memory(codes.get("surface_d3"), rounds=9, noise=noise)
    events, observables = circuit.compile_detector_sampler(seed=1).sample(40, separate_observables=True)
    decoders = [get("pymatching"), cascade.load("local_surface")]
    ticks = iter(range(10**6))
    done: list[int] = []
    played = play(
        decoders,
        circuit,
        events,
        observables,
        [0.5, 4.0],
        commit=2,
        buffer=3,
        clock=lambda: 1000 * next(ticks),
        report=lambda now, total: done.append(now),
    )
    assert done[-1] == 40
    for decoder, one in zip(decoders, played, strict=True):
        assert one.seconds is not None
        np.testing.assert_allclose(one.seconds, np.full((40, 10), 1e-6))
        assert (one.whole == decoder.bind(circuit).decode_batch(events).observables).all()
        stream = Stream(windows(decoder, circuit, commit=2, buffer=3), 40)
        stream.push(events[:, :-4])
        assert (one.observables == stream.finish(events[:, -4:]).observables).all()
    rows = replay_rows(played, code="surface_d3", p=0.008, basis="Z", seed=1)
    assert [(row.decoder, row.cadence_us) for row in rows[:3]] == [
        ("pymatching", 0.5),
        ("pymatching", 4.0),
        ("cascade:local_surface", 0.5),
    ]
    slow, quick = rows[:2]
    assert (slow.decided, slow.ahead, slow.rounds, slow.shots) == (2, 3, 9, 40)
    assert slow.latency_us_p50.value == pytest.approx(10 - 9 * 0.5)
    assert quick.latency_us_p50.value == pytest.approx(1)
    assert slow.backlog[-1] == 6 == slow.most_waiting
    assert quick.backlog == [1.0] * 21
    with pytest.raises(CascadeError, match=r"expected cadences above 0 µs, got 1, 0"):
        play(decoders, circuit, events, observables, [1, 0])


@pytest.mark.parametrize("cadence_us", [1.0, 3000.0])
def test_a_server_is_played_to_in_real_time(cadence_us: float) -> None:
    """Late rounds go out together, and the answer is that of the stream here."""
    noise = circuits.UniformDepolarizing(0.01)
    circuit = circuits.memory(codes.get("surface_d3"), rounds=12, noise=noise)
    events, observables = circuit.compile_detector_sampler(seed=1).sample(6, separate_observables=True)
    matching = get("pymatching")
    with background(["pymatching"]) as address, Client(address) as client:
        (played,) = play_live(
            lambda decoder: client.open(circuit, decoder.name, commit=2, buffer=3),
            [matching],
            circuit,
            events,
            observables,
            [cadence_us],
        )
    (here,) = play([matching], circuit, events, observables, [cadence_us], commit=2, buffer=3)
    assert (played.observables == here.observables).all()
    assert (played.whole == here.whole).all()
    latency, waiting = played.queues[cadence_us]
    assert (latency > 0).all()
    assert waiting.shape == (6, 13)
    assert (waiting >= 1).all()
    (row,) = replay_rows([played], code="surface_d3", p=0.01, basis="Z", seed=1)
    assert row.server
    assert row.us_per_round_mean is None
    assert (row.decided, row.ahead) == (2, 3)


def test_rounds_wait_for_a_stream_that_decides_nothing() -> None:
    """At whatever speed it is played: of 13 slices, those from the fifth on could have been decided."""
    circuit = circuits.memory(codes.get("surface_d3"), rounds=12, noise=circuits.UniformDepolarizing(0.01))
    events, observables = circuit.compile_detector_sampler(seed=1).sample(2, separate_observables=True)

    class Silent:
        commit, buffer, committed = 2, 3, 0

        def __init__(self) -> None:
            self.taken = np.empty(0, np.bool_)

        def push(self, detection_events: np.ndarray) -> np.ndarray:
            self.taken = np.append(self.taken, detection_events[0])
            return np.zeros((1, 1), np.bool_)

        def finish(self, detection_events: np.ndarray) -> DecodeResult:
            self.push(detection_events)
            return DecodeResult(np.zeros((1, 1), np.bool_))

        def close(self) -> None:
            taken.append(self.taken)

    taken: list[np.ndarray] = []
    (played,) = play_live(lambda _: Silent(), [get("pymatching")], circuit, events, observables, [100.0])
    np.testing.assert_array_equal(taken, events[[0, 0, 1]])
    np.testing.assert_array_equal(played.queues[100.0].waiting, [[1, 1, 1, 1, *range(1, 10)]] * 2)
