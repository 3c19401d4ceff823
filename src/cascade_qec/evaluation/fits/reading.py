"""Points from files: sinter's CSV, and this project's tables of rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import sinter

from cascade_qec import codes
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.collection import read_store
from cascade_qec.evaluation.fits.metadata import UNIFORM, Experiment, known
from cascade_qec.evaluation.fits.points import Point
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import read_header, read_rows


def read_points(paths: Sequence[Path], fields: Mapping[str, str] | None = None) -> list[Point]:
    """Read files that `sinter.collect` or `cascade_qec.tables.write_rows` (of `Row`) wrote.

    A task of sinter's has code, p, rounds and basis in its metadata, and k where the code is not in the registry, under
    one of the keys of `metadata.FIELDS`; or `fields` tells the key that has a field, or its value for all tasks.

    Raises
    ------
    CascadeError
        If a file is missing, named twice, without rows or of another kind; if metadata lack something; if two rows
        hold the same shots or one decoder with different parameters.
    """
    resolved = [path.resolve() for path in paths]
    for path in paths:
        if resolved.count(path.resolve()) > 1:
            raise CascadeError(f"{path}: expected each file once, its shots would count twice")
    points = []
    tables = []
    sinters = [column.strip() for column in sinter.CSV_HEADER.split(",")]
    needed = {"code", "p", "rounds", "bases", "k", "decoder", "shots", "failures"}
    for path in paths:
        header = read_header(path)
        if header == sinters:
            points += _of_sinter(path, fields or {})
        elif needed <= set(header):
            tables.append(path)
        else:
            raise CascadeError(
                f"{path}: expected sinter's columns ({','.join(sinters)}) or a table of rates "
                f"with {', '.join(sorted(needed))}; got {', '.join(header)}"
            )
    return points + _of_tables(tables)


def _of_sinter(path: Path, fields: Mapping[str, str]) -> list[Point]:
    stats = read_store(path)
    if not stats:
        raise CascadeError(f"{path}: expected at least one row, got none")
    return [_point(task, Experiment(task.json_metadata, fields, str(path))) for task in stats]


def _point(task: sinter.TaskStats, here: Experiment) -> Point:
    return Point(
        decoder=task.decoder,
        code=here.code,
        noise=here.noise,
        p=here.p,
        rounds=here.rounds,
        bases=here.basis,
        k=here.k,
        n=here.n,
        d=here.d,
        checks=_checks(here.known),
        shots=task.shots - task.discards,
        failures=task.errors,
    )


def _of_tables(paths: Sequence[Path]) -> list[Point]:
    points = []
    seen: dict[tuple, Path] = {}
    settings: dict[tuple[str, str], str] = {}
    for path in paths:
        rows = read_rows(path, Row)
        if not rows:
            raise CascadeError(f"{path}: expected at least one row, got none")
        for row in rows:
            experiment = (row.decoder, row.code, row.p, row.rounds, "".join(sorted(row.bases)), row.seed)
            if experiment in seen:
                raise CascadeError(
                    f"{path}: expected each shot once, {row.decoder} on {row.code} at p = {row.p} with seed "
                    f"{row.seed} stands in {seen[experiment]} too"
                )
            seen[experiment] = path
            if settings.setdefault((row.decoder, row.code), row.parameters) != row.parameters:
                raise CascadeError(
                    f"{path}: expected one set of parameters of {row.decoder} on {row.code}, got "
                    f"{settings[row.decoder, row.code]!r} and {row.parameters!r}; fit them apart"
                )
            code = known(row.code)
            if code is None:
                raise CascadeError(f"{path}: expected a code of the registry, got {row.code!r}")
            points.append(point_of(code, row.decoder, row.p, row.rounds, row.bases, row.shots, row.failures))
    return points


def point_of(code: codes.CSSCode, decoder: str, p: float, rounds: int, bases: str, shots: int, failures: int) -> Point:
    """Failures of a decoder on a code under uniform noise."""
    return Point(
        decoder=decoder,
        code=code.name,
        noise=UNIFORM,
        p=p,
        rounds=rounds,
        bases="".join(sorted(bases)),
        k=code.k,
        n=code.n,
        d=code.d,
        checks=_checks(code),
        shots=shots,
        failures=failures,
    )


def _checks(code: codes.CSSCode | None) -> int | None:
    return None if code is None else len(code.hx) + len(code.hz)
