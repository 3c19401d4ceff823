"""Sessions: answers are the decoder's own, whoever else is served; who asks wrongly is told, and costs no other."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
import numpy as np
import pytest
import stim

from cascade_qec.decoders import BoundDecoder, DecodeResult, get
from cascade_qec.errors import CascadeError
from cascade_qec.serving import Client, Limits, Server, background
from cascade_qec.serving.client import METHOD
from cascade_qec.serving.metrics import Metrics
from cascade_qec.serving.protocol_pb2 import Answer, Open, Request, Rounds
from tests.serving.conftest import circuit_of, eventually, figure, here, sampled, there


@pytest.mark.parametrize(
    ("name", "rounds", "sizes"),
    [
        ("pymatching", 12, {}),
        ("pymatching", 70, {"commit": 7, "buffer": 2}),  # a loop that turns often
        ("cascade:local_surface", 40, {}),
        ("cascade:surface_d3", 3, {}),  # in one piece, with a confidence
    ],
)
def test_answers_are_those_of_the_decoders_own_stream(
    name: str, rounds: int, sizes: dict[str, int], client: Client
) -> None:
    circuit = circuit_of(rounds=rounds, p=0.006)
    for shot, pushes in enumerate([[1], [rounds + 1], [5, 1, 3]]):
        events = sampled(circuit, 1, seed=shot)
        expected = here(name, circuit, events, **sizes)
        with client.open(circuit, name, **sizes) as stream:
            result = there(stream, events, pushes)
            assert (stream.committed, stream.behind) == (rounds + 1, 0)
        for found, own in zip(vars(result).values(), vars(expected).values(), strict=True):
            np.testing.assert_array_equal(found, own if found is None else own.astype(found.dtype))
    assert (expected.confidence is not None) == name.startswith("cascade:")


def test_sessions_side_by_side_are_decided_in_batches(server: tuple[str, Metrics], client: Client) -> None:
    circuits = [circuit_of(rounds=60, p=0.01), circuit_of("surface_d5", rounds=30, p=0.01)]
    events = [sampled(circuit, 12) for circuit in circuits]
    expected = [here("pymatching", *of).observables for of in zip(circuits, events, strict=True)]
    before = [figure(server[1], f"cascade_batch_windows_{name}") for name in ("sum", "count")]

    def one(number: int) -> np.ndarray:
        which, shot = number % 2, number // 2
        with client.open(circuits[which], "pymatching") as stream:
            return there(stream, events[which][[shot]], [1 + shot]).observables[0]

    with ThreadPoolExecutor(24) as pool:
        found = list(pool.map(one, range(24)))
    for which in range(2):
        np.testing.assert_array_equal(np.array(found[which::2]), expected[which])
    windows, batches = (
        figure(server[1], f"cascade_batch_windows_{name}") - then
        for name, then in zip(("sum", "count"), before, strict=True)
    )
    assert windows == 12 * (20 + 6)  # windows of 3 rounds, and of 5; the last one decides one more
    assert batches < windows
    assert figure(server[1], "cascade_rounds_behind") == 0


def test_the_frame_moves_on_while_rounds_come(client: Client) -> None:
    circuit = circuit_of(rounds=30, p=0.02)
    events = sampled(circuit, 1)
    with client.open(circuit, "cascade:local_surface", commit=2, buffer=3) as stream:
        stream.push(events[:, : 4 + 8 * 4])
        assert eventually(lambda: stream.committed == 2)
        assert stream.confidence is not None
        assert 0.5 < stream.confidence < 1
    with client.open(circuit, "pymatching", commit=2, buffer=3) as stream:
        assert (stream.commit, stream.buffer, stream.num_observables) == (2, 3, 1)
        assert not stream.frame.any()
        stream.push(events[:, : 4 + 8 * 8])  # nine rounds: windows of 0-5, 2-7 and 4-9
        assert eventually(lambda: stream.committed == 6)
        assert stream.behind == 0
        stream.push(events[:, 4 + 8 * 8 : 4 + 8 * 9])
        assert stream.committed == 6


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Open(decoder="pymatching"), "expected a circuit or an error model to open a session, got neither"),
        (Open(decoder="pymatchin", circuit="M 0"), "unknown decoder 'pymatchin': did you mean pymatching"),
        (Open(decoder="pymatching", circuit="/etc/passwd"), "expected a Stim circuit"),
        (Open(decoder="pymatching", circuit="M 0\nDETECTOR rec[-1]"), "expected detectors with coordinates"),
        (Open(decoder="pymatching", circuit="REPEAT 2 {\n" * 300_000), "expected at most 8 loops within loops"),
        (Open(decoder="pymatching", circuit="H 16000000"), "expected at most 100,000 qubits, got 16,000,001"),
        (Open(decoder="pymatching", error_model="error(0.1) D0 L4000000000"), "expected at most 10,000 observables"),
        (Open(decoder="cascade:surface_d3", circuit=str(circuit_of(rounds=4))), "rounds"),
        (Open(decoder="pymatching", circuit=str(circuit_of()), commit=1, buffer=2**32 - 1), ""),
    ],
)
def test_what_cannot_be_opened_is_told(asked: Open, message: str, server: tuple[str, Metrics]) -> None:
    found = told(server[0], Request(open=asked).SerializeToString())
    if message:
        assert found.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert message in found.details()
    else:  # the end of the stream comes next
        assert "more rounds, the readout among them, got the end of the stream" in found.details()


OPEN = Request(open=Open(decoder="pymatching", circuit=str(circuit_of()))).SerializeToString()


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "expected a session to be opened, got the end of the stream"),
        ([b"\xff\xff"], "expected a Request of protocol.proto, got 2 bytes that are none"),
        ([b""], "got a message without either"),
        (
            [Request(rounds=Rounds(events=b"\0")).SerializeToString()],
            "expected a session to be opened first, got rounds",
        ),
        ([OPEN, OPEN], "got a session to be opened for the second time"),
        ([OPEN, Request(rounds=Rounds(events=bytes(14))).SerializeToString()], "slice 1 of 13, got 14 bytes"),
        ([OPEN, Request(rounds=Rounds(first=1, events=b"\0")).SerializeToString()], "follow the 0 sent before"),
        ([OPEN, *[Request(rounds=Rounds(events=b"\0")).SerializeToString()] * 2], "follow the 1 sent before"),
        ([OPEN, Request(rounds=Rounds(events=bytes(300_000))).SerializeToString()], "at most 262,144 bytes"),
        ([OPEN, Request(rounds=Rounds(events=b"\0")).SerializeToString()], "expected 12 more rounds"),
    ],
)
def test_who_speaks_wrongly_is_told(messages: list[bytes], message: str, server: tuple[str, Metrics]) -> None:
    found = told(server[0], *messages)
    assert found.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert message in found.details()


def told(address: str, *messages: bytes) -> Any:
    """How a server ends a stream of these messages."""
    with grpc.insecure_channel(address) as channel:
        call = channel.stream_stream(METHOD, response_deserializer=Answer.FromString)(iter(messages))
        with pytest.raises(grpc.RpcError) as caught:
            list(call)
    return caught.value


@dataclass(frozen=True)
class Odd:
    """PyMatching that waits until it may, and cannot decode four first detectors that fire."""

    may: threading.Event
    name = "odd"
    decomposed = True

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> BoundDecoder:
        return _BoundOdd(get("pymatching").bind(experiment), self.may)


@dataclass(frozen=True)
class Slow(Odd):
    """One that does not get ready, either, until it may."""

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> BoundDecoder:
        assert self.may.wait(120)
        return super().bind(experiment)


@dataclass(frozen=True)
class _BoundOdd:
    bound: BoundDecoder
    may: threading.Event

    def decode_batch(self, detection_events: np.ndarray, *, bit_packed: bool = False) -> DecodeResult:
        assert self.may.wait(120)
        if detection_events[:, :4].all(axis=1).any():
            raise ZeroDivisionError
        return self.bound.decode_batch(detection_events, bit_packed=bit_packed)


Serve = Callable[..., tuple[Client, Metrics, threading.Event]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server of the odd decoder, with limits."""
    ends = []

    def start(kind: type[Odd] = Odd, **limits: Any) -> tuple[Client, Metrics, threading.Event]:
        may, metrics = threading.Event(), Metrics()
        server = background({"odd": kind(may)}, limits=Limits(**limits), metrics=metrics)
        client = Client(server.__enter__())
        ends.extend((may.set, client.close, lambda: server.__exit__(None, None, None)))
        return client, metrics, may

    yield start
    for end in ends:
        end()


