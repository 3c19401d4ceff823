"""Hostile workflows, verdicts and people: does anything out of bounds ever reach a laboratory?

    python -m workshop.studies.workflow_fuzz --workflows 100000

Each workflow is drawn at random: steps, expressions, criteria, bounds and budgets, right or hostile. It is run on a
laboratory that checks for itself all that it is sent; what it answers is read by an analyser that says whatever would
do most harm, and a person changes proposals in ways no person should. A killed study goes on where it was:
results/workflow_fuzz.csv.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cascade_calibration import Measurement, analysis
from cascade_calibration.analysis import Estimate, Range, Verdict
from cascade_calibration.laboratory import Quantity, SimulatedLaboratory
from cascade_calibration.workflows import Run, workflow_of
from cascade_qec.cli.progress import progress
from cascade_qec.errors import CascadeError
from cascade_qec.tables import Circumstances, circumstances, put_rows, read_rows
from workshop import RESULTS

TABLE = RESULTS / "workflow_fuzz.csv"
BATCH = 5_000
"""Workflows of a row; each has a seed of its own."""

_NAN, _INF = float("nan"), float("inf")
_NUMBERS = (0.0, -0.0, 1.0, -1.0, 1e-30, 1e30, -1e308, 1e308, 5e-324, _NAN, _INF, -_INF, 0.5, 500.0, 61.0, 2.0**63)
_UNITS = ("Hz", "s", "V", "", "rad", "A", "parsec")
_TEXTS = (
    *("", "nan", "inf V", "1e999 s", "-1e308 Hz", "0x10", "61.5", "-1", "10 V", "1e-400 s", "1 µs", "\x00", "(" * 60),
    *("1 V; DROP TABLE entries", "__import__('os').system('true')", "1 / 0", "1e300 * 1e300", "shots * 1e9", "1 / t1"),
    *(
        "5 GHz",
        "4.7 GHz",
        "7 GHz",
        "100 us",
        "1 h",
        "0.1 V",
        "500",
        "61",
        "t1",
        "readout_frequency",
        "{T1}",
        "\uff15 V",
    ),
    *("qubit_frequency * 2", "designed_qubit_frequency", "{f_01} / {f_01}", "delay_to * 1e6", "{pi} * 1e12"),
)
_CRITERIA = (
    *("status SUCCESS", "status SUCCESS or NO_SIGNAL", "status", "x", "probability >= 0.1", "evidence points >= 1"),
    *("relative uncertainty of T1 <= 0.05", "uncertainty of f_01 <= 0 Hz", "relative uncertainty of pi <= 1e-300"),
    *("T1 >= nan s", "T1 >= t1 / 0", "relative uncertainty of T1 >= -1", "uncertainty of f_r <= 1e300 Hz"),
)
_NAMES = (
    "t1",
    "readout_frequency",
    "qubit_frequency",
    "pi_amplitude",
    "shots",
    "delay_to",
    "a b",
    "__class__",
    "x" * 99,
)


class Row(Circumstances):
    """A batch.

    Attributes
    ----------
    first, workflows
        Seed of the first, and how many.
    refused
        Before anything ran.
    runs
        That reached the laboratory.
    changes_refused
        Changes by a person that were not allowed.
    violations
        Of bounds, units, types or names that reached the laboratory.
    escaped
        Errors that were no clear refusal.
    """

    first: int
    workflows: int
    refused: int
    runs: int
    changes_refused: int
    violations: int
    escaped: int


class Witness(SimulatedLaboratory):
    """A laboratory that measures nothing, and checks all that it is sent without the house's own checks."""

    def __init__(self, bounds: Collection[str]) -> None:
        super().__init__(1)
        self.runs = self.violations = 0
        self._allowed = {
            (name, one.name): (one.low, one.high, one.whole)
            for name, experiment in self.experiments.items()
            for one in experiment.parameters
        }
        self._narrower = bounds

    def seconds(self, experiment: str, parameters: Mapping[str, float]) -> float:
        """Nothing is known to take longer than others."""
        return 1.0

    def run(self, experiment: str, target: str, parameters: Mapping[str, float]) -> Measurement:
        """Judge, and give a point."""
        self.runs += 1
        wanted = {name for kind, name in self._allowed if kind == experiment}
        right = target in ("q0", "q1") and bool(wanted) and set(parameters) == wanted
        self.violations += not (right and all(self._fits(experiment, *one) for one in parameters.items()))
        return Measurement.of({"x": ([0.0], "")}, {"signal": ([0.0], "V")}, seconds=1.0)

    def _fits(self, experiment: str, name: str, value: object) -> bool:
        low, high, whole = self._allowed[experiment, name]
        if type(value) is not float or not low <= value <= high or (whole and value % 1):
            return False
        _, least, _, most = _BOUNDS[name] if name in self._narrower else ("", low, "", high)
        return least <= value <= most


