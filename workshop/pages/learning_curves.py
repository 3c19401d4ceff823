"""Tables of docs/learning_curves.md, from checkpoints/."""

from cascade_qec.training import Recipe
from workshop import CHECKOUT
from workshop.pages.text import filled, table
from workshop.queue.record import read_run

CHECKPOINTS = CHECKOUT / "checkpoints"
PAGE = CHECKOUT / "docs" / "learning_curves.md"

MOST_VALIDATIONS = 8
"""Rows of a stretch: the last validation, and others evenly before it."""


def with_tables(text: str) -> str:
    """The page with every model's table as its checkpoint has it."""
    return filled(text, "learning curves", learning_curves())


def learning_curves() -> list[str]:
    lines = []
    for folder in sorted(path for path in CHECKPOINTS.iterdir() if path.is_dir()):
        lines += [f"**{folder.name}**", "", *learning_curve(folder.name), ""]
    return lines[:-1]


def learning_curve(model: str) -> list[str]:
    """Validations of all stretches of a model's training, at every rate that any of them was validated at."""
    record, rows = read_run(CHECKPOINTS / model)
    stretches = [(stretch["recipe"], stretch["validations"]) for stretch in record.get("earlier", [])]
    stretches.append((record["recipe"], [row for row in rows if "block_error" in row]))
    rates = sorted({p for _, validations in stretches for row in validations for p in row["block_error"]}, key=float)
    before, cells = 0, []
    for number, (fields, validations) in enumerate(stretches, start=1):
        for row in _picked(validations):
            errors = [f"{row['block_error'][p]:.2e}" if p in row["block_error"] else "" for p in rates]
            cells.append([str(number), f"{before + row['shots']:,}", f"{row['validation_shots']:,}", *errors])
        recipe = Recipe.model_validate(fields)
        before += recipe.optimizer.steps * recipe.shots_per_step
    head = ["stretch", "shots seen", "validated on", *(f"{100 * float(p):g} %" for p in rates)]
    return table(head, cells, left=0)


def _picked(validations: list[dict]) -> list[dict]:
    count = len(validations)
    shown = min(count, MOST_VALIDATIONS)
    return [validations[round((number + 1) * count / shown) - 1] for number in range(shown)]