def test_who_cannot_be_decoded_does_not_take_others_along(serve: Serve) -> None:
    client, metrics, may = serve()
    circuit = circuit_of()
    events = sampled(circuit, 6)
    expected = here("pymatching", circuit, events).observables
    events[3, :4] = True
    streams = [client.open(circuit, "odd") for _ in events]
    for stream, shot in zip(streams, events, strict=True):
        stream.push(shot[None, :-4])
    assert eventually(lambda: figure(metrics, "cascade_rounds_total") == 6 * 12)
    may.set()
    for number, (stream, shot) in enumerate(zip(streams, events, strict=True)):
        if number == 3:
            with pytest.raises(ConnectionError, match="the server failed: ZeroDivisionError"):
                stream.finish(shot[None, -4:])
        else:
            assert stream.finish(shot[None, -4:]).observables[0] == expected[number]


def test_who_cannot_be_decided_later_does_not_take_others_along(serve: Serve) -> None:
    """Two are decided together, and then the next window of one of them: that is the one that cannot be."""
    client, metrics, may = serve()
    may.set()
    streams = [client.open(circuit_of(rounds=1000), "odd", commit=2, buffer=2) for _ in range(3)]
    for stream in streams:
        stream.push(np.zeros((1, 4 + 8 * 59), np.bool_))
    assert eventually(lambda: all(stream.committed == 58 for stream in streams))
    may.clear()
    first, second, third = streams
    first.push(np.zeros((1, 8 * 2), np.bool_))  # the next batch fills meanwhile
    assert eventually(lambda: figure(metrics, "cascade_rounds_total") == 3 * 60 + 2)
    second.push(np.zeros((1, 8 * 2), np.bool_))
    third.push(np.arange(8 * 4)[None] < 4)
    assert eventually(lambda: figure(metrics, "cascade_rounds_total") == 3 * 60 + 2 + 2 + 4)
    may.set()
    with pytest.raises(ConnectionError, match="the server failed: ZeroDivisionError"):
        third.result()
    assert eventually(lambda: first.committed == second.committed == 60)
    second.push(np.zeros((1, 8 * 2), np.bool_))
    assert eventually(lambda: second.committed == 62)


