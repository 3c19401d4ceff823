"""The tables that plots and fits read: spectrum.csv and rare.csv."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rare_events.estimate import METHOD, RareRate, StratumRate
from cascade_qec.evaluation.rare_events.tallies import Run
from cascade_qec.tables import write_table

_RUN = ("decoder", "code", "rounds", "basis", "sampled_at")


def spectrum_rows(run: Run, rates: Sequence[StratumRate]) -> list[dict[str, object]]:
    """Rows of spectrum.csv: f(w) at ``sampled_at``, with its 95 % interval (Wilson; exact strata have none)."""
    return [
        {
            "decoder": run.decoder,
            "code": run.code,
            "rounds": run.rounds,
            "basis": run.basis,
            "faults": rate.faults,
            "shots": rate.shots,
            "failures": rate.failures,
            "fraction": rate.fraction.value,
            "fraction_low": rate.fraction.low,
            "fraction_high": rate.fraction.high,
            "seed": run.seed,
            "sampled_at": run.sampled_at,
            "exact": rate.exact,
            "noise": run.noise,
            "parameters": run.parameters,
        }
        for rate in rates
    ]


def rare_rows(run: Run, rates: Sequence[RareRate]) -> list[dict[str, object]]:
    """Rows of rare.csv: the block error at each p, with its 95 % interval."""
    return [
        {
            "decoder": run.decoder,
            "code": run.code,
            "rounds": run.rounds,
            "basis": run.basis,
            "p": rate.p,
            "block_error": rate.block_error.value,
            "block_error_low": rate.block_error.low,
            "block_error_high": rate.block_error.high,
            "method": METHOD,
            "seed": run.seed,
            "shots": rate.shots,
            "failures": rate.failures,
            "effective_failures": rate.effective_failures,
            "exact_part": rate.exact,
            "unknown": rate.unknown,
            "sampled_at": run.sampled_at,
            "noise": run.noise,
            "parameters": run.parameters,
        }
        for rate in rates
    ]


def replace_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Put rows into a table in place of those of the same runs; rows of other runs stay.

    Raises
    ------
    CascadeError
        If there are no rows, or the file cannot be read or written, or has other columns.
    """
    if not rows:
        raise CascadeError(f"{path}: expected at least one row to write, got none")
    columns = list(rows[0])
    renewed = {tuple(str(row[name]) for name in _RUN) for row in rows}
    kept = [row for row in _read(path, columns) if tuple(row[name] for name in _RUN) not in renewed]
    write_table(path, columns, [*kept, *rows])


def _read(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    if not path.exists():
        return []
    try:
        reader = csv.DictReader(io.StringIO(path.read_text()))
    except (OSError, UnicodeDecodeError) as error:
        raise CascadeError(f"{path}: cannot be read: {error}") from error
    if reader.fieldnames != columns:
        raise CascadeError(f"{path}: expected the columns {', '.join(columns)}; found {reader.fieldnames}")
    return list(reader)
