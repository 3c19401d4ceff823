"""A workflow that is killed at random: does it go on, and end the same?

    python -m workshop.studies.workflow_kills --kills 50

Laboratory after laboratory is brought up by a process that is killed without a word at random moments, and started
again, until it has ended; what its log tells must be what that of a run without a kill tells. A killed study goes on
with the next laboratory: results/workflow_kills.csv.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cascade_calibration.laboratory import open_laboratory
from cascade_calibration.workflows import Run, elapsed, has_begun, load_workflow, read_log
from cascade_qec.cli.progress import progress
from cascade_qec.tables import Circumstances, circumstances, put_rows, read_rows
from workshop import RESULTS

TABLE = RESULTS / "workflow_kills.csv"
FIRST_SEED = 6000
_LONGEST = 8.0
"""Seconds until the next kill, at most."""


class Row(Circumstances):
    """One laboratory that was brought up.

    Attributes
    ----------
    kills
    entries : int
        Of the log, those of resuming among them.
    resumed : int
        Times that the run went on after a kill; others came before it had begun.
    same : bool
        Whether the log tells the same as that of a run without a kill.
    """

    seed: int
    kills: int
    entries: int
    resumed: int
    same: bool


def story(folder: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """What a log tells, without the time of day, sums of files, and resumptions."""
    return [
        (one.kind, {name: value for name, value in one.body.items() if name != "sha256"})
        for one in read_log(folder)
        if one.kind != "resume"
    ]


def live(seed: int, folder: Path) -> None:
    """Begin a run or go on with it, to its end."""
    name = f"simulated:{seed}"
    if has_begun(folder):
        run = Run.resume(folder, open_laboratory(name, elapsed=elapsed(folder)))
    else:
        run = Run.begin(load_workflow("bring_up"), open_laboratory(name), folder)
    with run:
        run.finish()


def study(seed: int, most: int) -> Row:
    """Kill a run so often at most."""
    chance, forks, kills = random.Random(seed), get_context("fork"), 0
    with TemporaryDirectory() as temporary:
        whole, killed = Path(temporary) / "whole", Path(temporary) / "killed"
        live(seed, whole)
        while True:
            process = forks.Process(target=live, args=(seed, killed))
            process.start()
            process.join(chance.uniform(0, _LONGEST) if kills < most else None)
            if process.exitcode is not None:
                break
            process.kill()
            process.join()
            kills += 1
        entries = read_log(killed)
        return Row(
            seed=seed,
            kills=kills,
            entries=len(entries),
            resumed=sum(one.kind == "resume" for one in entries),
            same=process.exitcode == 0 and story(killed) == story(whole),
            **circumstances(),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--out", type=Path, default=TABLE)
    given = parser.parse_args()
    rows = read_rows(given.out, Row) if given.out.exists() else []
    with progress("kills") as report:
        while (done := sum(row.kills for row in rows)) < given.kills:
            report(done, given.kills)
            rows.append(study(FIRST_SEED + len(rows), given.kills - done))
            put_rows(given.out, rows[-1:], place=lambda row: row.seed)
        report(done, given.kills)


if __name__ == "__main__":
    main()
