"""`python -m workshop queue`: what has been trained, how well, and what comes next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from workshop.queue.standing import Standing


def show_queue(
    queue: Annotated[Path, typer.Option(help="List of models, a TOML file.")] = Path("recipes/queue.toml"),
    checkpoints: Annotated[Path, typer.Option(help="Folder of the models' checkpoints.")] = Path("checkpoints"),
) -> None:
    """Show the queue: each model's stretch and steps, its validation's block errors and their targets, and the next."""
    from cascade_qec.cli.table import Column, show
    from workshop.queue.models import load_queue
    from workshop.queue.standing import Standing, next_of, standing

    standings = [standing(model, checkpoints) for model in load_queue(queue)]
    following = next_of(standings)
    columns = [
        Column[Standing]("", lambda found: "->" if found is following else ""),
        Column[Standing]("model", lambda found: found.model.name),
        Column[Standing]("stretch", _stretch),
        Column[Standing]("steps", _steps, right=True),
        Column[Standing]("shots seen", lambda found: "-" if found.problem else f"{found.shots:,}", right=True, spare=1),
        Column[Standing]("block error / target", _targets),
        Column[Standing]("state", lambda found: found.problem or found.state),
    ]
    show(standings, columns, title="Queue", notes=["Block errors of the last validation."])


def _stretch(found: Standing) -> str:
    here = "-" if found.problem else f"{_place(found)[0] + 1}"
    return f"{here} of {len(found.model.recipes)}"


def _steps(found: Standing) -> str:
    stretch, step = _place(found)
    return "-" if found.problem else f"{step:,} of {found.model.recipes[stretch].optimizer.steps:,}"


def _place(found: Standing) -> tuple[int, int]:
    return (0, 0) if found.position is None else found.position.order


def _targets(found: Standing) -> str:
    if found.problem:
        return "-"
    errors = found.block_errors or {}
    return "\n".join(
        f"{100 * p:.3g} %: {f'{errors[p]:.2e}' if p in errors else '-'} / {target:.2e}"
        for p, target in sorted(found.model.targets.items())
    )
