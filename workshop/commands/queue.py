"""`python -m workshop queue`: what has been trained, how well, and what comes next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from workshop.queue.standing import Standing


def show_queue(
    queue: Annotated[Path, typer.Option(help="List of models, a TOML file.")] = Path("recipes/queue.toml"),
    checkpoints: Annotated[Path, typer.Option(help="Folder of the models' checkpoints.")] = Path("checkpoints"),
) -> None:
    """Show the queue: each model's stretch and steps, its validation's block errors and their targets, and the next."""
    from cascade_qec.cli.card_view import console
    from workshop.queue.models import load_queue
    from workshop.queue.standing import standing

    console().print(queue_table([standing(model, checkpoints) for model in load_queue(queue)]))


def queue_table(standings: Sequence[Standing]) -> Table:
    """One row for each model, an arrow at the one that is trained next."""
    from rich.table import Table

    from workshop.queue.standing import next_of

    following = next_of(standings)
    columns = ("", "model", "stretch", "steps", "shots seen", "block error / target", "state")
    table = Table(*columns, title="Queue", caption="block errors of the last validation", caption_justify="left")
    for found in standings:
        arrow = "->" if found is following else ""
        table.add_row(arrow, found.model.name, *_progress(found), found.problem or found.state)
    return table


def _progress(found: Standing) -> tuple[str, str, str, str]:
    stretches = len(found.model.recipes)
    if found.problem:
        return f"- of {stretches}", "-", "-", "-"
    stretch, step = (0, 0) if found.position is None else found.position.order
    errors = found.block_errors or {}
    return (
        f"{stretch + 1} of {stretches}",
        f"{step:,} of {found.model.recipes[stretch].optimizer.steps:,}",
        f"{found.shots:,}",
        "\n".join(
            f"{100 * p:.3g} %: {f'{errors[p]:.2e}' if p in errors else '-'} / {target:.2e}"
            for p, target in sorted(found.model.targets.items())
        ),
    )
