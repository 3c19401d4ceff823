"""Twenty simulated laboratories: does bringing up find what is hidden, and does it stop where something is broken?

    python -m workshop.studies.laboratories --count 20

Each laboratory has two qubits. They are brought up, and tuned again a day later; a laboratory is right if all of its
parameters are done and lie in the intervals that the workflow states for all of them together. Then the same with one
broken element each: the broken qubit must be given up for a named reason (or found, if it is only far away), and the
other one be right. A killed study goes on where it was: results/laboratories.csv.
"""

import argparse
from pathlib import Path

from cascade_calibration.demonstration import HOURS, Stage, finish
from cascade_calibration.laboratory import BROKEN, SimulatedLaboratory
from cascade_calibration.workflows import Run, load_workflow
from cascade_qec.cli.progress import progress
from cascade_qec.tables import Circumstances, circumstances, put_rows, read_rows
from workshop import RESULTS

TABLE = RESULTS / "laboratories.csv"
FIRST_SEED = 7000
"""Nothing was built with laboratories of these seeds; with those of 5000 to 5019 the share of intervals was chosen."""


class Row(Circumstances):
    """One run of a workflow.

    Attributes
    ----------
    broken : str
        Element of the second qubit that is; empty if none.
    done : int
        Targets that reached all criteria.
    reasons : str
        Of each target, in order.
    parameters, inside, inside_together : int
        That were learnt; whose own 95 % interval holds the truth; whose interval for all together does.
    missed : str
        What lies outside of the latter.
    runs, minutes
        Of experiments, and of the laboratory's time.
    """

    seed: int
    workflow: str
    broken: str
    done: int
    reasons: str
    parameters: int
    inside: int
    inside_together: int
    missed: str
    runs: int
    minutes: float


def study(seed: int, broken: str) -> list[Row]:
    """Rows of one laboratory: brought up, and unless something is broken, tuned again."""
    laboratory = SimulatedLaboratory(seed, broken={"q1": broken} if broken else None)
    settings, rows = None, list[Row]()
    for name in ("bring_up",) if broken else ("bring_up", "retune"):
        with Run.begin(load_workflow(name), laboratory, None, settings=settings) as run:
            truth = finish(run, laboratory)
        stage = Stage(name, Path(), run.state, truth)
        rows.append(_row(seed, broken, stage))
        laboratory.clock += 3600 * HOURS
        settings = {target: one.settings for target, one in stage.state.targets.items()}
    return rows


def _row(seed: int, broken: str, stage: Stage) -> Row:
    targets, results = stage.state.targets.values(), stage.state.results
    return Row(
        seed=seed,
        workflow=stage.workflow,
        broken=broken,
        done=sum(one.reason == "done" for one in targets),
        reasons="; ".join(one.reason if one.reason == "done" else f"{one.reason}: {one.text}" for one in targets),
        parameters=len(results),
        inside=sum(one.low <= stage.truth[key] <= one.high for key, one in results.items()),
        inside_together=len(results) - len(stage.missed),
        missed="; ".join(f"{target} {name}" for target, name in stage.missed),
        runs=stage.state.runs,
        minutes=round(stage.state.seconds / 60, 1),
        **circumstances(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--out", type=Path, default=TABLE)
    given = parser.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + given.count)
    wanted = [*((seed, "") for seed in seeds), *((seed, list(BROKEN)[seed % len(BROKEN)]) for seed in seeds)]
    there = {(row.seed, row.broken) for row in read_rows(given.out, Row)} if given.out.exists() else set()
    with progress("laboratories") as report:
        for number, (seed, broken) in enumerate(wanted):
            if (seed, broken) not in there:
                rows = study(seed, broken)
                put_rows(given.out, rows, place=lambda row: (row.seed, row.workflow, row.broken))
            report(number + 1, len(wanted))


if __name__ == "__main__":
    main()
