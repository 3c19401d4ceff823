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
    rows = [
        [
            row.model,
            row.precision,
            f"{row.failures:,} / {row.shots:,}",
            str(row.worse),
            str(row.better),
            f"{row.difference.value:.4f} ({row.difference.low:.4f} to {row.difference.high:.4f})",
        ]
        for row in read_rows(RESULTS / "gpu_precisions.csv", Loss)
    ]
    return table(head, rows, left=2)
