"""`python -m workshop equal-speed`: whether this checkout decodes and trains as fast as another commit."""

from pathlib import Path
from typing import Annotated

import typer

from cascade_qec.cli.options import Precision, Threads
from cascade_qec.cli.progress import progress


def equal_speed(
    against: Annotated[str, typer.Option(help="The other commit.")] = "d2de56d",
    shots: Annotated[int, typer.Option(min=2, help="That are decoded at once.")] = 2048,
    step_shots: Annotated[int, typer.Option(min=1, help="Of each basis in a training step.")] = 32,
    turns: Annotated[int, typer.Option(min=1, help="Turns of each tree.")] = 5,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    precision: Precision = "auto",
    threads: Threads = None,
    work: Annotated[Path, typer.Option(help="Folder for the other tree and shots.")] = Path("runs/equality"),
) -> None:
    """Time decoding, at once and shot by shot, and training steps of surface_d5 and bb72 in both trees, in turns.

    Medians and their ratio, below 1 where this checkout is faster. The time of either tree is that of the other one a
    moment earlier or later, so that what else the machine does hits both. On one thread of a CPU it is the processor's.
    """
    from statistics import median

    from cascade_qec.provenance import hardware
    from workshop import CHECKOUT
    from workshop.equality.speed import Settings, timings
    from workshop.equality.trees import Source, at_commit

    old, new = at_commit(against, work), Source(CHECKOUT)
    settings = Settings(shots, step_shots, turns, device, precision, threads)
    with progress("turns") as report:
        found = timings(old, new, work, settings, report)
    print(f"Medians of {turns} turns, {device}, {precision}, threads: {threads or 'all'}, {hardware()}.")
    for row in found:
        old_ms, new_ms = (1e3 * median(times) for times in (row.old, row.new))
        times = f"{old_ms:.4g} ms at {against}, {new_ms:.4g} ms here"
        print(f"{row.model}, {row.work}: {times}, ratio {row.ratio:.3f} ± {row.noise:.3f}")
