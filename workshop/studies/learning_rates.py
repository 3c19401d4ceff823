"""Do learning rates carry over from width to width (MuP)? The last losses of short runs, by width and rate.

    python -m workshop.studies.learning_rates recipes/surface_d3.toml --steps 250 --threads 1

Every run has the recipe's schedule, shortened, and its ratio of the two optimizers' rates.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from cascade_qec.cli.progress import progress
from cascade_qec.tables import Circumstances, circumstances, write_rows
from cascade_qec.training import Recipe, Trainer, load_recipe
from cascade_qec.training.data import Producers
from cascade_qec.training.feed import feed
from workshop import RESULTS

TABLE = RESULTS / "learning_rates.csv"
WIDTHS = (16, 32, 64)
FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
LAST = 0.2
"""Share of the steps that a run's loss is the mean of."""


def variant(recipe: Recipe, width: int, factor: float, steps: int) -> Recipe:
    """The recipe at another width, with both learning rates multiplied, for so many steps."""
    optimizer, share = recipe.optimizer, steps / recipe.optimizer.steps
    rates = {"muon_lr": factor * optimizer.muon_lr, "lion_lr": factor * optimizer.lion_lr, "steps": steps}
    noise = {name: round(share * getattr(recipe.noise, name)) for name in ("hold_steps", "ramp_steps")}
    return recipe.model_copy(
        update={
            "network": recipe.network.model_copy(update={"width": width}),
            "optimizer": optimizer.model_copy(update=rates),
            "noise": recipe.noise.model_copy(update=noise),
        }
    )


class Row(Circumstances):
    """The loss of the last steps of a run."""

    recipe: str
    width: int
    muon_lr: float
    lion_lr: float
    steps: int
    training_shots: int
    loss: float
    standard_error: float
    seed: int


def last_loss(recipe: Recipe, report: Callable[[int], None]) -> tuple[float, float]:
    """Mean loss in nats over the last steps, and its standard error."""
    trainer, steps = Trainer(recipe, TABLE.with_suffix(".run")), recipe.optimizer.steps
    losses = []
    with Producers(recipe, range(steps), trainer.micros, trainer.workers) as producers:
        batches = feed(producers, trainer.examples)
        for step in range(steps):
            losses.append(trainer.take_step(batches, step).mean().item())
            report(step + 1)
    last = np.array(losses[-round(LAST * steps) :])
    return float(last.mean()), float(last.std(ddof=1) / len(last) ** 0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, default=TABLE)
    arguments = parser.parse_args()
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    recipe, rows = load_recipe(arguments.recipe), []
    runs = [(width, factor) for width in WIDTHS for factor in FACTORS]
    with progress("training, steps") as report:
        for number, (width, factor) in enumerate(runs):
            before, total = number * arguments.steps, len(runs) * arguments.steps
            trial = variant(recipe, width, factor, arguments.steps)
            loss, error = last_loss(trial, lambda step, before=before, total=total: report(before + step, total))
            rows.append(
                Row(
                    recipe=recipe.name,
                    width=width,
                    muon_lr=trial.optimizer.muon_lr,
                    lion_lr=trial.optimizer.lion_lr,
                    steps=arguments.steps,
                    training_shots=arguments.steps * trial.shots_per_step,
                    loss=loss,
                    standard_error=error,
                    seed=recipe.seed,
                    **circumstances(),
                )
            )
            print(f"H = {width}, Muon at {trial.optimizer.muon_lr:g}: loss {loss:.5f} +- {error:.5f}", flush=True)
    write_rows(arguments.out, rows)
    print(f"Table: {arguments.out}")


if __name__ == "__main__":
    main()
