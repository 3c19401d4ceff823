"""Tables of rivals in docs/results.md, from benchmarks/results/collections."""

from collections.abc import Mapping
from pathlib import Path

import sinter

from cascade_qec.statistics import wilson
from workshop import CHECKOUT, RESULTS
from workshop.cards.collected import pooled, total
from workshop.pages.text import filled, rate, table

COLLECTIONS = RESULTS / "collections"
PAGE = CHECKOUT / "docs" / "results.md"
CODES = ("surface_d3", "surface_d5", "surface_d7", "bb72", "bb108", "bb144")


def with_tables(text: str) -> str:
    """The page with every table as the collections have it."""
    for code in CODES:
        text = filled(text, f"rivals on {code}", rivals(COLLECTIONS / f"{code}.csv"))
    return text


def rivals(path: Path) -> list[str]:
    """A table of each experiment in a collection: a row for each decoder, a column for each noise rate.

    A cell has the block error of both bases together with its 95 % interval, and below it the shots and the time of
    one worker for each, sampling and decoding.
    """
    if not path.exists():
        return ["Not collected yet."]
    cells = pooled(path)
    if not cells:
        return ["Not collected yet."]
    experiments = list(dict.fromkeys(experiment for experiment, _, _ in cells))
    lines = []
    for experiment in experiments:
        here = {(decoder, p): cell for (other, decoder, p), cell in cells.items() if other == experiment}
        ps = sorted({p for _, p in here})
        rows = [
            [decoder, *(written(here[decoder, p]) if (decoder, p) in here else "" for p in ps)]
            for decoder in dict.fromkeys(decoder for decoder, _ in here)
        ]
        code, rounds, noise = experiment
        lines += [f"{code}, {rounds} rounds, {noise} noise", ""] if len(experiments) > 1 else []
        lines += [*table(["decoder", *(f"{100 * p:g} %" for p in ps)], rows, left=1), ""]
    return lines[:-1]


def written(by_basis: Mapping[str, sinter.TaskStats]) -> str:
    """A cell as the table has it; the basis is named where there is only one."""
    counts = total(by_basis)
    bases = f", basis {next(iter(by_basis))}" if len(by_basis) == 1 else ""
    return (
        f"{rate(wilson(counts.errors, counts.shots - counts.discards))}"
        f"<br>{counts.shots:,} shots{bases}, {duration(counts.seconds / counts.shots)}"
    )


def duration(seconds: float) -> str:
    """Two digits in a unit that suits."""
    unit, size = next(((unit, size) for unit, size in (("s", 1.0), ("ms", 1e-3)) if seconds >= size), ("µs", 1e-6))
    value = float(f"{seconds / size:.2g}")
    return f"{value:,.0f} {unit}" if value >= 10 else f"{value:g} {unit}"