def test_who_is_too_far_behind_is_not_read_from(serve: Serve) -> None:
    client, metrics, may = serve(rounds_behind=100, message_rounds=30)
    nothing = np.zeros((1, 8 * 50), np.bool_)
    with client.open(circuit_of(rounds=10**6), "odd", commit=40, buffer=4) as stream:
        stream.push(nothing[:, :4])
        blocks = (stream.push(nothing, timeout=0.2) for _ in range(20_000))
        with pytest.raises(TimeoutError, match=r"the server to take more rounds within 0\.2 s"):
            deque(blocks, maxlen=0)
        # what the server has not read is in flight, within bounds that gRPC has
        assert stream.rounds < 500_000
        assert stream.rounds % 50 == 1  # nothing of what did not go is sent
        assert figure(metrics, "cascade_rounds_total") == 1 + 3 * 50
        assert figure(metrics, "cascade_rounds_behind_most") == 151 - 44 + 1
        may.set()
        assert eventually(lambda: figure(metrics, "cascade_rounds_total") == stream.rounds)
        stream.push(nothing)
        assert eventually(lambda: stream.behind == 0)


def test_only_so_many_are_let_in_and_who_has_gone_makes_room(serve: Serve) -> None:
    client, metrics, may = serve(sessions=2)
    may.set()
    circuit = circuit_of()
    first, second = client.open(circuit, "odd"), client.open(circuit, "odd")
    with pytest.raises(CascadeError, match="the server has 2 sessions, and opens no more"):
        client.open(circuit, "odd")
    first.close()
    with pytest.raises(CascadeError, match="got one that is closed"):
        first.push(np.zeros((1, 4), np.bool_))
    assert eventually(lambda: figure(metrics, "cascade_sessions") == 1)
    ended = partial(metrics.registry.get_sample_value, "cascade_sessions_ended_total")
    assert eventually(lambda: ended({"status": "CANCELLED"}) == 1)
    assert ended({"status": "INVALID_ARGUMENT"}) is None
    events = np.zeros((1, circuit.num_detectors), np.bool_)
    with client.open(circuit, "odd") as third:
        assert not there(third, events, [5]).observables.any()
    assert not there(second, events, [12]).observables.any()


