"""A server, and experiments to send it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.decoders import DecodeResult, get
from cascade_qec.decoders.named import NamedModel
from cascade_qec.decoders.streams import Stream, windows
from cascade_qec.serving import Client, RemoteStream, background
from cascade_qec.serving.metrics import Metrics

OFFERED = ["pymatching", "cascade:local_surface", "cascade:surface_d3"]


def circuit_of(code: str = "surface_d3", rounds: int = 12, p: float = 0.006) -> stim.Circuit:
    noise = circuits.UniformDepolarizing(p)
    return circuits.memory(codes.get(code), rounds=rounds, basis="Z", noise=noise)


def sampled(circuit: stim.Circuit, shots: int, seed: int = 7) -> np.ndarray:
    return circuit.compile_detector_sampler(seed=seed).sample(shots)


def here(name: str, circuit: stim.Circuit, events: np.ndarray, **sizes: int) -> DecodeResult:
    """What the decoder's own stream says, each shot by itself for what it says of one."""
    decoder = get(name)
    made = windows(decoder.loaded() if isinstance(decoder, NamedModel) else decoder, circuit, **sizes)
    stream, readout = Stream(made, len(events)), made.timeline.size(made.slices - 1)
    stream.push(events[:, :-readout])
    return stream.finish(events[:, -readout:])


def there(stream: RemoteStream, events: np.ndarray, pushes: list[int]) -> DecodeResult:
    """What a server says of one shot, bool [1, detectors]; rounds are sent in blocks of these sizes, over again."""
    at = np.concatenate([[0], np.cumsum([stream.sizes[t] for t in range(stream.sizes.slices)])])
    last = stream.sizes.slices - 1
    while stream.rounds < last:
        stop = min(last, stream.rounds + pushes[0])
        pushes = [*pushes[1:], pushes[0]]
        stream.push(events[:, at[stream.rounds] : at[stop]])
    return stream.finish(events[:, at[last] :])


def eventually(condition: Callable[[], bool], seconds: float = 120.0) -> bool:
    """Whether it comes true before long."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def figure(metrics: Metrics, name: str) -> float:
    """A figure of a server."""
    value = metrics.registry.get_sample_value(name)
    assert value is not None
    return value


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[str, Metrics]]:
    """The address of a server, and its figures."""
    metrics = Metrics()
    with background(OFFERED, batch_seconds=0.002, metrics=metrics) as address:
        yield address, metrics


@pytest.fixture
def client(server: tuple[str, Metrics]) -> Iterator[Client]:
    """A client of it."""
    with Client(server[0]) as client:
        yield client


Start = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a server, and tells the process and the address that it listens on."""
    processes = []

    def command(*flags: str) -> tuple[subprocess.Popen[str], str]:
        words = [sys.executable, "-m", "cascade_qec", "serve", "--decoders", "pymatching", "--port", "0", *flags]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        return process, said(process, r"Listening on (\S+), for pymatching")

    yield command
    for process in processes:
        process.kill()
        process.wait()
        process.stderr.close()


def said(process: subprocess.Popen[str], line: str) -> str:
    """What the line of a process that is like this one says in its parentheses; gRPC logs between lines."""
    assert process.stderr
    for got in process.stderr:
        if found := re.fullmatch(line, got.strip()):
            return found[1] if found.groups() else ""
    raise AssertionError(line)
