"""Hostile answers of models: does any proposal reach a laboratory out of bounds?

    python -m workshop.studies.hostile_answers --count 100000

Answers are random and crafted: known and unknown experiments, targets and parameters, numbers of any size, units that
do and do not fit, texts that are no numbers, values of other types, fields that nobody asked for. What passes the check
goes through the guarded door into a laboratory that compares every number with its bounds once more, by itself:
results/hostile_answers.csv.
"""

import argparse
import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cascade_calibration import assistant
from cascade_calibration.assistant.models import read
from cascade_calibration.laboratory import Guarded, Quantity, SimulatedLaboratory
from cascade_qec.cli.progress import progress
from cascade_qec.errors import CascadeError
from cascade_qec.tables import Circumstances, circumstances, write_rows
from workshop import RESULTS

TABLE = RESULTS / "hostile_answers.csv"
SETTINGS = {
    "readout_frequency": Quantity(7e9, "Hz"),
    "qubit_frequency": Quantity(5e9, "Hz"),
    "pi_amplitude": Quantity(0.2, "V"),
}
_ODD = (
    *("", "0", "-1", "1e308", "-1e308", "1e999", "9" * 79, "nan", "inf us", "-inf", "5 us; ls", "0x10", "\u0661 us"),
    *("1_000", "5us5", "$(reboot)", "{qubit_frequency}", "qubit_frequency * 9", "1e3", "2e-4 s"),
)
_UNITS = ["us", "ns", "s", "GHz", "MHz", "Hz", "V", "mV", "", "%", "kV", "K", "rad"]


class Row(Circumstances):
    """What became of so many answers.

    Attributes
    ----------
    refused, run, out_of_bounds
        By the check; by the laboratory; and of the latter with a number out of bounds.
    """

    seed: int
    answers: int
    refused: int
    run: int
    out_of_bounds: int


class Watched(SimulatedLaboratory):
    """Measures nothing, and counts for itself what reaches it."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.runs = self.out_of_bounds = 0

    def run(self, experiment: str, target: str, parameters: Mapping[str, float]) -> Any:
        self.runs += 1
        known = {one.name: one for one in self.experiments[experiment].parameters}
        self.out_of_bounds += not (
            target in self.targets
            and set(parameters) == set(known)
            and all(known[name].low <= value <= known[name].high for name, value in parameters.items())
            and all(value == int(value) for name, value in parameters.items() if known[name].whole)
        )


def hostile(rng: random.Random, laboratory: SimulatedLaboratory) -> str:
    """An answer; about one in twenty would do."""
    name = rng.choice([*laboratory.experiments, *laboratory.experiments, "shell", "", "../t1", "__class__"])
    known = laboratory.experiments.get(name)
    everywhere = sorted({each.name for one in laboratory.experiments.values() for each in one.parameters})
    own = [one.name for one in known.parameters] if known and rng.random() < 0.8 else everywhere
    sweep = {}
    if known and rng.random() < 0.5:  # ends that go up, so that what else is wrong comes to the fore
        for axis in known.axes:
            low, high = known[f"{axis}_from"], known[f"{axis}_to"]
            ends = sorted(rng.uniform(low.low, high.high) for _ in range(2))
            sweep = {end.name: f"{value!r} {end.unit}" for end, value in zip((low, high), ends, strict=True)}
    named = [rng.choice([*own, "seconds", "__init__", own[0].upper()]) for _ in range(rng.choice([0, 0, 1, 2, 5]))]
    settings = [{"parameter": one, "value": _value(rng)} for one in named if one not in sweep or rng.random() < 0.2]
    settings += [{"parameter": one, "value": value} for one, value in sweep.items()]
    proposal: dict[str, Any] = {"experiment": name, "settings": settings, "reason": "Because."}
    if rng.random() < 0.05:
        proposal[rng.choice(["target", "run", "settings", "reason", "experiment"])] = _value(rng)
    return json.dumps({"explanation": "A decay.", "agrees": True, "doubts": [], "proposal": proposal})


def attack(count: int, seed: int) -> Row:
    """Have so many answers checked, and run what passes."""
    laboratory, rng = Watched(7), random.Random(seed)
    door, refused = Guarded(laboratory), 0
    with progress("Answers") as report:
        for i in range(count):
            if i % 1000 == 0:
                report(i, count)
            try:
                proposal = read(hostile(rng, laboratory), assistant.Explanation, "hostile").proposal
                assert proposal is not None
                step = assistant.allowed(proposal, rng.choice(["q0", "q1", "q1", "q9"]), door, SETTINGS)
            except CascadeError:
                refused += 1
                continue
            door.run(step.experiment, step.target, step.parameters)
    return Row(
        seed=seed,
        answers=count,
        refused=refused,
        run=laboratory.runs,
        out_of_bounds=laboratory.out_of_bounds,
        **circumstances(),
    )


def _value(rng: random.Random) -> object:
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(_ODD)
    if kind < 0.25:
        return rng.choice([None, True, [], {}, 3, 1e300, {"$ref": "#"}])
    number = rng.choice([rng.uniform(-1, 1), rng.randint(0, 1000)]) * 10.0 ** rng.randint(-3, 3)
    return f"{number:.6g} {rng.choice(_UNITS)}"


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    row = attack(options.count, options.seed)
    write_rows(options.out, [row])
    print(f"{row.answers} answers: {row.refused} refused, {row.run} run, {row.out_of_bounds} out of bounds")


if __name__ == "__main__":
    main()