def test_who_does_not_wait_for_a_session_leaves_none(serve: Serve) -> None:
    client, _, may = serve(sessions=1)
    may.set()
    with pytest.raises(TimeoutError, match="the server to open a session within 0 s"):
        client.open(circuit_of(), "odd", timeout=0)
    assert eventually(lambda: opens(client))


def opens(client: Client) -> bool:
    """Whether the server opens a session now."""
    try:
        client.open(circuit_of(), "odd").close()
    except CascadeError:
        return False
    return True


def test_what_those_who_have_gone_wanted_is_bounded(serve: Serve) -> None:
    client, _, may = serve(Slow, sessions=3)
    said: list[str] = []

    def refused() -> bool:
        with pytest.raises((TimeoutError, CascadeError)) as caught:
            client.open(circuit_of(rounds=3 + len(said)), "odd", timeout=1)
        said.append(str(caught.value))
        return "the server is making 3 experiments ready, and takes no more" in said[-1]

    assert eventually(refused)
    may.set()
    assert eventually(lambda: opens(client))


def test_who_says_nothing_is_not_waited_for(serve: Serve) -> None:
    client, _, may = serve(idle_seconds=0.3)
    may.set()
    circuit = circuit_of()
    stream = client.open(circuit, "odd")
    stream.push(np.zeros((1, 4), np.bool_))
    with pytest.raises(CascadeError, match=r"expected 12 more rounds, the readout among them within 0\.3 s"):
        stream.result()


def test_who_does_not_read_is_not_waited_for(serve: Serve) -> None:
    client, metrics, may = serve(write_seconds=0.3)
    may.set()
    model = """
        repeat 500 {
            error(0.01) D0 D1
            error(0.01) D0 L9999
            detector(0, 0, 0) D0
            shift_detectors(0, 0, 1) 1
        }
        detector(0, 0, 0) D0
    """
    asked = Request(open=Open(decoder="odd", error_model=model, commit=1, buffer=1))

    def requests() -> Iterator[Request]:
        yield asked
        for t in range(501):
            time.sleep(0.003)  # or one frame would stand for many
            yield Request(rounds=Rounds(first=t, events=b"\0"))

    with grpc.insecure_channel(client.address, [("grpc.http2.bdp_probe", 0)]) as channel:
        call = channel.stream_stream(METHOD, Request.SerializeToString, Answer.FromString)(requests())
        assert eventually(lambda: figure(metrics, "cascade_sessions") == 1)
        assert eventually(lambda: figure(metrics, "cascade_sessions") == 0)
        assert metrics.registry.get_sample_value("cascade_sessions_ended_total", {"status": "DEADLINE_EXCEEDED"}) == 1
        with pytest.raises(grpc.RpcError, match=r"expected a client that reads its answers within 0\.3 s"):
            list(call)


