"""The table of docs/engine.md: what decoding in fewer bits loses."""

from cascade_qec.tables import read_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table
from workshop.studies.onnx_precisions import Loss

PAGE = CHECKOUT / "docs" / "engine.md"


def with_tables(text: str) -> str:
    """The page with its table as the results have it."""
    return filled(text, "precisions on a GPU", precisions())


def precisions() -> list[str]:
    """A row for each model and precision."""
    head = ["model", "precision", "failures / shots", "it alone fails", "float32 alone", "block error less float32's"]
    rows = []
    for row in read_rows(RESULTS / "gpu_precisions.csv", Loss):
        least, most = row.difference.low, row.difference.high
        beside = [str(row.worse), str(row.better), f"{row.difference.value:.4f} ({least:.4f} to {most:.4f})"]
        failures = f"{row.failures:,} / {row.shots:,}"
        rows.append([row.model, row.precision, failures, *(beside if row.precision != "float32" else ("", "", ""))])
    return table(head, rows, left=2)
