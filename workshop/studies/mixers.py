"""Convolution or attention? Networks of one size that differ in what mixes sites: results/mixers.csv.

    python -m workshop.studies.mixers --runs runs/mixers --minutes 60

The experiment is that of the capacity study at d = 5: two rounds, noise on the data qubits alone. All networks have one
width, depth and head, see the same shots, and have about as many parameters. A row is what a validation in training
found, beside the multiply-accumulates until then. Runs go on where they were stopped.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import computed_field

from cascade_qec.decoders import classical
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.comparison import Experiment, compare
from cascade_qec.model import NetworkSettings
from cascade_qec.statistics import Interval, wilson
from cascade_qec.tables import Circumstances, circumstances, write_rows
from cascade_qec.training import Recipe, Trainer
from workshop import RESULTS
from workshop.roofline.costs import Architecture, block_cost
from workshop.roofline.shapes import shape_of

TABLE = RESULTS / "mixers.csv"
CODE, ROUNDS, P = "surface_d5", 2, 0.1
MIXERS: Mapping[Architecture, dict[str, Any]] = {
    # four products of C by C cost as many parameters at C = H / 2 as 27 do at H / 4
    "convolution": {},
    "local_attention": {"mixer": "local_attention", "bottleneck": 2},
    "full_attention": {"mixer": "full_attention", "bottleneck": 2},
    "depthwise": {"depthwise": True, "bottleneck": 2},
}
RATE = 0.03
"""Muon's learning rate; Lion's is a twentieth."""
RUNS = [(mixer, seed, RATE) for seed in (1, 2, 3) for mixer in MIXERS] + [(mixer, 1, RATE / 3) for mixer in MIXERS]
"""Three seeds, and one once more at another rate: it was chosen for convolutions."""
RIVALS = ("pymatching", "pymatching-correlated", "tesseract")
PASSES = 3
"""Of training: forward, and backward to activations and to weights, each with as many multiply-accumulates."""


class Row(Circumstances):
    """What a validation found, or what a rival decoded, both bases pooled.

    Attributes
    ----------
    muon_lr, parameters, training_shots, training_macs
        0 for rivals.
    training_macs
        Multiply-accumulates of the blocks until then, as arXiv 2604.08358 counts them.
    """

    decoder: str
    seed: int
    code: str
    rounds: int
    p: float
    muon_lr: float
    parameters: int
    training_shots: int
    training_macs: int
    shots: int
    failures: int

    @computed_field
    @property
    def block_error(self) -> Interval:
        return wilson(self.failures, self.shots)


def recipe(mixer: Architecture, seed: int, rate: float, *, width: int, depth: int, steps: int) -> Recipe:
    """One run; what is not about the mixer is the same for all."""
    return Recipe.model_validate(
        {
            "name": f"{mixer}_{seed}" + ("_slow" if rate < RATE else ""),
            "code": CODE,
            "rounds": ROUNDS,
            "seed": seed,
            "network": {"width": width, "depth": depth, "convolution": "direct"} | MIXERS[mixer],
            "noise": {"model": "data", "p": P, "start": 0.03, "hold_steps": steps // 20, "ramp_steps": steps // 5},
            "optimizer": {
                "steps": steps,
                "muon_lr": rate,
                "lion_lr": rate / 20,
                "warmup_steps": steps // 20,
                "ema": 0.995,
            },
            "batch": {"shots": 32},
            "validation": {"p": [P], "shots": 3000, "every": steps // 4},
        }
    )


def macs_per_shot(mixer: Architecture, settings: NetworkSettings) -> int:
    """Of a forward pass through the blocks of one experiment, every site taken to have all its neighbours."""
    shape = shape_of(CODE, rounds=ROUNDS + 1)  # a slice more than rounds
    cost = block_cost(mixer, shape, width=settings.width, bottleneck=settings.bottleneck)
    return settings.depth * shape.positions * shape.rounds * cost.total


def rows_of(mixer: Architecture, made: Recipe, folder: Path) -> list[Row]:
    """A row for each validation of a run so far."""
    parameters, facts = made.description().parameters(), circumstances()
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [
        Row(
            decoder=mixer,
            seed=made.seed,
            code=CODE,
            rounds=ROUNDS,
            p=P,
            muon_lr=made.optimizer.muon_lr,
            parameters=parameters,
            training_shots=found["shots"],
            training_macs=PASSES * found["shots"] * macs_per_shot(mixer, made.network),
            shots=found["validation_shots"],
            failures=round(found["block_error"][str(P)] * found["validation_shots"]),
            **facts,
        )
        for found in lines
        if "block_error" in found
    ]


def rivals(shots: int, seed: int) -> list[Row]:
    """Classical decoders on the same experiment, with other shots than the validations'."""
    experiment = Experiment.memory(CODE, P, ROUNDS, ["Z", "X"], "data")
    facts = circumstances()
    return [
        Row(
            decoder=row.decoder,
            seed=row.seed,
            code=CODE,
            rounds=ROUNDS,
            p=P,
            muon_lr=0,
            parameters=0,
            training_shots=0,
            training_macs=0,
            shots=row.shots,
            failures=row.failures,
            **facts,
        )
        for row in compare(experiment, {name: classical.get(name) for name in RIVALS}, shots=shots, seed=seed)
    ]


def main() -> None:
    arguments = _arguments()
    torch.set_num_threads(1)
    deadline = time.monotonic() + 60 * arguments.minutes
    table = rivals(arguments.rival_shots, arguments.seed)
    write_rows(arguments.out, table)
    size = {"width": arguments.width, "depth": arguments.depth, "steps": arguments.steps}
    for mixer, seed, rate in RUNS:
        made = recipe(mixer, seed, rate, **size)
        folder = arguments.runs / made.name
        left = (deadline - time.monotonic()) / 60
        trainer = Trainer(made, folder, resume=(folder / "checkpoint.pt").exists(), workers=0)
        stopped = trainer.step < made.optimizer.steps and (left <= 0 or not trainer.run(minutes=left))
        if (folder / "metrics.jsonl").exists():
            table += rows_of(mixer, made, folder)
            write_rows(arguments.out, table)
            print(f"{made.name}: {table[-1].training_shots:,} shots, {table[-1].block_error}", flush=True)
        if stopped:
            break
    print(f"Table: {arguments.out}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder of the runs' folders")
    parser.add_argument("--minutes", type=float, default=60, help="stop training after so many; run again to go on")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--steps", type=int, default=600, help="of 64 shots")
    parser.add_argument("--rival_shots", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=2026, help="of the rivals' shots")
    parser.add_argument("--out", type=Path, default=TABLE)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except CascadeError as error:
        sys.exit(f"error: {error}")
