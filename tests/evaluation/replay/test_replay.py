"""Replay: the queue behind a decoder by hand, and a run of everyone on the same shots."""

import numpy as np
import pytest

import cascade_qec as cascade
from cascade_qec import circuits, codes
from cascade_qec.decoders import get
from cascade_qec.decoders.streams import Stream, windows
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.replay import play, queue, replay_rows


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
        commit=2,
        buffer=3,
        clock=lambda: 1000 * next(ticks),
        report=lambda now, total: done.append(now),
    )
    assert done[-1] == 40
    for decoder, one in zip(decoders, played, strict=True):
        np.testing.assert_allclose(one.seconds, 1e-6)
        assert one.seconds.shape == (40, 10)
        assert (one.whole == decoder.bind(circuit).decode_batch(events).observables).all()
        stream = Stream(windows(decoder, circuit, commit=2, buffer=3), 40)
        stream.push(events[:, :-4])
        assert (one.observables == stream.finish(events[:, -4:]).observables).all()
    rows = replay_rows(played, [0.5, 4.0], code="surface_d3", p=0.008, basis="Z", seed=1)
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
        replay_rows(played, [1, 0], code="surface_d3", p=0.008, basis="Z", seed=1)
