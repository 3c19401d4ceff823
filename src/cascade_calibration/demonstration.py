"""The whole loop on a simulated chip: bring up, drift, tune again; what was found beside what is hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cascade_calibration.laboratory import SimulatedLaboratory
from cascade_calibration.quantities import Quantity
from cascade_calibration.workflows import Decision, Proposal, Result, Run, State, load_workflow, together

Truth = dict[tuple[str, str], float]
"""By target and name, in base units."""

HOURS = 24
"""From bringing up to tuning again."""


@dataclass(frozen=True)
class Stage:
    """A workflow that was run.

    Attributes
    ----------
    truth
        Of all that was learnt, when it was measured and with the settings that were in force.
    """

    workflow: str
    folder: Path
    state: State
    truth: Truth

    @property
    def intervals(self) -> dict[tuple[str, str], Result]:
        """What was learnt, with intervals that hold together."""
        return together(self.state.results)

    @property
    def missed(self) -> list[tuple[str, str]]:
        """What lies outside."""
        return [key for key, one in self.intervals.items() if not one.low <= self.truth[key] <= one.high]


def finish(
    run: Run,
    laboratory: SimulatedLaboratory,
    report: Callable[[Proposal, Decision], None] = lambda proposal, decision: None,
) -> Truth:
    """Run a workflow to its end, and give the truth of all that it learns, at the time when it was measured."""
    truth: Truth = {}

    def note(proposal: Proposal, decision: Decision) -> None:
        report(proposal, decision)
        told = {"readout_frequency": 0.0, "qubit_frequency": 0.0, "pi_amplitude": 0.0}  # before they are known
        told |= {name: one.value for name, one in proposal.parameters.items()}
        if decision.learnt:
            found = laboratory.truth(proposal.target, told, laboratory.clock - proposal.seconds / 2)
            truth.update({(proposal.target, name): found[name] for name in decision.learnt})

    run.finish(note)
    return truth


def demonstrate(
    seed: int,
    folder: Path,
    report: Callable[[str, Proposal, Decision], None] = lambda stage, proposal, decision: None,
    *,
    qubits: int = 2,
) -> list[Stage]:
    """Bring up qubits, check them a day later, and tune them again; each run has a folder of its own.

    Raises
    ------
    CascadeError
        If a folder has something in it, or the seed cannot be.
    """
    laboratory, settings = SimulatedLaboratory(seed, qubits=qubits), dict[str, dict[str, Quantity]]()
    stages: list[Stage] = []
    for name in ("bring_up", "check", "retune"):
        with Run.begin(load_workflow(name), laboratory, folder / name, settings=settings) as run:
            truth = finish(run, laboratory, lambda proposal, decision, name=name: report(name, proposal, decision))
        stages.append(Stage(name, folder / name, run.state, truth))
        if name == "bring_up":
            laboratory.clock += 3600 * HOURS
            settings = {target: one.settings for target, one in run.state.targets.items()}
    return stages
