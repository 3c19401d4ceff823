"""Messages that are none, or not of this time: does the server say so, and go on?

    python -m workshop.studies.serving_malformed --messages 100000

Each stream has one thing wrong with it, drawn at random. It must end with a status that blames the client and says
why. Between them a session that is right is decided. A row for every kind and status: results/serving_malformed.csv.
"""

import argparse
import random
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc

from cascade_qec import circuits, codes
from cascade_qec.cli.progress import progress
from cascade_qec.serving import Client
from cascade_qec.serving.client import METHOD
from cascade_qec.serving.protocol_pb2 import Answer, Open, Request, Rounds
from cascade_qec.tables import Circumstances, circumstances, write_rows
from workshop import RESULTS
from workshop.served import Job, ServerProcess

TABLE = RESULTS / "serving_malformed.csv"
DECODER, CODE, ROUNDS, P, SEED = "pymatching", "surface_d3", 3, 0.003, 13
BLAMED = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)
EVERY = 1000
"""Streams after which a session is right."""


class Row(Circumstances):
    """Streams with one thing wrong.

    Attributes
    ----------
    kind
        What was wrong.
    status
        How the server ended them.
    streams
    seed
    """

    kind: str
    status: str
    streams: int
    seed: int


class Malformed:
    """Draws streams of messages with something wrong."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        noise = circuits.UniformDepolarizing(P)
        circuit = circuits.memory(codes.get(CODE), rounds=ROUNDS, noise=noise)
        text, model = str(circuit), str(circuit.detector_error_model(decompose_errors=True))
        self._text = text
        self._open = Request(open=Open(decoder=DECODER, circuit=text)).SerializeToString()
        self._model = Request(open=Open(decoder=DECODER, error_model=model)).SerializeToString()
        self._slow = (self.of_flipped_open, self.of_changed_characters)
        self._kinds = [getattr(self, name) for name in dir(self) if name.startswith("of_")]

    def draw(self) -> tuple[str, list[bytes]]:
        """A kind, and the messages of a stream; damaged experiments, which take longer, are a fifth as frequent."""
        kind = self._chance.choices(self._kinds, [0.2 if kind in self._slow else 1 for kind in self._kinds])[0]
        return kind.__name__.removeprefix("of_"), kind()

    def of_random_bytes(self) -> list[bytes]:
        return [*[self._open] * self._chance.randrange(2), self._chance.randbytes(self._chance.randrange(200))]

    def of_truncated_open(self) -> list[bytes]:
        return [self._open[: self._chance.randrange(len(self._open))]]

    def of_flipped_open(self) -> list[bytes]:
        return [self._flipped(self._chance.choice([self._open, self._model]))]

    def of_changed_characters(self) -> list[bytes]:
        text = list(self._text)
        for _ in range(self._chance.randrange(1, 4)):
            text[self._chance.randrange(len(text))] = self._chance.choice("0123456789(){}[]^.- DLRMX\n#")
        return [Request(open=Open(decoder=DECODER, circuit="".join(text))).SerializeToString()]

    def of_unknown_decoder(self) -> list[bytes]:
        name = "".join(chr(self._chance.randrange(1, 0xD000)) for _ in range(self._chance.randrange(100)))
        return [Request(open=Open(decoder=name, circuit=self._text)).SerializeToString()]

    def of_rounds_before_open(self) -> list[bytes]:
        return [self._rounds(0, 1), self._open]

    def of_second_open(self) -> list[bytes]:
        return [self._open, *[self._rounds(0, 1)] * self._chance.randrange(2), self._open]

    def of_other_rounds(self) -> list[bytes]:
        return [self._open, self._rounds(self._chance.choice([1, 2, 2**32, 2**64 - 1]), 1)]

    def of_other_length(self) -> list[bytes]:
        return [self._open, self._rounds(0, self._chance.choice([0, 8, 9, 1000, 200_000]))]

    def of_rounds_that_are_missing(self) -> list[bytes]:
        return [self._open, self._rounds(0, self._chance.randrange(1, ROUNDS + 1))]

    def of_bits_beyond_the_last(self) -> list[bytes]:
        return [self._open, Request(rounds=Rounds(events=bytes([16 << self._chance.randrange(4)]))).SerializeToString()]

    def of_flipped_rounds(self) -> list[bytes]:
        return [self._open, self._flipped(self._rounds(0, 3))]

    def of_too_large(self) -> list[bytes]:
        return [self._open, bytes(5 << 20)] if self._chance.random() < 0.02 else [self._open, self._rounds(0, 300_000)]

    def _rounds(self, first: int, size: int) -> bytes:
        return Request(rounds=Rounds(first=first, events=bytes(size))).SerializeToString()

    def _flipped(self, message: bytes) -> bytes:
        changed = bytearray(message)
        for _ in range(self._chance.randrange(1, 9)):
            changed[self._chance.randrange(len(changed))] ^= 1 << self._chance.randrange(8)
        return bytes(changed)


def attack(address: str, streams: int, seed: int) -> Iterator[tuple[str, grpc.StatusCode, str]]:
    """Send so many, and tell the kind, the status and the sentence of each."""
    malformed = Malformed(seed)
    with grpc.insecure_channel(address) as channel:
        decode = channel.stream_stream(METHOD, response_deserializer=Answer.FromString)
        for _ in range(streams):
            kind, messages = malformed.draw()
            call: Any = decode(iter(messages), timeout=300)
            try:
                for _ in call:
                    pass
            except grpc.RpcError:
                pass
            yield kind, call.code(), call.details()


def shout(address: str, seed: int) -> None:
    """Send bytes that are not even HTTP/2."""
    chance = random.Random(seed)
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(
            chance.choice([b"", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]) + chance.randbytes(chance.randrange(2000))
        )


def measure(streams: int, seed: int) -> list[Row]:
    """Send so many malformed messages, and now and then something right."""
    job = Job.of(DECODER, CODE, ROUNDS, p=P, shots=1, seed=SEED)
    tally: Counter[tuple[str, str]] = Counter()
    with ServerProcess([DECODER]) as server, progress("streams") as report:
        address = f"127.0.0.1:{server.port}"
        with Client(address) as client:
            for number, (kind, status, sentence) in enumerate(attack(address, streams, seed)):
                tally[kind, status.name] += 1
                if status not in BLAMED or not sentence:
                    print(f"{kind}: {status.name} {sentence}")
                if number % EVERY == 0:
                    shout(address, seed + number)
                    with client.open(job.circuit, job.decoder) as stream:
                        *blocks, readout = job.blocks(stream, 0, 2)
                        for block in blocks:
                            stream.push(block)
                        if not job.right(stream, 0, stream.finish(readout).observables):
                            raise RuntimeError(f"a wrong answer after {number} streams")
                    report(number, streams)
        print(f"{server.megabytes:.0f} MB at the end")
    return [
        Row(kind=kind, status=status, streams=count, seed=seed, **circumstances())
        for (kind, status), count in sorted(tally.items())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=TABLE)
    given = parser.parse_args()
    write_rows(given.out, measure(given.messages, given.seed))


if __name__ == "__main__":
    main()
