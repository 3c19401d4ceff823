"""The tables of docs/calibration.md: what the bench counted, and what it draws."""

from collections.abc import Sequence

from cascade_calibration import analysis, simulation
from cascade_calibration.bench import BenchRow, balanced
from cascade_qec.tables import read_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table

PAGE = CHECKOUT / "docs" / "calibration.md"
_LEVELS = (10.0, 4.0)


def with_tables(text: str) -> str:
    """The page with the tables as results and simulators have them."""
    return filled(filled(text, "bench", bench()), "drawn", drawn())


def bench() -> list[str]:
    rows = read_rows(RESULTS / "calibration.csv", BenchRow)
    families = sorted({row.family for row in rows})
    head = [
        "family",
        "right at 10",
        "right at 4",
        "intervals that hold",
        "ranges that succeed",
        "CPU ms",
        "95 %",
        "draws",
    ]
    lines = [_line(name, [row for row in rows if row.family == name]) for name in families]
    return table(head, [*lines, _line("all", rows)], left=1)


def drawn() -> list[str]:
    rows = [[name, _first_sentence(simulation.get(name).draw.__doc__ or "")] for name in analysis.names()]
    return table(["family", "what is drawn"], rows, left=2)


def _first_sentence(doc: str) -> str:
    return " ".join(doc.split("\n\n")[0].split())


def _line(name: str, rows: Sequence[BenchRow]) -> list[str]:
    at = [[row for row in rows if row.snr == level and row.kind == "status"] for level in _LEVELS]
    times = [row for row in rows if row.kind == "time" and row.name == "mean"]
    most = [row.ms or 0 for row in rows if row.kind == "time" and row.name == "95 %"]
    draws = sum(row.of for row in times)
    return [
        name,
        *(f"{balanced(one):.1%}" if one else "" for one in at),
        _share([row for row in rows if row.kind == "coverage"]),
        _share([row for row in rows if row.kind == "suggested range"]),
        f"{sum((row.ms or 0) * row.of for row in times) / draws:.0f}",
        f"{max(most):.0f}",
        str(draws),
    ]


def _share(rows: Sequence[BenchRow]) -> str:
    count, of = sum(row.count for row in rows), sum(row.of for row in rows)
    return f"{count} of {of}" if of else ""
