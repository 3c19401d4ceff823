"""The tables of docs/engine.md: what decoding in fewer bits loses, and what each instruction set takes."""

from cascade_qec.tables import read_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table
from workshop.studies.instructions import Time
from workshop.studies.onnx_precisions import Loss

PAGE = CHECKOUT / "docs" / "engine.md"


def with_tables(text: str) -> str:
    """The page with its tables as the results have them."""
    text = filled(text, "precisions on a GPU", precisions("gpu_precisions.csv"))
    text = filled(text, "precisions on a CPU", precisions("native_precisions.csv"))
    return filled(text, "instruction sets", instructions())


def precisions(name: str) -> list[str]:
    """A row for each model and precision."""
    head = ["model", "precision", "failures / shots", "it alone fails", "float32 alone", "block error less float32's"]
    rows = []
    for row in read_rows(RESULTS / name, Loss):
        least, most = row.difference.low, row.difference.high
        beside = [str(row.worse), str(row.better), f"{row.difference.value:.4f} ({least:.4f} to {most:.4f})"]
        failures = f"{row.failures:,} / {row.shots:,}"
        rows.append([row.model, row.precision, failures, *(beside if row.precision != "float32" else ("", "", ""))])
    return table(head, rows, left=2)


def instructions() -> list[str]:
    """A row for each model, instruction set and precision: µs a shot by the size of a batch."""
    times = read_rows(RESULTS / "instructions_cpu.csv", Time)
    batches = sorted({row.shots for row in times})
    rows: dict[tuple[str, str, str, str], dict[int, float]] = {}
    for row in times:
        rows.setdefault((row.model, row.code, row.instructions, row.precision), {})[row.shots] = (
            row.microseconds_per_shot
        )
    head = ["model", "code", "instructions", "precision", *map(str, batches)]
    return table(head, [[*name, *(f"{took[shots]:,.0f}" for shots in batches)] for name, took in rows.items()], left=4)
