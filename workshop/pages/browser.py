"""The tables that `cascade page` plots: rates and reliability, each with the command that measured them."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cascade_qec.evaluation.latency.table import LatencyRow
from cascade_qec.tables import read_rows
from workshop import CHECKOUT, RESULTS
from workshop.measuring.measurements import measurements, older

PAGE = CHECKOUT / "src" / "cascade_qec" / "page" / "results.json"

RATES = ("surface_d3", "surface_d5", "surface_d7", "local_surface", "bb72", "local_bb72")
"""Models whose tables of block errors are shown."""

CONFIDENCE = ("surface_d3", "surface_d5", "surface_d7", "bb72")
"""Models whose tables of reliability and post-selection are shown."""


DISAGREEMENTS = ("model", "rival", "p", "shots", "of_kind", "mechanisms", "truth", "network", "rival_says")
"""Columns of the recorded shots that the page is given."""


def with_tables(text: str) -> str:
    """The file as the results have it; nothing of the old one is kept."""
    rates = {tuple(row.items()): row for name in RATES for row in _rates(name)}  # rivals stand in several tables
    measured = {each.name: each.command for each in measurements()}
    tables = {
        "rates": _table(list(rates.values())),
        "reliability": _table([row for name in CONFIDENCE for row in _reliability(name)]),
        "latency": _table(list(_latency())),
        "post_selection": _table([row for name in CONFIDENCE for row in _post_selection(name)]),
        "disagreements": _table(list(_disagreements())),
        "older": [each.name for each in older()],
        "commands": {
            "disagreements": {
                "benchmarks/results/disagreements.csv": ["python -m workshop.studies.disagreements"],
            },
            "rates": {f"benchmarks/results/{name}.csv": _cards(name) for name in RATES},
            "latency": {"benchmarks/results/latency_cpu.csv": [measured["latency"]]},
            "confidence": {
                f"benchmarks/results/confidence/{name}": [measured[f"reliability of {name}"]] for name in CONFIDENCE
            },
        },
    }
    parts = [f"{json.dumps(name)}: {_written(table)}" for name, table in tables.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _rates(name: str) -> Iterator[dict[str, Any]]:
    for row in _read(RESULTS / f"{name}.csv"):
        own = row["decoder"] == "cascade"
        yield {
            "code": row["code"],
            "decoder": name if own else row["decoder"],
            "own": own,
            "rounds": int(row["rounds"]),
            "k": int(row["k"]),
            "p": float(row["p"]),
            "shots": int(row["shots"]),
            "failures": int(row["failures"]),
        }


def _reliability(name: str) -> Iterator[dict[str, Any]]:
    for row in _confidence(name, "reliability.csv"):
        if row["of"] == "shot" and row["decoder"] == f"cascade:{name}":
            yield {
                "model": name,
                "p": float(row["p"]),
                "shots": int(row["shots"]),
                "confidence": float(row["confidence"]),
                "correct": int(row["correct"]),
            }


def _post_selection(name: str) -> Iterator[dict[str, Any]]:
    for row in _confidence(name, "post_selection.csv"):
        yield {
            "model": name,
            "by": name if row["method"] == "confidence" else f"{row['decoder']}, {row['method']}",
            "own": row["method"] == "confidence" and row["decoder"] == f"cascade:{name}",
            "p": float(row["p"]),
            "shots": int(row["shots"]),
            "accepted": int(row["accepted"]),
            "failures": int(row["failures"]),
        }


def _latency() -> Iterator[dict[str, Any]]:
    """Single shots and the largest batches alone: marks of others would lie upon one another."""
    rows = read_rows(RESULTS / "latency_cpu.csv", LatencyRow)
    most = {(row.code, row.decoder): row.batch for row in sorted(rows, key=lambda row: row.batch)}
    for row in rows:
        if row.batch not in (1, most[row.code, row.decoder]):
            continue
        yield {
            "code": row.code,
            "decoder": row.decoder.removeprefix("cascade:"),
            "own": row.decoder.startswith("cascade:"),
            "p": row.p,
            "batch": row.batch,
            "microseconds": row.us_per_shot_p50.value,
            "shots": row.shots,
            "failures": row.failures,
        }


def _disagreements() -> Iterator[dict[str, Any]]:
    for row in _read(RESULTS / "disagreements.csv"):
        kinds = {"model": str, "rival": str, "p": float, "mechanisms": str}
        yield {name: kinds.get(name, int)(row[name]) for name in DISAGREEMENTS}


def _confidence(name: str, table: str) -> list[dict[str, str]]:
    """Nothing while the table is being measured anew."""
    path = RESULTS / "confidence" / name / table
    return _read(path) if path.exists() else []


def _cards(name: str) -> list[str]:
    """The commands in the documentation that measured a model, stretches of training included."""
    pages = (CHECKOUT / "benchmarks/README.md", CHECKOUT / "docs/local.md")
    text = "\n".join(page.read_text() for page in pages).replace("\\\n", " ")
    found = re.findall(rf"^.*workshop card (?:runs/)?{name}(?:[._]\w+)? .*$", text, flags=re.MULTILINE)
    others = {other for other in (*RATES, "local_surface_fast") if other.startswith(f"{name}_")}
    return [re.sub(r" +", " ", one) for one in found if not any(re.search(rf"\b{other}\b", one) for other in others)]


def _table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"columns": list(rows[0]), "rows": [list(row.values()) for row in rows]}


def _written(table: dict[str, Any] | list[str]) -> str:
    """JSON with a row a line."""
    if isinstance(table, list) or "rows" not in table:
        return json.dumps(table, indent=1)
    rows = ",\n".join(json.dumps(row) for row in table["rows"])
    return f'{{"columns": {json.dumps(table["columns"])}, "rows": [\n{rows}\n]}}'


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
