"""What is asked of CUDA, in which order, as a stand-in writes it down; the other tests use a GPU where there is one."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from cascade_qec.kernels.graphs import captured
from cascade_qec.training import distributed
from cascade_qec.training.data import TRAINING, Rows, sample
from cascade_qec.training.feed import Examples, feed
from cascade_qec.training.step import Throttle

CUDA = torch.device("cuda:0")


class Log(list[str]):
    """What was asked, in order; streams and events are numbered from 0, the default stream is "main"."""

    def __init__(self) -> None:
        self.streams = self.events = 0


@pytest.fixture
def log(monkeypatch) -> Log:
    log = Log()

    class Stream:
        def __init__(self, device):
            self.name = "main" if device is None else f"stream {log.streams}"
            log.streams += device is not None

        def wait_stream(self, other):
            log.append(f"{self.name} waits for {other.name}")

        def wait_event(self, event):
            log.append(f"{self.name} waits for {event.name}")

    class Event:
        def __init__(self, blocking=False):
            self.name = f"event {log.events}"
            log.events += 1

        def record(self, stream):
            log.append(f"{self.name} on {stream.name}")

        def synchronize(self):
            log.append(f"host waits for {self.name}")

    class Graph:
        def replay(self):
            log.append("replay")

    current = [Stream(None)]

    @contextmanager
    def stream(chosen) -> Iterator[None]:
        current.append(chosen)
        yield
        current.pop()

    @contextmanager
    def graph(graph, *, pool, stream, capture_error_mode) -> Iterator[None]:
        assert stream is current[-1]
        log.append("capture")
        yield
        log.append("captured")

    for name, value in {"Stream": Stream, "Event": Event, "CUDAGraph": Graph, "stream": stream, "graph": graph}.items():
        monkeypatch.setattr(torch.cuda, name, value)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: current[-1])
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: log.append("pin") or self)
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda self, stream: log.append(f"kept for {stream.name}"))
    return log


class TestCapture:
    def test_warm_up_and_capture_on_a_stream_of_their_own(self, log):
        def double(x):
            log.append(f"run on {torch.cuda.current_stream(CUDA).name}")  # pyright: ignore[reportAttributeAccessIssue]
            return 2 * x

        replay = captured(double, torch.tensor(3.0))
        runs = ["run on stream 0"] * 3
        begin, end = "stream 0 waits for main", "main waits for stream 0"
        assert log == [begin, *runs, "capture", "run on stream 0", "captured", end]
        log.clear()
        assert replay(torch.tensor(4.0)) == 6.0  # nothing was recorded here, so this is what the capture gave
        assert log == ["replay"]

    def test_inputs_are_copied_to_where_the_graph_reads_them(self, log):
        replay = captured(lambda x: x.view(2), torch.zeros(2))
        given = torch.tensor([1.0, 2.0])
        first = replay(given)
        assert torch.equal(first, given)
        replay(torch.zeros(2))
        assert torch.equal(first, given)  # outputs are the caller's own


def test_the_host_stays_two_steps_ahead(log):
    throttle = Throttle(CUDA)
    for _ in range(4):
        throttle.step_done()
    assert log == [
        "event 0 on main",
        "event 1 on main",
        "event 2 on main",
        "host waits for event 0",
        "event 3 on main",
        "host waits for event 1",
    ]


def test_a_cpu_is_not_throttled(log):
    Throttle(torch.device("cpu")).step_done()
    assert log == []


class TestFeed:
    def test_the_next_two_are_ready_before_one_is_used(self, log):
        def unpack(rows):
            packed = rows.bits
            log.append(f"unpack {packed[0, 0]} on {torch.cuda.current_stream(CUDA).name}")  # pyright: ignore[reportAttributeAccessIssue]
            return packed, packed + 1

        unpack.device = CUDA
        batches = (Rows(np.full((1, 1), number, dtype=np.uint8)) for number in range(4))
        for number, (states, labels) in enumerate(feed(batches, unpack)):
            log.append(f"use {states.item()}")
            assert (states.item(), labels.item()) == (number, number + 1)

        def made(number):
            return ["pin", f"unpack {number} on stream 0", f"event {number} on stream 0"]

        def used(number):
            return [f"main waits for event {number}", *["kept for main"] * 2, f"use {number}"]

        begin = ["stream 0 waits for main"]  # on which the unpacker was made
        assert log == [*begin, *made(0), *made(1), *made(2), *used(0), *made(3), *used(1), *used(2), *used(3)]

    def test_gives_what_the_unpacker_gives(self, tiny, device):
        recipe = tiny()
        packed = [sample(recipe, TRAINING, 0, micro, 8) for micro in range(5)]
        found = list(feed(packed, Examples(recipe, device)))
        expected = [Examples(recipe, torch.device("cpu"))(rows) for rows in packed]
        assert len(found) == len(expected)
        for batch, batch_expected in zip(found, expected, strict=True):
            for one, other in zip(batch, batch_expected, strict=True):
                assert one.device == device
                assert torch.equal(one.cpu(), other)

    def test_on_a_cpu_nothing_is_made_before_it_is_asked_for(self, tiny):
        recipe = tiny()
        asked = []
        packed = (asked.append(micro) or sample(recipe, TRAINING, 0, micro, 8) for micro in range(3))
        batches = feed(packed, Examples(recipe, torch.device("cpu")))
        next(batches)
        assert asked == [0]


class TestProcesses:
    @pytest.fixture
    def asked(self, monkeypatch) -> list[str]:
        asked = []
        monkeypatch.setattr(torch.cuda, "set_device", asked.append)
        monkeypatch.setattr(distributed.dist, "init_process_group", asked.append)
        monkeypatch.setattr(distributed.dist, "destroy_process_group", lambda: asked.append("end"))
        return asked

    @pytest.mark.parametrize(("device", "expected"), [("cuda:1", ["cuda:1"]), ("cuda", []), ("cpu", [])])
    def test_one(self, device, expected, asked, monkeypatch):
        monkeypatch.delenv("WORLD_SIZE", raising=False)
        with distributed.process_group(device) as chosen:
            assert chosen == device
        assert asked == expected

    @pytest.mark.parametrize(
        ("device", "chosen", "expected"),
        [("cuda", "cuda:3", ["cuda:3", "cpu:gloo,cuda:nccl", "end"]), ("cpu", "cpu", ["gloo", "end"])],
    )
    def test_several(self, device, chosen, expected, asked, monkeypatch):
        announced = {"WORLD_SIZE": 8, "RANK": 3, "LOCAL_RANK": 3, "MASTER_ADDR": "localhost", "MASTER_PORT": 29500}
        for name, value in announced.items():
            monkeypatch.setenv(name, str(value))
        with distributed.process_group(device) as found:
            assert found == chosen
        assert asked == expected