_BOUNDS = {
    "delay_to": ("1 us", 1e-6, "1 h", 3600.0),
    "pi_amplitude": ("0.1 V", 0.1, "0.3 V", 0.3),
    "shots": ("60", 60.0, "600", 600.0),
    "readout_frequency": ("6.9 GHz", 6.9e9, "7.1 GHz", 7.1e9),
}
"""As a workflow has them, and as numbers."""


class Hostile:
    """Draws what nobody should write, say or do."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.bounds = {name: one[::2] for name, one in _BOUNDS.items() if self.chance.random() < 0.3}
        self.laboratory = Witness(self.bounds)
        # most workflows keep to what is known, or hardly any would get as far as to run
        self._wild = self.chance.choice([0.0, 0.01, 0.05, 0.3])

    def workflow(self) -> dict[str, Any]:
        """The tables of a TOML file."""
        names = [f"s{i}" for i in range(self.chance.randint(1, 4))]
        return {
            "name": self._or("w", "a b"),
            "budget": {"runs": self._or(self.chance.randint(1, 8), -1), "time": self._or("1 h", self._text())},
            "bounds": self.bounds,
            "steps": [self._step(name, names) for name in names],
        }

    def verdict(self, measurement: Measurement, family: str) -> Verdict:
        """What would do harm."""
        statuses = analysis.get(family).statuses
        status = self._or(self.chance.choice([statuses[0], *statuses]), "'; --")
        axis = self._or("delay", "x") if self.chance.random() < 0.5 else self.chance.choice(["frequency", "amplitude"])
        ranges = tuple(
            Range(axis, self._number(), self._number(), self.chance.choice(_UNITS), self._number())
            for _ in range(self.chance.randint(0, 2))
        )
        parameters = {
            name: Estimate(self._number(), self._number(), self._number(), self._number(), self.chance.choice(_UNITS))
            for name in ("T1", "T2", "pi", "f_01", "f_r")
            if self.chance.random() < 0.8
        }
        return Verdict(family, status, self._number(), {}, (), "", parameters, {"points": self._number()}, ranges)

    def change(self) -> dict[str, object] | None:
        """What a person changes, now and then."""
        if self.chance.random() < 0.7:
            return None
        return {
            self._name(): self.chance.choice([self._text(), self._number(), Quantity(1e30, "V"), None, [1], 10**400])
        }

    def settings(self) -> dict[str, dict[str, Quantity]]:
        """What an earlier run left."""
        given = {"t1": Quantity(1e-5, "s"), "readout_frequency": Quantity(7e9, "Hz")}
        given |= {"qubit_frequency": Quantity(4.7e9, "Hz"), "pi_amplitude": Quantity(0.2, "V")}
        for name in given:
            if self.chance.random() < self._wild:
                number = self._number()
                given[name] = Quantity(number if abs(number) < _INF else 1e300, self.chance.choice(_UNITS))
        return {"q0": given, "q1": given}

    def _step(self, name: str, names: list[str]) -> dict[str, Any]:
        experiment = self.chance.choice(list(self.laboratory.experiments))
        own = [one.name for one in self.laboratory.experiments[experiment].parameters]
        parameters = {
            self._or(one, self._name()): self._or(self._usual(one), self._text())
            for one in own
            if one not in ("readout_frequency", "qubit_frequency", "pi_amplitude", "offset")
            or self.chance.random() < 0.2
        }
        statuses = analysis.get(self.laboratory.experiments[experiment].family).statuses
        on = {
            self._or(self.chance.choice(statuses), "BROKEN"): self.chance.choice(
                [self.chance.choice(names), {self._or(one, self._name()): self._or(self._usual(one), self._text())}]
            )
            for one in self.chance.sample(own, self.chance.randint(0, 2))
        }
        return {
            "name": name,
            "experiment": self._or(experiment, "format_disk"),
            "parameters": parameters,
            "criteria": [
                self._or("status SUCCESS", self.chance.choice(_CRITERIA)) for _ in range(self.chance.randint(0, 2))
            ],
            "learns": {self._or("t1", self._name()): self._or("{T1}", self._text())}
            if self.chance.random() < 0.5
            else {},
            "on": on,
            "attempts": self._or(self.chance.randint(1, 5), 10**9),
        }

    def _usual(self, name: str) -> str:
        by_end = {"delay_from": "0 s", "delay_to": "100 us", "amplitude_from": "0 V", "amplitude_to": "0.5 V"}
        by_end |= {"frequency_from": "4.6 GHz", "frequency_to": "4.8 GHz", "length_from": "1", "length_to": "1000"}
        return by_end.get(name, "0.1 V" if name.endswith("amplitude") else "100" if name != "offset" else "1 MHz")

    def _or(self, usual: Any, wild: Any) -> Any:
        return wild if self.chance.random() < self._wild else usual

    def _text(self) -> str:
        return self.chance.choice(_TEXTS)

    def _name(self) -> str:
        return self.chance.choice(_NAMES)

    def _number(self) -> Any:
        return self.chance.choice(_NUMBERS) if self.chance.random() < 0.5 else self.chance.uniform(0, 2e-3)


def attack(seed: int) -> Counter[str]:
    """Draw a workflow and run it; counts as :class:`Row` has them."""
    hostile, told = Hostile(seed), Counter[str](workflows=1)
    try:
        workflow = workflow_of(hostile.workflow())
        run = Run.begin(workflow, hostile.laboratory, None, settings=hostile.settings(), diagnose=hostile.verdict)
    except CascadeError:
        told["refused"] += 1
    else:
        with run:
            while run.proposal is not None:
                change = hostile.change()
                try:
                    run.advance(change, by="mallory" if change else "")
                except CascadeError:
                    if change is None:
                        raise
                    told["changes_refused"] += 1
                    run.advance()
    told.update(runs=hostile.laboratory.runs, violations=hostile.laboratory.violations)
    return told


def batch(first: int, size: int) -> Row:
    """Count over workflows of as many seeds."""
    told = Counter[str]()
    for seed in range(first, first + size):
        try:
            told.update(attack(seed))
        except (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError) as error:
            print(f"seed {seed}: {type(error).__name__}: {error}", flush=True)
            told.update(workflows=1, escaped=1)
    names = [name for name in Row.model_fields if name not in {"first", *Circumstances.model_fields}]
    return Row.model_validate({"first": first, **{name: told[name] for name in names}, **circumstances()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workflows", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=TABLE)
    given = parser.parse_args()
    there = {row.first for row in read_rows(given.out, Row)} if given.out.exists() else set()
    with progress("workflows") as report:
        for first in range(0, given.workflows, BATCH):
            if first not in there:
                row = batch(first, min(BATCH, given.workflows - first))
                put_rows(given.out, [row], place=lambda one: one.first)
            report(min(first + BATCH, given.workflows), given.workflows)


if __name__ == "__main__":
    main()
