"""The bench: how often an analyser is right on simulated measurements, and what its numbers are worth."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
from scipy.stats import binomtest

from cascade_calibration import analysis, simulation
from cascade_calibration.analysis import Verdict
from cascade_qec.tables import Circumstances, circumstances, put_rows, read_rows

SEEDS = {"building": 0, "final": 3, "questions": 2}
"""Analysers are built with the first; what is published is counted with the second, which nobody looks at before.
Questions to models are drawn with the third.
"""


_here = cache(circumstances)


class BenchRow(Circumstances):
    """A row of a bench's table.

    Attributes
    ----------
    kind : str
        What was counted: "status" (right ones of a mode), "confusion" (a mode's draws that got a status), "coverage"
        (of a parameter's intervals), "suggested range" (draws of a mode that it led to success), or "time" (no counts).
    name : str
        Mode or parameter, or "mean", "median", "95 %" and "longest".
    share, low, high : float or None
        Count over all, and Wilson's 95 % interval.
    ms : float or None
        CPU time of a diagnosis.
    """

    family: str
    snr: float
    seeds: str
    kind: str
    name: str
    status: str
    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None
    ms: float | None


@dataclass
class Bench:
    """Counts over simulated measurements of one family.

    Attributes
    ----------
    confusion
        Draws by mode and by the status that they got.
    covered, stated
        By parameter: verdicts whose 95 % interval holds the truth, of those that state the parameter.
    cured, curable
        By mode: draws whose next measurement, over the suggested range, succeeded; of all that a range could help.
    seconds
        Of each analysis.
    """

    family: str
    snr: float
    seeds: str
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    covered: Counter[str] = field(default_factory=Counter)
    stated: Counter[str] = field(default_factory=Counter)
    cured: Counter[str] = field(default_factory=Counter)
    curable: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def __add__(self, other: Bench) -> Bench:
        counts = ("confusion", "covered", "stated", "cured", "curable")
        summed = {name: getattr(self, name) + getattr(other, name) for name in counts}
        return Bench(self.family, self.snr, self.seeds, **summed, seconds=self.seconds + other.seconds)

    def right(self, mode: str) -> tuple[int, int]:
        """Draws of a mode that got its status, of all."""
        wanted = simulation.get(self.family).modes[mode]
        of = sum(count for (one, _), count in self.confusion.items() if one == mode)
        return self.confusion[mode, wanted], of

    def balanced(self) -> float:
        """Share of right statuses, averaged over modes."""
        return balanced(self.rows())

    def rows(self) -> Iterator[BenchRow]:
        """What `put` writes."""
        for mode, wanted in simulation.get(self.family).modes.items():
            yield self._counted("status", mode, wanted, *self.right(mode))
        for (mode, status), count in sorted(self.confusion.items()):
            yield self._counted("confusion", mode, status, count, self.right(mode)[1])
        for name in sorted(self.stated):
            yield self._counted("coverage", name, "", self.covered[name], self.stated[name])
        for mode in sorted(self.curable):
            yield self._counted("suggested range", mode, "", self.cured[mode], self.curable[mode])
        of = len(self.seconds)
        median, most, longest = np.quantile(self.seconds, [0.5, 0.95, 1.0])
        for name, seconds in (
            ("mean", np.mean(self.seconds)),
            ("median", median),
            ("95 %", most),
            ("longest", longest),
        ):
            yield self._row("time", name, "", of, of, None, None, None, round(1e3 * float(seconds), 1))

    def _counted(self, kind: str, name: str, status: str, count: int, of: int) -> BenchRow:
        ends = binomtest(count, of).proportion_ci(method="wilson")
        share, low, high = (round(one, 4) for one in (count / of, float(ends.low), float(ends.high)))
        return self._row(kind, name, status, count, of, share, low, high, None)

    def _row(
        self,
        kind: str,
        name: str,
        status: str,
        count: int,
        of: int,
        share: float | None,
        low: float | None,
        high: float | None,
        ms: float | None,
    ) -> BenchRow:
        return BenchRow(
            family=self.family,
            snr=self.snr,
            seeds=self.seeds,
            kind=kind,
            name=name,
            status=status,
            count=count,
            of=of,
            share=share,
            low=low,
            high=high,
            ms=ms,
            **_here(),
        )


def run(family: str, snr: float, shots: int, seeds: str = "building", start: int = 0) -> Bench:
    """Draw measurements of each mode in turn, diagnose them, and follow the suggested ranges once.

    Parameters
    ----------
    shots
        Draws of each mode; number `start` is the first.
    seeds
        One of :data:`SEEDS`.

    Raises
    ------
    CascadeError
        If there is no family, or no simulator, of that name.
    """
    simulator, success = simulation.get(family), analysis.get(family).success
    bench = Bench(family, snr, seeds)
    for mode, wanted in simulator.modes.items():
        for i in range(start, start + shots):
            draw = drawn(family, mode, snr, seeds, i)
            began = time.process_time()
            verdict = analysis.diagnose(draw.measurement, family)
            bench.seconds.append(time.process_time() - began)
            bench.confusion[mode, verdict.status] += 1
            _cover(bench, verdict, draw)
            if draw.again is not None and wanted != success:
                bench.curable[mode] += 1
                if verdict.suggested_range:
                    following = analysis.diagnose(draw.again(verdict.suggested_range), family)
                    bench.cured[mode] += following.status == success
    return bench


def drawn(family: str, mode: str, snr: float, seeds: str, i: int) -> simulation.Draw:
    """Number i of a mode's measurements."""
    rng = np.random.default_rng([SEEDS[seeds], crc32(f"{family} {mode}".encode()), i])
    return simulation.get(family).draw(mode, snr, rng)


def _cover(bench: Bench, verdict: Verdict, draw: simulation.Draw) -> None:
    for name, estimate in verdict.parameters.items():
        if name in draw.truth:
            bench.stated[name] += 1
            bench.covered[name] += estimate.low <= draw.truth[name] <= estimate.high


def put(path: Path, bench: Bench) -> None:
    """Write a bench into a table, in the place of one of the same family, noise and seeds.

    Raises
    ------
    CascadeError
        If it cannot be written, or another table stands there.
    """
    put_rows(path, list(bench.rows()), place=lambda row: (row.family, row.snr, row.seeds))


def rows_of(path: Path, family: str, snr: float, seeds: str, shots: int) -> list[BenchRow]:
    """Rows of a table that a bench of this checkout with so many draws of each mode wrote; none if it did not.

    Raises
    ------
    CascadeError
        If another table stands there.
    """
    if not path.exists():
        return []
    found = [row for row in read_rows(path, BenchRow) if (row.family, row.snr, row.seeds) == (family, snr, seeds)]
    here = _here()["commit"]
    draws = {row.of for row in found if row.kind == "status"}
    # a table that belongs to the checkout makes it differ from its commit
    same = {here, here.removesuffix("-dirty")}
    return found if draws == {shots} and all(row.commit in same for row in found) else []


def balanced(rows: Iterable[BenchRow]) -> float:
    """Share of right statuses, averaged over modes."""
    return float(np.mean([row.count / row.of for row in rows if row.kind == "status"]))
