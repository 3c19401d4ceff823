"""Does a logical head need fewer shots on a trunk that has learnt local labels? results/local_first.csv.

    python -m workshop.studies.local_first --runs runs/local_first --minutes 90

Every run of a code has one budget of shots. `logical` spends it all on the labels of logical operators, from scratch.
`local first` spends a third of it on the labels of every component of the noise, and then a new logical head goes on
from that trunk. `shipped trunk` spends it on logical labels as well, from the trunk of a local model of the zoo. Steps,
batch, noise and rates are the same; every stretch has a ramp of noise and a fall of the rate over its own length.
`local head` is the local stretch by itself, which decides by matching or ordered statistics.

Runs go on where they were stopped. The table has the seeds of which all arms are done.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import computed_field

from cascade_qec.device import pick_dtype
from cascade_qec.evaluation.two_samples import paired_difference
from cascade_qec.native import set_threads
from cascade_qec.statistics import Interval, wilson
from cascade_qec.tables import Circumstances, circumstances, read_rows, write_rows
from cascade_qec.training import Recipe, Trainer, load_recipe
from cascade_qec.training.data import Producers
from cascade_qec.training.feed import feed
from cascade_qec.zoo import registry
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table
from workshop.studies.trials import Trained, failed_shots

TABLE, PAGE = RESULTS / "local_first.csv", CHECKOUT / "docs" / "studies.md"
RATE = 0.01
TURNS, STEPS = 3, 10
Arm = Literal["logical", "local first", "shipped trunk", "local head"]
Head = Literal["logical", "local"]
ARMS: tuple[Arm, ...] = ("logical", "local first", "shipped trunk")
HEADS: tuple[Head, ...] = ("local", "logical")


@dataclass(frozen=True)
class Plan:
    """What all runs of a code have in common.

    Attributes
    ----------
    budget
        Shots of a run, both bases together.
    batch
        Shots of each basis in a step.
    p, decoded_p
        Noise of training, after its ramp, and of what is decoded.
    decoded
        Shots of each basis that the model of a run decodes in the end.
    shipped
        The local model of the zoo whose trunk is tried, if that has not learnt from a logical head itself.
    network
        Settings that differ from those of the zoo's model.
    """

    budget: int
    batch: int
    p: float
    decoded_p: float
    decoded: int
    seeds: tuple[int, ...]
    shipped: str | None = None
    network: Mapping[str, int] = field(default_factory=dict)


PLANS = {
    "surface_d5": Plan(
        budget=48_000, batch=32, p=0.006, decoded_p=0.005, decoded=12_500, seeds=(1, 2), shipped="local_surface"
    ),
    # local_bb72 has learnt from bb72's trunk, so it would give back what a logical head has learnt
    "bb72": Plan(
        budget=48_000,
        batch=32,
        p=0.003,
        decoded_p=0.003,
        decoded=4_000,
        seeds=(1,),
        network={"width": 32, "depth": 4, "bottleneck": 2},
    ),
}


class Row(Circumstances):
    """A validation of the logical head on the way, or what the run's model decodes in the end.

    Attributes
    ----------
    trunk_shots, trunk_seconds
        Of the shipped model's own training; seconds are of wall-clock time.
    local_shots, logical_shots
        Of the run, until then.
    seconds
        Processor time of those shots, without validations.
    alone, others_alone
        In the end: shots on which only this model fails, and on which only that of `logical` does, of the same seed.
    """

    code: str
    p: float
    arm: Arm
    seed: int
    trunk_shots: int = 0
    trunk_seconds: float = 0
    local_shots: int
    logical_shots: int
    seconds: float
    shots: int
    failures: int
    alone: int | None = None
    others_alone: int | None = None

    @computed_field
    @property
    def block_error(self) -> Interval:
        return wilson(self.failures, self.shots)


@dataclass(frozen=True)
class Run:
    """An arm with one seed."""

    code: str
    arm: Arm
    seed: int

    @cached_property
    def stretches(self) -> list[Recipe]:
        """The local one, if there is one, and the logical one."""
        budget = PLANS[self.code].budget
        if self.arm == "local first":
            return [self._recipe("local", budget // 3), self._recipe("logical", budget - budget // 3)]
        return [self._recipe("logical", budget)]

    @property
    def shipped(self) -> str | None:
        return PLANS[self.code].shipped if self.arm == "shipped trunk" else None

    def _recipe(self, head: Head, shots: int) -> Recipe:
        name = f"{self.code}_{self.arm.replace(' ', '_')}_{self.seed}{'_trunk' if head == 'local' else ''}"
        return recipe(self.code, head, shots, seed=self.seed, name=name)


def recipe(code: str, head: Head, shots: int, *, seed: int = 1, name: str = "any") -> Recipe:
    """The recipe of the zoo's model for a stretch as short as this."""
    read, plan = load_recipe(CHECKOUT / "recipes" / f"{code}.toml"), PLANS[code]
    steps = shots // (plan.batch * len(read.bases))
    sections = {
        "network": plan.network,
        "noise": {"p": plan.p, "hold_steps": steps // 20, "ramp_steps": 3 * steps // 20},
        "optimizer": {
            "steps": steps,
            "muon_lr": RATE,
            "lion_lr": RATE / 20,
            "warmup_steps": steps // 20,
            "ema": 0.98,
        },
        "batch": {"shots": plan.batch},
        # how local labels decide is another question
        "validation": {"p": [plan.decoded_p], "shots": 1500 if head == "logical" else 1, "every": -(-steps // 3)},
    }
    made = read.model_dump() | {"name": name, "seed": seed, "head": head, "operators": "translations"}
    return Recipe.model_validate(made | {section: made[section] | changed for section, changed in sections.items()})


def runs() -> list[Run]:
    """Seed after seed, so that arms can be compared early on."""
    return [
        Run(code, arm, seed)
        for seed in sorted({seed for plan in PLANS.values() for seed in plan.seeds})
        for code in PLANS
        if seed in PLANS[code].seeds
        for arm in arms(code)
    ]


def arms(code: str) -> tuple[Arm, ...]:
    """Those that are compared on a code."""
    return ARMS if PLANS[code].shipped else ARMS[:-1]


def train(run: Run, folders: Path, deadline: float) -> bool:
    """Train a run's stretches on until the deadline of `time.monotonic`, and say whether they are complete."""
    start = registry.path(run.shipped) if run.shipped else None
    for stretch in run.stretches:
        folder = folders / stretch.name
        resume = (folder / "checkpoint.pt").exists()
        trainer = Trainer(
            stretch, folder, resume=resume, start_from=None if resume else start, dtype=_dtype(), workers=0
        )
        left = (deadline - time.monotonic()) / 60
        if trainer.step < stretch.optimizer.steps and (left <= 0 or not trainer.run(minutes=left)):
            return False
        start = folder / f"{stretch.name}.safetensors"
    return True


def _dtype() -> torch.dtype:
    return pick_dtype("auto", torch.device("cpu"))


def seconds_per_shot(code: str) -> dict[Head, float]:
    """Processor time of training on a shot, sampling included: of either head the least of some turns."""
    found: dict[Head, list[float]] = {head: [] for head in HEADS}
    with TemporaryDirectory() as folder:
        trainers: dict[Head, Trainer] = {
            head: Trainer(recipe(code, head, PLANS[code].budget), Path(folder), dtype=_dtype(), workers=0)
            for head in HEADS
        }
        for turn, (head, trainer) in product(range(TURNS), trainers.items()):
            steps = range(turn * (STEPS + 1), (turn + 1) * (STEPS + 1))
            with Producers(trainer.recipe, steps, trainer.micros, 0) as producers:
                batches = feed(producers, trainer.examples)
                trainer.take_step(batches, steps[0])  # fills what is cached
                before = time.process_time()
                for step in steps[1:]:
                    trainer.take_step(batches, step)
                spent = time.process_time() - before
            found[head].append(spent / (STEPS * trainer.recipe.shots_per_step))
    return {head: min(times) for head, times in found.items()}


def rows(done: Sequence[Run], folders: Path) -> Iterator[list[Row]]:
    """Rows of complete runs, one run after the other: of each seed those of `logical` first."""
    costs = {code: seconds_per_shot(code) for code in dict.fromkeys(run.code for run in done)}
    baselines: dict[tuple[str, int], NDArray[np.bool_]] = {}
    for run in done:
        yield rows_of(run, folders, costs[run.code], baselines)


def rows_of(
    run: Run, folders: Path, cost: dict[Head, float], baselines: dict[tuple[str, int], NDArray[np.bool_]]
) -> list[Row]:
    """The curve of a run, and what it decodes in the end; a local stretch has a row as a model of its own.

    `baselines` has the shots on which `logical` fails, by code and seed.
    """
    plan, (*before, last) = PLANS[run.code], run.stretches
    facts: dict[str, Any] = circumstances()
    if run.shipped:
        card = registry.card(run.shipped)
        facts |= {"trunk_shots": card.shots, "trunk_seconds": round(3600 * card.hours)}

    def row(arm: Arm, local: int, logical: int, shots: int, failures: int, **apart: int) -> Row:
        return Row(
            code=run.code,
            p=plan.decoded_p,
            arm=arm,
            seed=run.seed,
            local_shots=local,
            logical_shots=logical,
            seconds=round(local * cost["local"] + logical * cost["logical"], 2),
            shots=shots,
            failures=failures,
            **apart,
            **facts,
        )

    def end(arm: Arm, stretch: Recipe, local: int, logical: int) -> Row:
        model = Trained(stretch, folders / stretch.name / f"{stretch.name}.safetensors", _shots(stretch), seconds=0)
        wrong = failed_shots(model, [plan.decoded_p], plan.decoded, run.seed)[plan.decoded_p]
        others = baselines.setdefault((run.code, run.seed), wrong)
        apart = {"alone": int((wrong & ~others).sum()), "others_alone": int((others & ~wrong).sum())}
        return row(arm, local, logical, len(wrong), int(wrong.sum()), **apart)

    local = sum(map(_shots, before))
    found = [end("local head", stretch, local, 0) for stretch in before]
    for line in map(json.loads, (folders / last.name / "metrics.jsonl").read_text().splitlines()):
        if "block_error" in line and line["shots"] < _shots(last):
            shots = line["validation_shots"]
            failures = round(line["block_error"][str(plan.decoded_p)] * shots)
            found.append(row(run.arm, local, line["shots"], shots, failures))
    return [*found, end(run.arm, last, local, _shots(last))]


def _shots(stretch: Recipe) -> int:
    return stretch.optimizer.steps * stretch.shots_per_step


def ends(found: Sequence[Row]) -> list[Row]:
    """The last row of each run."""
    return [row for row in found if row.alone is not None]


def with_tables(text: str) -> str:
    return filled(text, "local labels first", lines(read_rows(TABLE, Row)))


def lines(found: Sequence[Row]) -> list[str]:
    """The table of the documentation: seeds are pooled, their shots differ."""
    cells: list[list[str]] = []
    for code, arm in dict.fromkeys((row.code, row.arm) for row in found):
        of_arm = [row for row in ends(found) if (row.code, row.arm) == (code, arm)]
        failures, shots = sum(row.failures for row in of_arm), sum(row.shots for row in of_arm)
        apart = paired_difference(
            sum(row.alone or 0 for row in of_arm), sum(row.others_alone or 0 for row in of_arm), shots
        )
        cells.append(
            [
                code,
                arm,
                f"{of_arm[0].local_shots:,} + {of_arm[0].logical_shots:,}",
                f"{of_arm[0].seconds:.0f} s",
                f"{failures:,} / {shots:,}",
                _interval(wilson(failures, shots)),
                "" if arm == "logical" else _interval(apart, sign="+"),
                ", ".join(f"{row.block_error.value:.4f}" for row in of_arm),
            ]
        )
    head = ["code", "arm", "local + logical shots", "processor time", "failures / shots", "block error"]
    return table([*head, "less that of logical", "each seed"], cells, left=2)


def _interval(found: Interval, sign: str = "") -> str:
    return f"{found.value:{sign}.4f} [{found.low:{sign}.4f}, {found.high:{sign}.4f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder of the runs' folders")
    parser.add_argument("--minutes", type=float, default=90, help="stop training after so many; run again to go on")
    parser.add_argument("--out", type=Path, default=TABLE)
    arguments = parser.parse_args()
    set_threads(1)
    deadline = time.monotonic() + 60 * arguments.minutes
    done = [run for run in runs() if train(run, arguments.runs, deadline)]
    found: list[Row] = []
    compared = [run for run in done if {Run(run.code, arm, run.seed) for arm in arms(run.code)} <= set(done)]
    for of_run in rows(compared, arguments.runs):
        found += of_run
        write_rows(arguments.out, found)
    print(*lines(found), f"Table: {arguments.out}", sep="\n")


if __name__ == "__main__":
    main()
