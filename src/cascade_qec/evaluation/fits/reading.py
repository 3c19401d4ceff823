"""Points from files: sinter's CSV, and this project's tables of rates."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sinter

from cascade_qec import codes
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.points import Point
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import read_header, read_rows

UNIFORM = "uniform"
"""The noise of tables of rates, which do not name one."""


def read_points(paths: Sequence[Path]) -> list[Point]:
    """Read files that `sinter.collect` or `cascade_qec.tables.write_rows` (of `Row`) wrote.

    A task of sinter's must name its experiment in its metadata: a JSON object with code, p, rounds and basis,
    and k and n where the code is not in the registry.

    Raises
    ------
    CascadeError
        If a file is missing, named twice, without rows or of another kind; if metadata lack a key; if two rows
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
            points += _of_sinter(path)
        elif needed <= set(header):
            tables.append(path)
        else:
            raise CascadeError(
                f"{path}: expected sinter's columns ({','.join(sinters)}) or a table of rates "
                f"with {', '.join(sorted(needed))}; got {', '.join(header)}"
            )
    return points + _of_tables(tables)


def _of_sinter(path: Path) -> list[Point]:
    try:
        stats = sinter.stats_from_csv_files(path)
    except (ValueError, KeyError, IndexError, csv.Error) as error:
        raise CascadeError(f"{path}: expected sinter's CSV: {error}") from error
    if not stats:
        raise CascadeError(f"{path}: expected at least one row, got none")
    return [_point(path, task) for task in stats]


def _point(path: Path, task: sinter.TaskStats) -> Point:
    metadata = task.json_metadata
    if not isinstance(metadata, dict):
        raise CascadeError(f"{path}: expected json_metadata to be an object, got {metadata!r}")

    def value(key: str, kind: type, default: Any = None) -> Any:
        given = metadata.get(key, default)
        if given is None:
            raise CascadeError(f"{path}: expected {key!r} in json_metadata, got {', '.join(map(str, metadata))}")
        try:
            return kind(given)
        except (TypeError, ValueError) as error:
            raise CascadeError(
                f"{path}: expected {key!r} in json_metadata as {kind.__name__}, got {given!r}"
            ) from error

    code = value("code", str)
    known = _known(code)
    d = metadata.get("d", known.d if known else None)
    return Point(
        decoder=task.decoder,
        code=code,
        noise=value("noise", str, UNIFORM),
        p=value("p", float),
        rounds=value("rounds", int),
        bases="".join(sorted(value("basis", str, metadata.get("bases")))),
        k=value("k", int, known.k if known else None),
        n=value("n", int, known.n if known else None),
        d=None if d is None else value("d", int, d),
        checks=_checks(known),
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
            code = _known(row.code)
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


def _known(name: str) -> codes.CSSCode | None:
    try:
        return codes.get(name)
    except CascadeError:  # somebody else's code can be fitted all the same
        return None


def _checks(code: codes.CSSCode | None) -> int | None:
    return None if code is None else len(code.hx) + len(code.hz)
