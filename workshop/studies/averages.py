"""What averaging the weights is worth: one run, several averages of it, validated on the same shots.

    python -m workshop.studies.averages benchmarks/trials/surface_d3/short.toml --threads 1

Kept are exponential averages over so many steps (a decay of 1 - 1 / steps), the plain mean over the last quarter of the
run, and the last weights. Each gets batch-norm statistics of its own, as in training.
"""

import argparse
import copy
from collections.abc import Callable
from pathlib import Path

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from cascade_qec.cli.progress import progress
from cascade_qec.nn import CascadeNetwork
from cascade_qec.statistics import Interval, wilson
from cascade_qec.tables import Circumstances, circumstances, write_rows
from cascade_qec.training import Recipe, Trainer, load_recipe
from cascade_qec.training.data import Producers
from cascade_qec.training.feed import feed
from cascade_qec.training.validation import measure_statistics
from workshop import RESULTS

TABLE = RESULTS / "averages.csv"
STEPS = (1, 100, 500, 2000)
LAST_QUARTER = "last quarter"


def train(trainer: Trainer, report: Callable[[int, int], None]) -> dict[str, CascadeNetwork]:
    """Train to the last step; the averages by name, of which the one over one step is the last weights."""
    recipe, last = trainer.recipe, trainer.recipe.optimizer.steps
    kept = {str(steps): copy.deepcopy(trainer.network) for steps in STEPS} | {
        LAST_QUARTER: copy.deepcopy(trainer.average)
    }
    weights: list[torch.Tensor] = list(trainer.network.parameters())
    with Producers(recipe, range(last), trainer.micros, trainer.workers) as producers:
        batches = feed(producers, trainer.examples)
        for step in range(last):
            trainer.take_step(batches, step)
            seen = step - (last - last // 4)  # so many steps are in the mean
            decays = {str(steps): min(1 - 1 / steps, (1 + step) / (10 + step)) for steps in STEPS}
            decays[LAST_QUARTER] = seen / (1 + seen) if seen >= 0 else 0.0
            for name, network in kept.items():
                averaged: list[torch.Tensor] = list(network.parameters())
                get_ema_multi_avg_fn(decays[name])(averaged, weights, None)
            report(step + 1, last)
    return kept


class Row(Circumstances):
    """Block error of an average at one noise rate."""

    recipe: str
    average_over: str
    training_shots: int
    p: float
    shots: int
    failures: int
    block_error: Interval
    seed: int


def rows(trainer: Trainer, kept: dict[str, CascadeNetwork]) -> list[Row]:
    """A row for each average and noise rate."""
    recipe, found = trainer.recipe, []
    for name, network in kept.items():
        measure_statistics(network, trainer.examples, recipe, recipe.optimizer.steps, trainer.dtype)
        seen = trainer.validator(network, recipe.validation.p, recipe.validation.shots)
        for p, counts in seen.pooled.items():
            rate = wilson(counts.failures, counts.shots)
            found.append(
                Row(
                    recipe=recipe.name,
                    average_over=name,
                    training_shots=trainer.shots,
                    p=p,
                    shots=counts.shots,
                    failures=counts.failures,
                    block_error=rate,
                    seed=recipe.seed,
                    **circumstances(),
                )
            )
            print(f"{name:>12}  p = {p:g}  {rate.value:.3e} [{rate.low:.1e}, {rate.high:.1e}]", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--shots", type=int, default=50_000, help="of each basis and noise rate")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, default=TABLE)
    arguments = parser.parse_args()
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    recipe: Recipe = load_recipe(arguments.recipe)
    validation = recipe.validation.model_copy(update={"shots": arguments.shots})
    trainer = Trainer(recipe.model_copy(update={"validation": validation}), arguments.out.with_suffix(".run"))
    with progress("training, steps") as report:
        kept = train(trainer, report)
    trainer.step = recipe.optimizer.steps
    write_rows(arguments.out, rows(trainer, kept))
    print(f"Table: {arguments.out}")


if __name__ == "__main__":
    main()
