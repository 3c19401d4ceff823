"""Measured latencies as a table for the terminal."""

from collections.abc import Sequence

from cascade_qec.cli.table import Column, number, show
from cascade_qec.evaluation.latency.table import LatencyRow


def print_latencies(rows: Sequence[LatencyRow]) -> None:
    """Print latencies, a line between experiments and batch sizes."""
    experiments = dict.fromkeys((row.code, row.p, row.rounds, row.basis) for row in rows)
    notes = [f"{code}: p = {p:g}, {rounds} rounds, basis {basis}." for code, p, rounds, basis in experiments]
    if loads := [row.load_average for row in rows if row.load_average is not None]:
        notes.append(f"Load average of the machine: {max(loads):.1f}.")
    columns: list[Column[LatencyRow]] = [
        Column("code", lambda row: row.code),
        Column("decoder", lambda row: row.decoder),
        Column("on", lambda row: " ".join(filter(None, (row.device, row.precision, f"x{row.threads}"))), spare=1),
        Column("batch", lambda row: str(row.batch), right=True),
        Column("calls", lambda row: str(row.samples), right=True, spare=2),
        Column("p50\nus/shot", lambda row: number(row.us_per_shot_p50.value), right=True),
        Column("p99\nus/shot", lambda row: number(row.us_per_shot_p99.value), right=True),
        Column("p99.9\nus/shot", lambda row: number(row.us_per_shot_p999 and row.us_per_shot_p999.value), True, 2),
        Column("p50\nus/cycle", lambda row: number(row.us_per_cycle_p50), right=True, spare=1),
        Column("CPU\nus/shot", lambda row: number(row.cpu_us_per_shot_mean), right=True, spare=1),
        Column("failures", lambda row: f"{row.failures}/{row.shots}", right=True, spare=1),
    ]
    show(rows, columns, notes=notes, section=lambda row: (row.code, row.batch))
