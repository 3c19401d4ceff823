"""A network trained for one device's noise, beside the model that is told it.

    python -m workshop.studies.one_device --runs runs/one_device

A device is a memory experiment whose gates are up to twice as good or as bad as they should be, see
`cascade_qec.circuits.scattered`. For each a network goes on from local_surface's weights, on that device's shots alone;
it and local_surface, which is told the device's error model, decode the same fresh shots, and so does correlated
matching, told as well. Runs go on where they were stopped. Writes results/one_device.csv and its table in
docs/local.md.
"""

import argparse
from functools import lru_cache
from pathlib import Path
from typing import Any

import stim
import torch

from cascade_qec import circuits, codes, decoders, zoo
from cascade_qec.codes import Basis
from cascade_qec.device import pick_dtype
from cascade_qec.evaluation.comparison import Experiment, compare
from cascade_qec.native import set_threads
from cascade_qec.statistics import wilson
from cascade_qec.tables import read_rows, write_rows
from cascade_qec.training import Recipe, Trainer, experiments
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, rate, table
from workshop.studies.told_noise import DeviceRow

TABLE = RESULTS / "one_device.csv"
PAGE = CHECKOUT / "docs" / "local.md"
MODEL, OWN, MATCHING = "local_surface", "trained for it", "pymatching-correlated"
CODE, ROUNDS, P, FACTOR = "surface_d5", 5, 0.004, 2.0


def recipe(device: int, steps: int) -> Recipe:
    """Of the network for a device: local_surface's, shown rates around the one at which it is measured."""
    return Recipe.model_validate(
        {
            "name": f"device_{device}",
            "code": CODE,
            "rounds": ROUNDS,
            "bases": ["Z", "X"],
            "seed": device,
            "head": "local",
            "told": True,
            "network": {"width": 64, "depth": 6, "convolution": "direct"},
            "noise": {"p": 0.007, "start": 0.007, "log_uniform_from": 0.003},
            "optimizer": {
                "steps": steps,
                "muon_lr": 0.004,
                "lion_lr": 0.0004,
                "weight_decay": 0.001,
                "final_lr": 0.02,
                "ema": 0.998,
            },
            "batch": {"shots": 64},
            "validation": {"p": [P], "shots": 1000, "every": steps},
        }
    )


def circuit(device: int, basis: Basis, p: float = P) -> stim.Circuit:
    """A device's memory experiment: at every rate the same gates are the better ones."""
    plain = circuits.memory(codes.get(CODE), rounds=ROUNDS, basis=basis, noise=circuits.noise_model("uniform", p))
    return circuits.scattered(plain, FACTOR, device)


def trained(device: int, runs: Path, *, steps: int, minutes: float) -> tuple[Path, int]:
    """Weights of a device's network, and the shots that it saw."""
    made, folder = recipe(device, steps), runs / f"device_{device}"
    made.description()  # what noise is usual is known before the device's takes its place
    usual = experiments.circuit
    kept = (folder / "checkpoint.pt").exists()

    @lru_cache(maxsize=64)
    def own(code: str, rounds: int, basis: Basis, noise_model: str, p: float) -> stim.Circuit:
        del code, rounds, noise_model
        return circuit(device, basis, p)

    def forget() -> None:
        for cached in (experiments.noise, experiments.random_noise):
            cached.cache_clear()

    try:
        experiments.circuit = own
        forget()
        start: dict[str, Any] = {} if kept else {"start_from": zoo.path(MODEL)}
        trainer = Trainer(made, folder, resume=kept, dtype=pick_dtype("auto", torch.device("cpu")), workers=0, **start)
        if not trainer.run(minutes=minutes):
            raise SystemExit(f"device {device}: {trainer.step} of {steps} steps; run this again to go on")
    finally:
        experiments.circuit = usual
        forget()
    return folder / f"device_{device}.safetensors", steps * made.shots_per_step


def rows(device: int, weights: Path, shots: int) -> list[DeviceRow]:
    """Who decodes the device, on the same shots of both bases."""
    known = {
        OWN: decoders.get(f"cascade:{weights}", device="cpu"),
        MODEL: decoders.get(f"cascade:{MODEL}", device="cpu"),
        MATCHING: decoders.get(MATCHING),
    }
    experiment = Experiment(CODE, P, ROUNDS, {basis: circuit(device, basis) for basis in codes.BASES})
    found = compare(experiment, known, shots=shots, seed=device)
    return [DeviceRow.of(row, told=True, noise="uniform", factor=FACTOR, devices=1) for row in found]


def lines(rows: list[DeviceRow]) -> list[str]:
    """The table of the documentation: failures on each device, and on all."""
    names = (MODEL, OWN, MATCHING)
    cells = []
    for device in sorted({row.seed for row in rows}):
        own = {row.decoder: row for row in rows if row.seed == device}
        cells.append([f"{device}", f"{own[MODEL].shots:,}", *(f"{own[name].failures:,}" for name in names)])
    shots = sum(row.shots for row in rows if row.decoder == MODEL)
    pooled = [wilson(sum(row.failures for row in rows if row.decoder == name), shots) for name in names]
    cells.append(["all", f"{shots:,}", *map(rate, pooled)])
    return table(["device", "shots", f"{MODEL}, told", OWN, f"{MATCHING}, told"], cells, left=1)


def with_tables(text: str) -> str:
    """The page with the table as the results have it."""
    return filled(text, "one device", lines(read_rows(TABLE, DeviceRow)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder of the runs' folders")
    parser.add_argument("--devices", type=int, default=2)
    parser.add_argument("--steps", type=int, default=1500, help="of training for each device")
    parser.add_argument("--minutes", type=float, default=60, help="of training for each device, at most")
    parser.add_argument("--shots", type=int, default=100_000, help="of each device")
    arguments = parser.parse_args()
    set_threads(1)
    found: list[DeviceRow] = []
    for device in range(arguments.devices):
        weights, seen = trained(device, arguments.runs, steps=arguments.steps, minutes=arguments.minutes)
        found += rows(device, weights, arguments.shots)
        print(f"device {device}, {seen:,} shots: " + ", ".join(f"{row.decoder} {row.failures}" for row in found[-3:]))
        write_rows(TABLE, found)
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
