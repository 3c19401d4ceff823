"""Local models, and a second decoder for the shots that they doubt.

    python -m workshop.studies.second_opinions --seconds 100
    python -m workshop.studies.second_opinions --codes bb72 bb108 bb144 --seconds 100
    python -m workshop.studies.second_opinions --codes gb48 --rates 0.003 0.005 --failures 100 --seconds 100

The model decodes every shot once; a second decoder is then asked about those of which the model is less sure than a
threshold, as `cascade_qec.load(..., fallback=, below=)` does. On surface codes matching and correlated matching decode
the same shots, on gb48 BP+OSD alone.
Times are the processor's, and a second opinion's has the model's in it. A code at one noise rate is done when it
has its failures or has spent its seconds; what the table has is kept. Writes results/second_opinions.csv and the tables
in docs/local.md.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_qec import circuits, codes, decoders
from cascade_qec.cli.progress import progress
from cascade_qec.codes import BASES
from cascade_qec.decoders.advice import advised
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


@dataclass(frozen=True)
class Panel:
    """Who decodes a code.

    Attributes
    ----------
    model
        Its name.
    second
        Decoders that are asked, and the confidence of the model below which they are.
    alone
        Others on the same shots.
    """

    model: str
    second: dict[str, float]
    alone: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """As the table has them."""
        return (*self.alone, self.model, *map(self.name_of, self.second))

    def name_of(self, second: str) -> str:
        return f"{self.model}+{second}"

    def decoder(self, name: str) -> Decoder:
        """One of them by its name."""
        if name in self.alone:
            return decoders.get(name)
        model, second = decoders.get(f"cascade:{self.model}", device="cpu"), name.partition("+")[2]
        return EscalatingDecoder(model, decoders.get(second), self.second[second]) if second else model


SURFACE = Panel(
    "local_surface",
    {"pymatching-correlated": 0.75, "bposd-lowest": 0.99},
    ("pymatching", "pymatching-correlated"),
)
BICYCLE = {
    "bb72": Panel("local_bb72", {"bposd-lowest": 0.99}),
    "bb108": Panel("local_bb108", {"bposd-lowest": 0.995}),
    "bb144": Panel("local_bb144", {"bposd-lowest": 0.998}),
}
GENERALISED = {"gb48": Panel("local_gb48", {"bposd-ensemble": 0.99}, ("bposd-lowest", "bposd-ensemble"))}
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


def panel(code: str) -> Panel:
    """Who decodes it."""
    return (BICYCLE | GENERALISED).get(code, SURFACE)


def decode(
    panel: Panel,
    bound: dict[str, BoundDecoder],
    events: NDArray[np.bool_],
    observables: NDArray[np.bool_],
    tallies: dict[str, OpinionTally],
) -> None:
    """A batch by all: those alone, the model, and the model with each second opinion."""
    for name in (*panel.alone, panel.model):
        began = time.process_time()
        result = bound[name].decode_batch(events)
        seconds = time.process_time() - began
        tallies[name].count(result.observables, observables, seconds)
    for second, below in panel.second.items():
        began = time.process_time()
        doubted = result.confidence_of(panel.model) < below
        decided = after_asking(bound[panel.name_of(second)], events, result, doubted)
        tally = tallies[panel.name_of(second)]
        tally.count(decided, observables, seconds + time.process_time() - began)
        tally.asked += int(doubted.sum())


def measured(code: str, rounds: int, p: float, failures: int, seconds: float, seed: int) -> list[OpinionRow]:
    """All of them on the same shots, both bases."""
    made, noise, of = codes.get(code), circuits.UniformDepolarizing(p), panel(code)
    tallies = {name: OpinionTally() for name in of.names}
    experiments = []
    for basis in BASES:
        circuit = circuits.memory(made, rounds=rounds, basis=basis, noise=noise)
        bound = {name: of.decoder(name).bind(circuit) for name in (*of.alone, of.model)}
        for second in of.second:
            bound[of.name_of(second)] = advised(bound[of.model], decoders.get(second).bind(circuit))
        sampler = circuit.compile_detector_sampler(seed=seed)
        first, _ = sampler.sample(2, separate_observables=True)
        for one in bound.values():  # what is made at the first shots is not timed
            one.decode_batch(first)
        experiments.append((bound, sampler))
    began = time.process_time()
    with progress(f"{code}, {100 * p:g} %, failures") as report:
        while min(t.failures for t in tallies.values()) < failures and time.process_time() - began < seconds:
            for bound, sampler in experiments:
                events, observables = sampler.sample(BATCH, separate_observables=True)
                decode(of, bound, events, observables, tallies)
            report(min(t.failures for t in tallies.values()), failures)
    return [
        OpinionRow(**tally.facts(made, rounds, p, name, of.decoder(name), seed), asked=tally.asked)
        for name, tally in tallies.items()
    ]


def lines(rows: list[OpinionRow], names: Sequence[str]) -> list[str]:
    """The table of the documentation."""
    cells = []
    for place in dict.fromkeys(map(_place, rows)):
        own = {row.decoder: row for row in rows if _place(row) == place}
        one = next(iter(own.values()))
        of = panel(one.code)
        told = [f"{one.code}, {one.rounds}", f"{100 * one.p:g} %", f"{one.shots:,}"]
        cells.append([*told, *(_cell(own[name]) for name in of.names)])
    return table(["code, rounds", "p", "shots", *(name.replace("+", "<br>+ ") for name in names)], cells, left=2)


def _place(row: OpinionRow) -> tuple[int, float, int, int]:
    table = (row.code in BICYCLE) + 2 * (row.code in GENERALISED)
    return table, row.p, row.rounds, codes.get(row.code).n


def _cell(row: OpinionRow) -> str:
    told = f"{row.failures:,}<br>{row.block_error.value:.1e}<br>{duration(row.seconds / row.shots)}"
    return f"{told}<br>{row.asked / row.shots:.1%} asked" if row.asked else told


def with_tables(text: str) -> str:
    """The page with the tables as the results have them."""
    rows: list[OpinionRow] = read_rows(TABLE, OpinionRow)
    surface, bicycle, generalised = ([row for row in rows if _place(row)[0] == number] for number in range(3))
    text = filled(text, "second opinions", lines(surface, SURFACE.names))
    text = filled(text, "second opinions on gb48", lines(generalised, GENERALISED["gb48"].names))
    return filled(text, "second opinions on bicycle codes", lines(bicycle, ("the local model", "it+bposd-lowest")))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--distances", nargs="+", type=int, choices=(*DISTANCES, *LARGE), default=DISTANCES)
    parser.add_argument("--codes", nargs="+", choices=(*BICYCLE, *GENERALISED), help="in place of surface codes")
    parser.add_argument("--rounds", type=int, help="of every code; d unless given")
    parser.add_argument("--rates", nargs="+", type=float, default=RATES)
    parser.add_argument("--failures", type=int, default=200, help="of every decoder, of each code at one noise rate")
    parser.add_argument("--seconds", type=float, default=100.0, help="of the processor, at most, likewise")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--again", action="store_true", help="also what the table has")
    arguments = parser.parse_args()
    rows: list[OpinionRow] = read_rows(TABLE, OpinionRow) if TABLE.exists() else []
    for p in arguments.rates:
        for code in map(codes.get, arguments.codes or (f"surface_d{d}" for d in arguments.distances)):
            rounds = arguments.rounds or code.d
            assert rounds is not None
            kept = [row for row in rows if (row.code, row.p, row.rounds) != (code.name, p, rounds)]
            if arguments.again or len(kept) == len(rows):
                rows = kept + measured(code.name, rounds, p, arguments.failures, arguments.seconds, arguments.seed)
                rows.sort(key=_place)
                write_rows(TABLE, rows)
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