def test_large_experiments_are_refused(serve: Serve) -> None:
    client, _, may = serve(experiment_bytes=1000, message_bytes=10)
    may.set()
    with pytest.raises(CascadeError, match=r"at most 1,000 bytes, got [\d,]+|larger than max"):
        client.open(circuit_of(), "odd")


def test_a_stream_that_a_server_leaves_is_told() -> None:
    circuit = circuit_of()
    with background(["pymatching"]) as address:
        client = Client(address)
        stream = client.open(circuit, "pymatching")
        stream.push(np.zeros((1, 4), np.bool_))
    with pytest.raises(ConnectionError, match="the server stops before this session has ended"):
        stream.result()
    with pytest.raises(ConnectionError, match="the decoding server"):
        client.open(circuit, "pymatching", timeout=5)
    client.close()


def test_of_several_servers_one_may_go(server: tuple[str, Metrics]) -> None:
    circuit = circuit_of()
    nothing = np.zeros((1, circuit.num_detectors), np.bool_)
    open_sessions = partial(figure, server[1], "cascade_sessions")
    assert eventually(lambda: open_sessions() == 0)
    before = figure(server[1], "cascade_rounds_total")
    with background(["pymatching"]) as other:
        client, first = Client(f"ipv4:{server[0]},{other}"), []

        def both() -> bool:  # are connected
            first.append(client.open(circuit, "pymatching"))
            return 0 < open_sessions() < len(first)

        assert eventually(both)
        for stream in first:
            stream.close()
        streams = [client.open(circuit, "pymatching") for _ in range(4)]
        for stream in streams:
            stream.push(nothing[:, :4])
        assert eventually(lambda: figure(server[1], "cascade_rounds_total") == before + 2)
    lost = 0
    for stream in streams:
        try:
            assert not there(stream, nothing, [3]).observables.any()
        except ConnectionError:
            lost += 1
    assert lost == 2
    with client, client.open(circuit, "pymatching") as stream:
        assert not there(stream, nothing, [3]).observables.any()


def test_misuse_is_told_before_anything_is_sent(client: Client) -> None:
    circuit = circuit_of()
    for commit in (0, -1, 2**32):
        with pytest.raises(CascadeError, match=f"expected windows of 1 to .* rounds, got {commit} and None"):
            client.open(circuit, "pymatching", commit=commit)
    with client.open(circuit, "pymatching") as stream:
        with pytest.raises(CascadeError, match=r"expected the events of rounds as \[1, detectors\], got \[4\]"):
            stream.push(np.zeros(4, np.bool_))
        with pytest.raises(CascadeError, match=r"whole rounds, 4 detectors in 1 bytes .* got 5 detectors"):
            stream.push(np.zeros((1, 5), np.bool_))
        with pytest.raises(CascadeError, match="expected 12 more rounds before the readout"):
            stream.finish(np.zeros((1, 4), np.bool_))
        there(stream, np.zeros((1, circuit.num_detectors), np.bool_), [12])
        with pytest.raises(CascadeError, match="expected no more rounds after the readout, got 4 detectors"):
            stream.finish(np.zeros((1, 4), np.bool_))


def test_a_server_that_cannot_decide_any_more_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Metrics, "turn", broken)  # a bug, of those that nobody expects

    async def run() -> str:
        server = Server({"pymatching": get("pymatching")})
        port = await server.start("127.0.0.1:0")
        found = asyncio.create_task(asyncio.to_thread(refused, f"127.0.0.1:{port}"))
        await server.until(asyncio.Event())
        with pytest.raises(ZeroDivisionError):
            await server.stop(20)
        return await found

    def refused(address: str) -> str:
        circuit = circuit_of()
        with Client(address) as client, pytest.raises(ConnectionError) as caught:
            there(client.open(circuit, "pymatching"), np.zeros((1, circuit.num_detectors), np.bool_), [5])
        return str(caught.value)

    assert asyncio.run(run()) == "the decoding server: the server stops before this session has ended"
