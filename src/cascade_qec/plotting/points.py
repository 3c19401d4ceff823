"""Measured rates from any table that has them: sinter's, the project's own, and those of rare events."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cascade_qec import codes
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fit_row import FitRow
from cascade_qec.evaluation.rare_events.results import RareRow
from cascade_qec.plotting.style import label_of
from cascade_qec.statistics import Interval, per_logical_per_cycle, wilson
from cascade_qec.tables import read_header, read_rows

PER_LABELS = {
    "block": "block error (any observable wrong)",
    "cycle": "logical error rate\nper logical qubit per cycle",
}
"""Conventions of rates, and what axes call them."""
_SHORT = 16


@dataclass(frozen=True)
class Point:
    """The block error of one decoder on one experiment.

    Shots of several bases ("XZ") are pooled. `method` is how rare events were sampled, empty for plain counting.
    """

    code: str
    p: float
    rounds: int
    basis: str
    k: int
    d: int | None
    decoder: str
    block: Interval
    method: str = ""
    noise: str = "uniform"

    @property
    def label(self) -> str:
        """Name of the decoder in legends; methods described at length are called "rare events"."""
        name = label_of(self.decoder, self.code)
        if not self.method:
            return name
        return f"{name} ({self.method if len(self.method) <= _SHORT else 'rare events'})"

    def rate(self, per: str) -> Interval:
        """The rate in one of the conventions of :data:`PER_LABELS`."""
        return self.block if per == "block" else per_logical_per_cycle(self.block, k=self.k, rounds=self.rounds)


def family_of(code: str) -> str:
    """Title of the family that a code belongs to; of a stranger's code, the letters that its name begins with."""
    try:
        family = codes.get(code).family
    except CascadeError:
        return code.split("_")[0].rstrip("0123456789")
    return next(known.title for known in codes.families() if known.name == family)


def rank_of(family: str) -> int:
    """Place of a family's title in figures; those of strangers come last."""
    titles = [known.title for known in codes.families()]
    return titles.index(family) if family in titles else len(titles)


def block_of_cycle(rate: float, *, k: int, rounds: int) -> float:
    """Block error from a rate per logical per cycle; undoes :func:`cascade_qec.statistics.per_logical_per_cycle`."""
    q = -0.5 * math.expm1(rounds * math.log1p(-2 * rate)) if rate < 0.5 else 0.5
    return -math.expm1(k * math.log1p(-q))


def read_points(paths: Sequence[Path], fields: Mapping[str, str] | None = None) -> tuple[list[Point], list[FitRow]]:
    """Measured rates, and fits to draw over them, from tables of any kind that has them.

    They may be sinter's, or those of the project's comparisons, of rare events, and of fits. Rows of one decoder on one
    experiment are added up. `fields` tells what the metadata of sinter's tasks lack, as
    `evaluation.fits.reading.read_points` takes it.

    Raises
    ------
    CascadeError
        If a file cannot be read or is no such table.
    """
    headers = {path: read_header(path) for path in paths}
    rare = [path for path in paths if "method" in headers[path]]
    fits = [path for path in paths if "parameter" in headers[path]]
    counted = [path for path in paths if path not in rare and path not in fits]
    points = _counted(counted, fields) if counted else []
    points += [_point_of_rare(row) for path in rare for row in read_rows(path, RareRow)]
    return points, [row for path in fits for row in read_rows(path, FitRow)]


def _counted(paths: Sequence[Path], fields: Mapping[str, str] | None) -> list[Point]:
    # not needed for the figures of a demonstration, and takes its time to load
    from cascade_qec.evaluation.fits.points import curves
    from cascade_qec.evaluation.fits.reading import read_points as read_counts

    return [
        Point(
            *(count.code, count.p, count.rounds, count.bases, count.k, count.d, count.decoder),
            wilson(count.failures, count.shots),
            noise=count.noise,
        )
        for curve in curves(read_counts(paths, fields), pooled=False)
        for count in curve.points
    ]


def _point_of_rare(row: RareRow) -> Point:
    code, basis = codes.get(row.code), "".join(sorted(row.basis))
    return Point(row.code, row.p, row.rounds, basis, code.k, code.d, row.decoder, row.block_error, row.method)
