"""The best decoder of each code for the time that there is for a shot: all that come into question on the same shots.

    python -m workshop.studies.budgets --seconds 100

Every decoder decodes the same batches of both bases, and its CPU time is taken. A code at one noise rate is done when
its decoders have spent their seconds together; what the table has is kept. Writes results/budgets.csv and the table in
docs/results.md.
"""

import argparse
import math
import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import cascade_qec as cascade
from cascade_qec import circuits, codes, decoders
from cascade_qec.cli.progress import progress
from cascade_qec.codes import BASES, CSSCode
from cascade_qec.decoders.protocol import BoundDecoder, Decoder, settings
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import Circumstances, circumstances, read_rows, write_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.collections import duration
from workshop.pages.text import filled, table

TABLE = RESULTS / "budgets.csv"
PAGE = CHECKOUT / "docs" / "results.md"
BUDGETS = {"1 ms": 1e3, "10 ms": 1e4, "no limit": math.inf}
"""Microseconds for a shot."""

RATES = (0.003, 0.005)
BATCH = 128
_OF_SURFACE_CODES = (
    *("cascade:local_surface", "pymatching-correlated", "bposd-lowest"),
    *("cascade:local_surface+bposd-lowest", "cascade:local_surface+tesseract-sparse-surface"),
    "tesseract-sparse-surface",
)
CANDIDATES = {
    "surface_d5": ("cascade:surface_d5", *_OF_SURFACE_CODES),
    "surface_d7": ("cascade:surface_d7", *_OF_SURFACE_CODES),
    "surface_d9": _OF_SURFACE_CODES,
    "colour_d5": (
        *("cascade:local_colour", "chromobius", "cascade:local_colour+bposd-lowest"),
        *("cascade:local_colour+tesseract-sparse", "bposd-lowest"),
    ),
    "bb72": ("cascade:bb72", "cascade:local_bb72", "cascade:local_bb72+bposd-lowest", "bposd-lowest"),
    "bb108": ("cascade:bb108", "cascade:local_bb108", "cascade:local_bb108+bposd-lowest@0.995", "bposd-lowest"),
    "bb144": ("cascade:bb144_small", "cascade:local_bb144", "cascade:local_bb144+bposd-lowest@0.998", "bposd-lowest"),
}
"""Decoders by name; after a plus who decodes what the first doubts. The last one is what others are compared with."""


class BudgetRow(Row, Circumstances):
    """What a decoder did on the shots that others decoded too; its time is that of the CPU.

    Attributes
    ----------
    alone, last_alone
        Shots that it failed in and the last of the candidates did not, and the other way round.
    """

    alone: int
    last_alone: int


@dataclass
class Tally:
    """What a decoder has done: failures, and what they share with those of the last candidate."""

    shots: int = 0
    failures: int = 0
    alone: int = 0
    last_alone: int = 0
    seconds: float = 0.0
    failed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def decode(self, bound: BoundDecoder, events: NDArray[np.bool_], observables: NDArray[np.bool_]) -> None:
        """A batch more."""
        began = time.process_time()
        predicted = bound.decode_batch(events).observables
        self.count(predicted, observables, time.process_time() - began)

    def count(self, predicted: NDArray[np.bool_], observables: NDArray[np.bool_], seconds: float) -> None:
        """What was decoded in so many seconds."""
        self.seconds += seconds
        self.failed = (predicted != observables).any(axis=1)
        self.shots += len(observables)
        self.failures += int(self.failed.sum())

    def facts(self, code: CSSCode, rounds: int, p: float, name: str, decoder: Decoder, seed: int) -> dict[str, Any]:
        """What its row says, of experiments in both bases."""
        return {
            "code": code.name,
            "p": p,
            "rounds": rounds,
            "bases": "".join(BASES),
            "k": code.k,
            "decoder": name,
            "parameters": settings(decoder),
            "shots": self.shots,
            "failures": self.failures,
            "microseconds_per_shot": 1e6 * self.seconds / self.shots,
            "seed": seed,
            **circumstances(),
        }


