"""Measured rates from any table that has them: sinter's, the project's own, and those of rare events."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.tables import Row
from cascade_qec.plotting.style import label_of
from cascade_qec.plotting.tables import FitLine, RareLine
from cascade_qec.statistics import Interval, per_logical_per_cycle, wilson
from cascade_qec.tables import columns, read_header, read_rows

PER = ("block", "cycle")
"""Conventions: the block error, and the rate per logical qubit per cycle."""
PER_LABELS = {
    "block": "block error (any observable wrong)",
    "cycle": "logical error rate\nper logical qubit per cycle",
}
_SHORT = 16
_SINTER = ("shots", "errors", "discards", "seconds", "decoder", "strong_id", "json_metadata")
_OWN = ("code", "p", "rounds", "bases", "k", "decoder", "shots", "failures", "microseconds_per_shot", "seed")


class Code(Protocol):
    """What figures ask of a code."""

    @property
    def k(self) -> int: ...
    @property
    def d(self) -> int | None: ...


Codes = Callable[[str], Code]
"""From a code's name to the code, such as ``cascade_qec.codes.get``."""


@dataclass(frozen=True)
class Point:
    """The block error of one decoder on one experiment.

    Attributes
    ----------
    code, p, rounds, basis, noise
        The experiment; shots of several bases ("XZ") are pooled.
    k, d
        Of the code.
    decoder
        As the table names it.
    block
        Block error with its interval.
    method
        How rare events were sampled; empty for plain counting.
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

    @property
    def family(self) -> str:
        """Codes whose distances make one curve: the letters that their names begin with."""
        return self.code.split("_")[0].rstrip("0123456789")

    def rate(self, per: str) -> Interval:
        """The rate in one of the conventions :data:`PER`."""
        return self.block if per == "block" else per_logical_per_cycle(self.block, k=self.k, rounds=self.rounds)


def check_per(per: str) -> None:
    """Refuse an unknown convention.

    Raises
    ------
    CascadeError
        Unless it is one of :data:`PER`.
    """
    if per not in PER:
        raise CascadeError(f"expected a rate per {' or '.join(PER)}, got per {per!r}")


def block_of_cycle(rate: float, *, k: int, rounds: int) -> float:
    """Block error from a rate per logical per cycle; undoes :func:`cascade_qec.evaluation.per_logical_per_cycle`."""
    q = -0.5 * math.expm1(rounds * math.log1p(-2 * rate)) if rate < 0.5 else 0.5
    return -math.expm1(k * math.log1p(-q))


def point_of_row(row: Row) -> Point:
    """A row of a comparison as a point."""
    return Point(
        code=row.code,
        p=row.p,
        rounds=row.rounds,
        basis="".join(sorted(row.bases)),
        k=row.k,
        d=None,
        decoder=row.decoder,
        block=row.block_error,
    )


def read_points(paths: Sequence[Path], codes: Codes) -> tuple[list[Point], list[FitLine]]:
    """Read rates, and fits to draw over them, from tables of any kind that has them.

    Rows of one decoder on one experiment are added up.

    Parameters
    ----------
    paths
        CSV files of sinter, of the project's comparisons, of rare events, and of fits.
    codes
        Gives k and d of codes whose tables do not.

    Raises
    ------
    CascadeError
        If a file cannot be read or is no such table.
    """
    counted: list[Path] = []
    rare: list[RareLine] = []
    fits: list[FitLine] = []
    of_rare, of_fits = columns(RareLine, needed=True), columns(FitLine, needed=True)
    for path in paths:
        names = set(read_header(path))
        if names.issuperset(_SINTER) or names.issuperset(_OWN):
            counted.append(path)
        elif names.issuperset(of_rare):
            rare += read_rows(path, RareLine)
        elif names.issuperset(of_fits):
            fits += read_rows(path, FitLine)
        else:
            raise CascadeError(
                f"{path}: expected the columns of sinter ({', '.join(_SINTER)}), of a comparison ({', '.join(_OWN)}), "
                f"of rare events ({', '.join(of_rare)}) or of fits ({', '.join(of_fits)}); "
                f"got {', '.join(read_header(path))}"
            )
    points = _counted_points(counted) if counted else []
    return points + [_point_of_rare(line, codes) for line in rare], fits


def _counted_points(paths: Sequence[Path]) -> list[Point]:
    # Not needed for the figures of a demonstration, and takes its time to load.
    from cascade_qec.evaluation.fits import read_points as read_counts

    counts = [count for count in read_counts(paths) if count.shots]
    sums: dict[tuple, list[int]] = {}
    first = {}
    for count in counts:
        key = (count.code, count.decoder, count.p, count.rounds, count.bases, count.noise)
        first.setdefault(key, count)
        total = sums.setdefault(key, [0, 0])
        total[0] += count.failures
        total[1] += count.shots
    return [
        Point(
            code=count.code,
            p=count.p,
            rounds=count.rounds,
            basis=count.bases,
            k=count.k,
            d=count.d,
            decoder=count.decoder,
            block=wilson(*sums[key]),
            noise=count.noise,
        )
        for key, count in first.items()
    ]


def _point_of_rare(line: RareLine, codes: Codes) -> Point:
    code = codes(line.code)
    return Point(
        code=line.code,
        p=line.p,
        rounds=line.rounds,
        basis="".join(sorted(line.basis)),
        k=code.k,
        d=code.d,
        decoder=line.decoder,
        block=line.rate,
        method=line.method,
    )
