"""What studies of small networks have in common: short runs under noise of the data qubits alone, and their table.

A study is a list of runs. A row of its table is what a validation in training found, beside the multiply-accumulates
until then. Runs go on where they were stopped, and the table is written after each.
"""

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import computed_field

from cascade_qec.decoders import classical
from cascade_qec.evaluation.comparison import Experiment, compare
from cascade_qec.plotting.panels import grouped
from cascade_qec.statistics import Interval, wilson
from cascade_qec.tables import Circumstances, circumstances, write_rows
from cascade_qec.training import Recipe, Trainer
from workshop.roofline.costs import Architecture, block_cost
from workshop.roofline.shapes import shape_of

ROUNDS, P = 2, 0.1
"""The experiment of the capacity study, see benchmarks/README.md."""
RATE = 0.03
"""Muon's learning rate, the best for short runs (docs/trials.md); Lion's is a twentieth."""
RIVAL_SHOTS = 20_000
PASSES = 3
"""Of training: forward, and backward to activations and to weights, each with as many multiply-accumulates."""


class Row(Circumstances):
    """What a validation found, or what a rival decoded, both bases pooled.

    Attributes
    ----------
    seed
        Of training and of the validation's shots, or of the rival's shots.
    width, depth, muon_lr, parameters, training_shots, training_macs
        0 for rivals.
    training_macs
        Multiply-accumulates of the blocks until then, as arXiv 2604.08358 counts them: every site is taken to have all
        its neighbours.
    """

    decoder: str
    seed: int
    code: str
    rounds: int
    p: float
    width: int = 0
    depth: int = 0
    muon_lr: float = 0
    parameters: int = 0
    training_shots: int = 0
    training_macs: int = 0
    shots: int
    failures: int

    @computed_field
    @property
    def block_error(self) -> Interval:
        return wilson(self.failures, self.shots)


@dataclass(frozen=True)
class Run:
    """A recipe, what its curve is called, and what its blocks cost."""

    label: str
    recipe: Recipe
    architecture: Architecture = "convolution"


def recipe(name: str, code: str, seed: int, network: dict[str, Any], *, steps: int, rate: float = RATE) -> Recipe:
    """A short run; what is not given is the same in all studies."""
    return Recipe.model_validate(
        {
            "name": name,
            "code": code,
            "rounds": ROUNDS,
            "seed": seed,
            "network": {"convolution": "direct"} | network,
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


def study(doc: str, table: Path, runs: Sequence[Run], decoders: Sequence[str]) -> None:
    """A study's command: train what is missing, and write the table, in which classical decoders come first."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder of the runs' folders")
    parser.add_argument("--minutes", type=float, default=60, help="stop training after so many; run again to go on")
    parser.add_argument("--out", type=Path, default=table)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = rivals(decoders, sorted({run.recipe.code for run in runs}), shots=RIVAL_SHOTS, seed=2026)
    for found in trained(runs, arguments.runs, minutes=arguments.minutes):
        rows += found
        write_rows(arguments.out, rows)
    for (label, code, rate), ends in grouped(final(rows), lambda row: (row.decoder, row.code, row.muon_lr)).items():
        error, seen = pooled(ends), ends[0].training_shots
        learnt = f", rate {rate:g}, {seen:,} training shots, {len(ends)} seeds" if seen else ""
        print(
            f"{label:<22} {code}{learnt}: {sum(end.failures for end in ends)} / {sum(end.shots for end in ends)}"
            f" = {error.value:.4f} [{error.low:.4f}, {error.high:.4f}]"
        )
    print(f"Table: {arguments.out}")


def final(rows: Sequence[Row]) -> list[Row]:
    """The last row of each run, of runs that have seen as many shots as the longest; and rivals' rows."""
    runs = grouped(rows, lambda row: (row.decoder, row.code, row.muon_lr, row.seed))
    ends = [max(run, key=lambda row: row.training_shots) for run in runs.values()]
    most = max(end.training_shots for end in ends)
    return [end for end in ends if end.training_shots in (0, most)]


def pooled(rows: Sequence[Row]) -> Interval:
    """Block error of all shots together: what seeds differ by is not in its interval."""
    return wilson(sum(row.failures for row in rows), sum(row.shots for row in rows))


def trained(runs: Sequence[Run], folders: Path, *, minutes: float) -> Iterable[list[Row]]:
    """Rows of one run after the other, trained to the end or until the minutes are used."""
    deadline = time.monotonic() + 60 * minutes
    for run in runs:
        folder = folders / run.recipe.name
        left = (deadline - time.monotonic()) / 60
        trainer = Trainer(run.recipe, folder, resume=(folder / "checkpoint.pt").exists(), workers=0)
        stopped = trainer.step < run.recipe.optimizer.steps and (left <= 0 or not trainer.run(minutes=left))
        if (folder / "metrics.jsonl").exists():
            yield rows_of(run, folder)
        if stopped:
            return


def rows_of(run: Run, folder: Path) -> list[Row]:
    """A row for each validation of a run so far."""
    made, network, facts = run.recipe, run.recipe.network, circumstances()
    per_shot, parameters = macs_per_shot(run), made.description().parameters()
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [
        Row(
            decoder=run.label,
            seed=made.seed,
            code=made.code,
            rounds=ROUNDS,
            p=P,
            width=network.width,
            depth=network.depth,
            muon_lr=made.optimizer.muon_lr,
            parameters=parameters,
            training_shots=line["shots"],
            training_macs=PASSES * line["shots"] * per_shot,
            shots=line["validation_shots"],
            failures=round(line["block_error"][str(P)] * line["validation_shots"]),
            **facts,
        )
        for line in lines
        if "block_error" in line
    ]


def macs_per_shot(run: Run) -> int:
    """Of a forward pass through the blocks of one experiment."""
    network = run.recipe.network
    shape = shape_of(run.recipe.code, rounds=ROUNDS + 1)  # as many slices as that
    cost = block_cost(run.architecture, shape, width=network.width, bottleneck=network.bottleneck)
    return network.depth * shape.positions * shape.rounds * cost.total


def rivals(decoders: Sequence[str], codes: Sequence[str], *, shots: int, seed: int) -> list[Row]:
    """Classical decoders on the same experiments."""
    facts: dict[str, Any] = circumstances()
    found = {name: classical.get(name) for name in decoders}
    return [
        Row(
            decoder=row.decoder,
            seed=row.seed,
            code=code,
            rounds=ROUNDS,
            p=P,
            shots=row.shots,
            failures=row.failures,
            **facts,
        )
        for code in codes
        for row in compare(Experiment.memory(code, P, ROUNDS, ["Z", "X"], "data"), found, shots=shots, seed=seed)
    ]
