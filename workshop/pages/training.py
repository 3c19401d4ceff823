"""Tables of docs/training.md: learning curves from checkpoints/, trials from benchmarks/results."""

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table
from workshop.queue.record import read_run

CHECKPOINTS = CHECKOUT / "checkpoints"
PAGE = CHECKOUT / "docs" / "training.md"

MOST_VALIDATIONS = 8
"""Rows of a stretch: the last validation, and others evenly before it."""


def with_tables(text: str) -> str:
    """The page with every table as checkpoints and results have it."""
    for name, lines in (
        ("learning curves", learning_curves()),
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


def learning_curves() -> list[str]:
    lines = []
    for folder in sorted(path for path in CHECKPOINTS.iterdir() if path.is_dir()):
        lines += [f"**{folder.name}**", "", *learning_curve(folder.name), ""]
    return lines[:-1]


def learning_curve(model: str) -> list[str]:
    """Validations of all stretches of a model's training."""
    record, rows = read_run(CHECKPOINTS / model)
    stretches = [(stretch["recipe"], stretch["validations"]) for stretch in record.get("earlier", [])]
    stretches.append((record["recipe"], [row for row in rows if "block_error" in row]))
    before, cells = 0, []
    for number, (recipe, validations) in enumerate(stretches, start=1):
        for row in _picked(validations):
            errors = [f"{error:.2e}" for error in row["block_error"].values()]
            cells.append([str(number), f"{before + row['shots']:,}", f"{row['validation_shots']:,}", *errors])
        before += _shots_of(recipe)
    rates = [f"{100 * float(p):g} %" for p in stretches[-1][1][-1]["block_error"]]
    return table(["stretch", "shots seen", "validated on", *rates], cells, left=0)


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


def _picked(validations: list[dict]) -> list[dict]:
    count = len(validations)
    kept = {round((number + 1) * count / min(count, MOST_VALIDATIONS)) - 1 for number in range(MOST_VALIDATIONS)}
    return [row for number, row in enumerate(validations) if number in kept]


def _shots_of(recipe: dict) -> int:
    batch = recipe["batch"]
    return recipe["optimizer"]["steps"] * batch["shots"] * batch["micro_batches"] * len(recipe["bases"])


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
