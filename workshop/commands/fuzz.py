"""`python -m workshop fuzz`: random command lines and damaged files."""

import re
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer

from cascade_qec.cli.progress import progress


def fuzz(
    runs: Annotated[int, typer.Option(min=1, help="Command lines to try.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the command lines.")] = 0,
    only: Annotated[int | None, typer.Option(min=0, help="Try this one alone, and print all of it.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Command lines at a time.")] = 2,
) -> None:
    """Try random command lines of `cascade`, with hostile values and damaged files, in a folder made for it.

    None may end in a traceback or by a signal, go on for 30 s (long work is interrupted), or change a file that it was
    not told to write. The first fault of each kind is told with its number, and the exit status is then 1.
    Linux only.
    """
    from workshop.fuzz.arena import make_arena
    from workshop.fuzz.preload import preload
    from workshop.fuzz.trial import try_line

    preload()
    found: Counter[tuple[str, str, str]] = Counter()
    statuses: Counter[int] = Counter()
    with tempfile.TemporaryDirectory() as folder, progress("command lines") as report:
        template, work = Path(folder, "template"), Path(folder, "work")
        work.mkdir()
        make_arena(template)
        attempt = partial(try_line, seed=seed, template=template, work=work)
        if only is not None:
            outcome = attempt(only)
            print(
                f"{outcome.said}\n{outcome.line}\nstatus {outcome.status}, {outcome.seconds:.1f} s, {outcome.problem}"
            )
            return
        with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
            for done, outcome in enumerate(pool.map(attempt, range(runs), chunksize=8), 1):
                statuses[outcome.status] += 1
                if outcome.problem:
                    kind = outcome.command, outcome.problem.split(" ")[0], re.sub(r"[\d'].*", "", outcome.last_words)
                    if kind not in found:
                        print(
                            f"\n{outcome.command}: {outcome.problem} (status {outcome.status}, {outcome.seconds:.1f} s)"
                        )
                        print(f"  --seed {seed} --only {outcome.number}: {outcome.line}")
                        print(*(f"  {line}" for line in outcome.said.strip().splitlines()[-20:]), sep="\n", flush=True)
                    found[kind] += 1
                report(done, runs, f"{len(found)} kinds of faults")
    ended = ", ".join(f"{count} with {status}" for status, count in sorted(statuses.items()))
    print(f"\n{runs} command lines ended: {ended}. Faults: {found.total()} of {len(found)} kinds.")
    if found:
        raise typer.Exit(1)
