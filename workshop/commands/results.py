"""`python -m workshop results`: what docs/results.md shows, measured anew of the present weights."""

import time
from typing import Annotated

import typer


def results(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Of benchmarks/results.toml.  [default: all of older weights]"),
    ] = None,
    minutes: Annotated[
        float, typer.Option(help="Begin nothing after that, and interrupt what runs.", min=0, max=100_000)
    ] = 600,
    dry_run: Annotated[bool, typer.Option("--dry_run", help="Name what is of older weights, and run nothing.")] = False,
) -> None:
    """Measure anew what is of older weights, then fill the tables and draw the pictures of the documentation.

    Measurements that were cut short go on where they can.
    """
    from cascade_qec.errors import unknown
    from workshop.commands.pages import pages, pictures
    from workshop.measuring.measurements import measurements, older
    from workshop.measuring.running import measure

    known = {each.name: each for each in measurements()}
    for name in names or []:
        if name not in known:
            raise unknown("measurement", name, known)
    wanted = [known[name] for name in names] if names else older()
    end = time.monotonic() + 60 * minutes
    for each in wanted:
        left = end - time.monotonic()
        if dry_run or left <= 0:
            print(f"Left: {each.name}: {each.command}")
        else:
            print(f"{'Done' if measure(each, left) else 'Cut short'}: {each.name}")
    if not dry_run:
        pages()
        pictures()
