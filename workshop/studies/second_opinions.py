"""Surface codes by local_surface, and a second decoder for the shots that it doubts.

    python -m workshop.studies.second_opinions --seconds 100

The model decodes every shot once; a second decoder is then asked about those of which the model is less sure than a
threshold, as `cascade_qec.load(..., fallback=, below=)` does. Matching and correlated matching decode the same shots.
Times are the processor's, and a second opinion's has the model's in it. A distance at one noise rate is done when it
has its failures or has spent its seconds; what the table has is kept. Writes results/second_opinions.csv and the tables
in docs/local.md.
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_qec import circuits, codes, decoders
from cascade_qec.cli.progress import progress
from cascade_qec.codes import BASES
from cascade_qec.decoders.escalation import EscalatingDecoder, after_asking
from cascade_qec.decoders.protocol import BoundDecoder, Decoder
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import Circumstances, read_rows, write_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.collections import duration
from workshop.pages.text import filled, table
from workshop.studies.budgets import Tally

TABLE = RESULTS / "second_opinions.csv"
PAGE = CHECKOUT / "docs" / "local.md"
MODEL = "local_surface"
ALONE = ("pymatching", "pymatching-correlated")
SECOND = {"pymatching-correlated": 0.75, "bposd-lowest": 0.99}
"""Decoders that are asked, and the confidence of the model below which they are."""

DISTANCES = (3, 5, 7, 9, 11, 13)
LARGE = (17, 21)
"""Distances that take many seconds, only where they are named."""

RATES = (0.002, 0.003, 0.005)
BATCH = 256


class OpinionRow(Row, Circumstances):
    """What a decoder did on shots that others decoded too; its time is that of the CPU.

    Attributes
    ----------
    asked
        Shots that the second decoder decided.
    """

    asked: int = 0


@dataclass
class OpinionTally(Tally):
    """What a decoder has done, and how many shots the second decided."""

    asked: int = 0


def name_of(second: str) -> str:
    return f"{MODEL}+{second}"


NAMES = (*ALONE, MODEL, *map(name_of, SECOND))


def decoder(name: str) -> Decoder:
    """One of them by its name."""
    if name in ALONE:
        return decoders.get(name)
    model, second = decoders.get(f"cascade:{MODEL}", device="cpu"), name.partition("+")[2]
    return EscalatingDecoder(model, decoders.get(second), SECOND[second]) if second else model


def decode(
    bound: dict[str, BoundDecoder],
    events: NDArray[np.bool_],
    observables: NDArray[np.bool_],
    tallies: dict[str, OpinionTally],
) -> None:
    """A batch by all: those alone, the model, and the model with each second opinion."""
    for name in (*ALONE, MODEL):
        began = time.process_time()
        result = bound[name].decode_batch(events)
        seconds = time.process_time() - began
        tallies[name].count(result.observables, observables, seconds)
    for second, below in SECOND.items():
        began = time.process_time()
        doubted = result.confidence_of(MODEL) < below
        decided = after_asking(bound[second], events, result, doubted)
        tallies[name_of(second)].count(decided, observables, seconds + time.process_time() - began)
        tallies[name_of(second)].asked += int(doubted.sum())


def measured(d: int, rounds: int, p: float, failures: int, seconds: float, seed: int) -> list[OpinionRow]:
    """All of them on the same shots, both bases."""
    code, noise = codes.get(f"surface_d{d}"), circuits.UniformDepolarizing(p)
    tallies = {name: OpinionTally() for name in NAMES}
    experiments = []
    for basis in BASES:
        circuit = circuits.memory(code, rounds=rounds, basis=basis, noise=noise)
        bound = {name: decoders.get(name).bind(circuit) for name in {*ALONE, *SECOND}}
        bound[MODEL] = decoder(MODEL).bind(circuit)
        sampler = circuit.compile_detector_sampler(seed=seed)
        first, _ = sampler.sample(2, separate_observables=True)
        for one in bound.values():  # what is made at the first shots is not timed
            one.decode_batch(first)
        experiments.append((bound, sampler))
    began = time.process_time()
    with progress(f"{code.name}, {100 * p:g} %, failures") as report:
        while min(t.failures for t in tallies.values()) < failures and time.process_time() - began < seconds:
            for bound, sampler in experiments:
                events, observables = sampler.sample(BATCH, separate_observables=True)
                decode(bound, events, observables, tallies)
            report(min(t.failures for t in tallies.values()), failures)
    return [
        OpinionRow(**tally.facts(code, rounds, p, name, decoder(name), seed), asked=tally.asked)
        for name, tally in tallies.items()
    ]


def lines(rows: list[OpinionRow]) -> list[str]:
    """The table of the documentation."""
    cells = []
    for place in dict.fromkeys(map(_place, rows)):
        own = {row.decoder: row for row in rows if _place(row) == place}
        model = own[MODEL]
        told = [f"{model.code}, {model.rounds}", f"{100 * model.p:g} %", f"{model.shots:,}"]
        cells.append([*told, *(_cell(own[name]) for name in NAMES)])
    return table(["code, rounds", "p", "shots", *(name.replace("+", "<br>+ ") for name in NAMES)], cells, left=2)


def _place(row: OpinionRow) -> tuple[float, int, int]:
    return row.p, row.rounds, int(row.code.removeprefix("surface_d"))


def _cell(row: OpinionRow) -> str:
    told = f"{row.failures:,}<br>{row.block_error.value:.1e}<br>{duration(row.seconds / row.shots)}"
    return f"{told}<br>{row.asked / row.shots:.1%} asked" if row.asked else told


def with_tables(text: str) -> str:
    """The page with the table as the results have it."""
    return filled(text, "second opinions", lines(read_rows(TABLE, OpinionRow)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--distances", nargs="+", type=int, choices=(*DISTANCES, *LARGE), default=DISTANCES)
    parser.add_argument("--rounds", type=int, help="of every distance; d unless given")
    parser.add_argument("--rates", nargs="+", type=float, default=RATES)
    parser.add_argument("--failures", type=int, default=200, help="of every decoder, of each code at one noise rate")
    parser.add_argument("--seconds", type=float, default=100.0, help="of the processor, at most, likewise")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--again", action="store_true", help="also what the table has")
    arguments = parser.parse_args()
    rows: list[OpinionRow] = read_rows(TABLE, OpinionRow) if TABLE.exists() else []
    for p in arguments.rates:
        for d in arguments.distances:
            rounds = arguments.rounds or d
            if arguments.again or (p, rounds, d) not in map(_place, rows):
                rows = [row for row in rows if _place(row) != (p, rounds, d)]
                rows += measured(d, rounds, p, arguments.failures, arguments.seconds, arguments.seed)
                rows.sort(key=_place)
                write_rows(TABLE, rows)
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
