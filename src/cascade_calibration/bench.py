"""The bench: how often an analyser is right on simulated measurements, and what its numbers are worth."""

from __future__ import annotations

import csv
import io
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from scipy.stats import binomtest

from cascade_calibration import analysis, simulation
from cascade_calibration.analysis import Verdict
from cascade_qec import provenance
from cascade_qec.files import written_whole

SEEDS = {"building": 0, "final": 1}
"""Analysers are built with the first; what is published is counted with the second, which nobody looks at before."""

_COLUMNS: tuple[str, ...] = (
    "family",
    "snr",
    "seeds",
    "kind",
    "name",
    "status",
    "count",
    "of",
    "share",
    "low",
    "high",
    "commit",
    "hardware",
)


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
        shares = [right / of for right, of in map(self.right, simulation.get(self.family).modes) if of]
        return float(np.mean(shares))

    def rows(self) -> Iterator[dict[str, Any]]:
        """What `write` writes: counts with Wilson's 95 % intervals."""
        for mode, wanted in simulation.get(self.family).modes.items():
            yield self._row("status", mode, wanted, *self.right(mode))
        for (mode, status), count in sorted(self.confusion.items()):
            yield self._row("confusion", mode, status, count, self.right(mode)[1])
        for name in sorted(self.stated):
            yield self._row("coverage", name, "", self.covered[name], self.stated[name])
        for mode in sorted(self.curable):
            yield self._row("suggested range", mode, "", self.cured[mode], self.curable[mode])

    def _row(self, kind: str, name: str, status: str, count: int, of: int) -> dict[str, Any]:
        ends = binomtest(count, of).proportion_ci(method="wilson")
        return {
            "family": self.family,
            "snr": f"{self.snr:g}",
            "seeds": self.seeds,
            "kind": kind,
            "name": name,
            "status": status,
            "count": count,
            "of": of,
            "share": f"{count / of:.4f}",
            "low": f"{ends.low:.4f}",
            "high": f"{ends.high:.4f}",
        }


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
            rng = np.random.default_rng([SEEDS[seeds], crc32(f"{family} {mode}".encode()), i])
            draw = simulator.draw(mode, snr, rng)
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


def _cover(bench: Bench, verdict: Verdict, draw: simulation.Draw) -> None:
    for name, estimate in verdict.parameters.items():
        if name in draw.truth:
            bench.stated[name] += 1
            bench.covered[name] += estimate.low <= draw.truth[name] <= estimate.high


def write(path: Path, *benches: Bench) -> None:
    """Write a table of benches.

    Raises
    ------
    CascadeError
        If it cannot be written.
    """
    where = {"commit": provenance.commit() or "", "hardware": provenance.hardware()}
    text = io.StringIO()
    table = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(row | where for bench in benches for row in bench.rows())
    with written_whole(path) as file:
        file.write(text.getvalue().encode())
