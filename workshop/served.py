"""A decoding server in a process of its own, as the studies of it start it, and what they ask it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec import circuits, codes
from cascade_qec.decoders import get
from cascade_qec.decoders.named import NamedModel
from cascade_qec.decoders.streams import Stream, windows
from cascade_qec.serving import RemoteStream


class ServerProcess:
    """``cascade serve``, until it is left or killed.

    Parameters
    ----------
    decoders
    port
        0 for one that is free.

    Attributes
    ----------
    port : int
    """

    def __init__(self, decoders: Sequence[str], *, port: int = 0) -> None:
        words = [sys.executable, "-m", "cascade_qec", "serve", "--decoders", ",".join(decoders)]
        words += ["--port", str(port), "--metrics_port", "0", "--drain_seconds", "5"]
        said, name = tempfile.mkstemp()  # a pipe that nobody reads would be full some day
        self._process, self._said = subprocess.Popen(words, stderr=said), Path(name)
        os.close(said)
        self.port = int(self._told(r"Listening on 127\.0\.0\.1:(\d+),"))
        self._metrics = self._told(r"Metrics on (\S+)\n")

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        if self._process.wait(timeout=60) != 0:
            raise RuntimeError(f"the server ended with {self._process.returncode}: {self._said.read_text()}")
        self._said.unlink()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        self._said.unlink()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def cpu_seconds(self) -> float:
        """That it has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def megabytes(self) -> float:
        """Of memory that it holds."""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self._process.pid}/status").read_text())
        assert found
        return int(found[1]) / 1024

    def figures(self) -> dict[str, float]:
        """What it tells Prometheus, by name and labels."""
        with urllib.request.urlopen(self._metrics, timeout=60) as page:
            lines = page.read().decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}

    def _told(self, line: str) -> str:
        while self.alive:
            if found := re.search(line, self._said.read_text()):
                return found[1]
            time.sleep(0.05)
        raise RuntimeError(f"the server ended with {self._process.wait()} before it said {line}")


@dataclass(frozen=True)
class Job:
    """Shots of an experiment, and what a decoder's own stream makes of them.

    Attributes
    ----------
    decoder
    circuit
    events : bool [shots, detectors]
    expected : bool [shots, k]
    """

    decoder: str
    circuit: stim.Circuit
    events: NDArray[np.bool_]
    expected: NDArray[np.bool_]

    @classmethod
    def of(cls, decoder: str, code: str, rounds: int, *, p: float, shots: int, seed: int) -> Job:
        """Sample them, and decode them here."""
        noise = circuits.UniformDepolarizing(p)
        circuit = circuits.memory(codes.get(code), rounds=rounds, noise=noise)
        events, _ = circuit.compile_detector_sampler(seed=seed).sample(shots, separate_observables=True)
        model = get(decoder)
        made = windows(model.loaded() if isinstance(model, NamedModel) else model, circuit)
        stream, readout = Stream(made, shots), made.timeline.size(made.slices - 1)
        stream.push(events[:, :-readout])
        return cls(decoder, circuit, events, stream.finish(events[:, -readout:]).observables)

    def blocks(self, stream: RemoteStream, shot: int, rounds: int) -> list[NDArray[np.bool_]]:
        """The events of a shot in blocks of so many rounds, the last one that of the readout, bool [1, detectors]."""
        sizes = [stream.sizes[t] for t in range(stream.sizes.slices)]
        ends = [*np.cumsum(sizes)[rounds - 1 : -1 : rounds].tolist()]
        if not ends or ends[-1] != sum(sizes[:-1]):
            ends.append(sum(sizes[:-1]))
        return np.split(self.events[[shot]], ends, axis=1)

    def right(self, stream: RemoteStream, shot: int, found: NDArray[np.bool_]) -> bool:
        """Whether a stream has decided every round, once, as it is decided here."""
        return stream.committed == stream.sizes.slices and bool((found[0] == self.expected[shot]).all())
