"""Do our kernels train as stock PyTorch does? Loss curves of both, from the same weights on the same shots.

    python -m workshop.studies.loss_curves recipes/surface_d3.toml --steps 500

Three runs: the stock network, ours, and the stock network once more with another seed for weights and shots. Curves
are means over blocks of steps. What two seeds differ by is the noise of a curve; ours may differ from stock's by
no more. Exit status 1 if it does. With --against another variant in float32 takes the place of the stock network.
"""

import argparse
import copy
import csv
import sys
from pathlib import Path

import numpy as np
import torch

from cascade_qec import kernels
from cascade_qec.device import pick_device, pick_dtype
from cascade_qec.tables import circumstances
from cascade_qec.training import Recipe, load_recipe
from cascade_qec.training.data import Producers, default_workers
from cascade_qec.training.feed import Examples, feed
from cascade_qec.training.step import Step
from workshop import RESULTS
from workshop.speed import build, with_shots
from workshop.speed.contender import OURS

BLOCK = 10


def main() -> int:
    arguments = _arguments()
    device = pick_device(arguments.device)
    dtype = pick_dtype(arguments.precision, device)
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    recipe = with_shots(load_recipe(arguments.recipe), arguments.shots)
    ours = arguments.variant or kernels.backend(device)
    other = recipe.model_copy(update={"seed": recipe.seed + 1})
    reference, exact = (arguments.against, torch.float32) if arguments.against else ("stock", dtype)
    precision = str(dtype).removeprefix("torch.")
    name = reference if reference == "stock" else f"{reference}, float32"
    curves = {
        name: curve(recipe, reference, arguments.steps, device, exact),
        (ours if reference == "stock" else f"{ours}, {precision}"): curve(recipe, ours, arguments.steps, device, dtype),
        f"{name}, another seed": curve(other, reference, arguments.steps, device, exact),
    }
    out = arguments.out or RESULTS / f"loss_curves_{recipe.name}_{ours}_{precision}.csv"
    write(curves, out, recipe, precision)
    return 0 if within_noise(*curves.values()) else 1


def curve(recipe: Recipe, variant: str, steps: int, device: torch.device, dtype: torch.dtype) -> np.ndarray:
    """Training loss in nats, mean over observables and over blocks of steps: float64 [steps / BLOCK]."""
    network, geometry = build(recipe, variant)
    network, geometry = network.to(device), geometry.to(device)
    average = copy.deepcopy(network).requires_grad_(False)
    micros = range(recipe.batch.micro_batches)
    losses = []
    workers = default_workers(str(device))
    with (
        kernels.use(variant if variant in OURS else "reference"),
        Producers(recipe, range(steps), micros, workers) as producers,
    ):
        examples = Examples(recipe, device)
        batches = feed(producers, examples)
        step = Step(network, average, geometry, examples.questions, recipe, device=device, dtype=dtype, micros=micros)
        for number in range(steps):
            losses.append(step(batches, number).mean())
            if (number + 1) % 100 == 0:
                print(f"{variant}, seed {recipe.seed}: step {number + 1}, loss {losses[-1]:.4f}", flush=True)
    return torch.stack(losses).double().cpu().numpy().reshape(-1, BLOCK).mean(axis=1)


def within_noise(stock: np.ndarray, ours: np.ndarray, other_seed: np.ndarray) -> bool:
    """Say how far ours is from stock's, and whether that is within the noise between seeds.

    The noise is the standard deviation of what the two seeds differ by, from the median, which the first steep
    steps do not stretch. Single blocks may differ by three times as much; the mean of all may by three times its own
    standard error.
    """
    noise = float(np.median(np.abs(other_seed - stock))) / 0.6745
    difference = ours - stock
    largest, mean = float(np.abs(difference).max()), float(difference.mean())
    bounds = 3 * noise, 3 * noise / len(difference) ** 0.5
    print(f"largest difference of a block {largest:.2e}, bound {bounds[0]:.2e}")
    print(f"difference of the means {mean:+.2e}, bound {bounds[1]:.2e}")
    agree = largest <= bounds[0] and abs(mean) <= bounds[1]
    print("the curves agree within noise" if agree else "the curves DIFFER beyond noise")
    return agree  # also False where a loss is not finite


def write(curves: dict[str, np.ndarray], out: Path, recipe: Recipe, precision: str) -> None:
    facts = {"recipe": recipe.name, "seed": recipe.seed, "shots": recipe.shots_per_step, "precision": precision}
    facts |= circumstances()
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["step", *curves, *facts])
        for block, values in enumerate(zip(*curves.values(), strict=True)):
            writer.writerow([(block + 1) * BLOCK, *(f"{value:.6f}" for value in values), *facts.values()])
    print(f"Curves: {out}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--steps", type=int, default=500, help=f"a multiple of {BLOCK}")
    parser.add_argument("--shots", type=int, help="one micro-batch of so many shots of each basis a step")
    parser.add_argument(
        "--variant", help="what is compared with stock: triton, native or reference; default: the device's"
    )
    parser.add_argument("--against", help="what it is compared with, in float32, instead of stock in its precision")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.steps < BLOCK or arguments.steps % BLOCK:
        parser.error(f"expected --steps to be a multiple of {BLOCK}, got {arguments.steps}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
