"""Tables of docs/trials.md, from benchmarks/results."""

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table

PAGE = CHECKOUT / "docs" / "trials.md"


def with_tables(text: str) -> str:
    """The page with every table as the results have it."""
    for name, lines in (
        *(
            (f"trials on {code}", trials(RESULTS / f"trials_{code}.csv"))
            for code in ("surface_d5", "bb72", "bb72_continued")
        ),
        ("averages", averages(RESULTS / "averages.csv")),
        ("reflections", reflections(RESULTS / "reflections.csv")),
        ("learning rates", learning_rates(RESULTS / "learning_rates.csv")),
    ):
        text = filled(text, name, lines)
    return text


def trials(path: Path) -> list[str]:
    rows = _read(path)
    named = {}
    for row in rows:
        named.setdefault(row["trial"], []).append(row)
    cells = []
    for trial, of_trial in named.items():
        found = [_rate(row) for row in of_trial]
        apart = [_difference(row, "difference") for row in of_trial]
        cells.append([trial, *(f"{a}<br>{b}" if b else a for a, b in zip(found, apart, strict=True))])
    return table(["trial", *_rates(rows)], cells, left=1)


def averages(path: Path) -> list[str]:
    def of_recipe(recipe: str, rows: list[dict[str, str]]) -> list[str]:
        return table([f"{recipe}, average over steps", *_rates(rows)], _by(rows, "average_over", _rate), left=1)

    return _for_each(path, "recipe", of_recipe)


def reflections(path: Path) -> list[str]:
    def of_model(model: str, rows: list[dict[str, str]]) -> list[str]:
        return table([f"{model}, decided by", *_rates(rows)], _by(rows, "decided_by", _less_all), left=1)

    return _for_each(path, "model", of_model)


def _less_all(row: dict[str, str]) -> str:
    """The rate, and its difference from that of all operators, which has none from itself."""
    return _rate(row) if row["decided_by"] == "all" else f"{_rate(row)}<br>{_difference(row, 'less_all')}"


def learning_rates(path: Path) -> list[str]:
    def of_recipe(recipe: str, rows: list[dict[str, str]]) -> list[str]:
        head = [f"{recipe}, H", *(f"Muon {float(rate):g}" for rate in dict.fromkeys(row["muon_lr"] for row in rows))]
        return table(head, _by(rows, "width", lambda row: f"{float(row['loss']):.4f}"), left=0)

    return _for_each(path, "recipe", of_recipe)


def _for_each(path: Path, column: str, lines: Callable[[str, list[dict[str, str]]], list[str]]) -> list[str]:
    """A table of the rows that have the same value in a column, for each of its values."""
    rows, found = _read(path), []
    for value in dict.fromkeys(row[column] for row in rows):
        found += [*lines(value, [row for row in rows if row[column] == value]), ""]
    return found[:-1]


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _rates(rows: Iterable[dict[str, str]]) -> list[str]:
    return [f"{100 * float(p):g} %" for p in dict.fromkeys(row["p"] for row in rows)]


def _by(rows: list[dict[str, str]], column: str, cell) -> Iterator[list[str]]:
    """A line for each value of a column, a cell for each of its rows."""
    for value in dict.fromkeys(row[column] for row in rows):
        yield [value, *(cell(row) for row in rows if row[column] == value)]


def _rate(row: dict[str, str]) -> str:
    low, high = (float(row[f"block_error_{end}"]) for end in ("low", "high"))
    return f"{float(row['block_error']):.2e} [{low:.1e}, {high:.1e}]"


def _difference(row: dict[str, str], column: str) -> str:
    if not row[column]:
        return ""
    low, high = (float(row[f"{column}_{end}"]) for end in ("low", "high"))
    return f"{float(row[column]):+.1e} [{low:+.1e}, {high:+.1e}]"