def measured(code: str, p: float, seconds: float, seed: int) -> list[BudgetRow]:
    """Every candidate on the same shots, for so many seconds of all together."""
    made, rounds, names = codes.get(code), codes.get(code).d, CANDIDATES[code]
    assert rounds is not None
    noise = circuits.UniformDepolarizing(p)
    tallies = {name: Tally() for name in names}
    experiments = []
    for basis in BASES:
        circuit = circuits.memory(made, rounds=rounds, basis=basis, noise=noise)
        bound = {name: decoders.get(name, device="cpu").bind(circuit) for name in names}
        sampler = circuit.compile_detector_sampler(seed=seed)
        first, _ = sampler.sample(2, separate_observables=True)
        for one in bound.values():  # what is made at the first shots is not timed
            one.decode_batch(first)
        experiments.append((bound, sampler))
    with progress(f"{code}, {100 * p:g} %, seconds") as report:
        while (spent := sum(tally.seconds for tally in tallies.values())) < seconds:
            report(int(spent), math.ceil(seconds))
            for bound, sampler in experiments:
                events, observables = sampler.sample(BATCH, separate_observables=True)
                for name in names:
                    tallies[name].decode(bound[name], events, observables)
                last = tallies[names[-1]].failed
                for tally in tallies.values():
                    tally.alone += int((tally.failed & ~last).sum())
                    tally.last_alone += int((last & ~tally.failed).sum())
    return [
        BudgetRow(
            **tally.facts(made, rounds, p, name, decoders.get(name, device="cpu"), seed),
            alone=tally.alone,
            last_alone=tally.last_alone,
        )
        for name, tally in tallies.items()
    ]


def best(rows: list[BudgetRow], microseconds: float) -> BudgetRow | None:
    """Who fails least often in that time; None where nobody keeps to it."""
    quick = [row for row in rows if row.microseconds_per_shot <= microseconds]
    return min(quick, key=lambda row: (row.failures, row.microseconds_per_shot), default=None)


def lines(rows: list[BudgetRow]) -> list[str]:
    """The best decoder of each code, noise rate and budget."""
    cells = []
    for code, p in dict.fromkeys((row.code, row.p) for row in rows):
        own = [row for row in rows if (row.code, row.p) == (code, p)]
        cells.append(
            [code, f"{100 * p:g} %", f"{own[0].shots:,}", *(_cell(best(own, most)) for most in BUDGETS.values())]
        )
    return table(["code", "p", "shots", *BUDGETS], cells, left=2)


def _cell(row: BudgetRow | None) -> str:
    if row is None:
        return "none"
    rate = row.block_error
    return f"{row.decoder}<br>{rate.value:.2e} [{rate.low:.1e}, {rate.high:.1e}]<br>{duration(row.seconds / row.shots)}"


def all_lines(rows: list[BudgetRow]) -> list[str]:
    """Every candidate: failures, time, and the shots that only it or only the last one failed in."""
    cells = [
        [
            *(row.code, f"{100 * row.p:g} %", row.decoder, f"{row.failures:,} / {row.shots:,}"),
            *(f"{row.alone:,}, {row.last_alone:,}", duration(row.seconds / row.shots)),
        ]
        for row in rows
    ]
    return table(["code", "p", "decoder", "failures", "it alone, the last alone", "CPU time a shot"], cells, left=3)


def with_tables(text: str) -> str:
    """The page with the tables as the results have them."""
    rows: list[BudgetRow] = read_rows(TABLE, BudgetRow)
    return filled(filled(text, "budgets", lines(rows)), "candidates", all_lines(rows))


def _place(row: BudgetRow) -> tuple[int, float]:
    return list(CANDIDATES).index(row.code), row.p


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--codes", nargs="+", choices=CANDIDATES, default=list(CANDIDATES))
    parser.add_argument("--rates", nargs="+", type=float, default=RATES)
    parser.add_argument("--seconds", type=float, default=100.0, help="of all decoders of a code at one noise rate")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--again", action="store_true", help="also what the table has")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", cascade.CascadeWarning)  # of models at noise that they were not trained with
    rows: list[BudgetRow] = read_rows(TABLE, BudgetRow) if TABLE.exists() else []
    for code in arguments.codes:
        for p in arguments.rates:
            kept = [row for row in rows if (row.code, row.p) != (code, p)]
            if arguments.again or len(kept) == len(rows):
                rows = sorted(kept + measured(code, p, arguments.seconds, arguments.seed), key=_place)
                write_rows(TABLE, rows)
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
