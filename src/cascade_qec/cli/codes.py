"""``cascade codes``: the codes that are known, and those that a file describes."""

from pathlib import Path
from typing import Annotated

import typer

from cascade_qec import limits

codes = typer.Typer(help="Codes that are known, and your own.", no_args_is_help=True, rich_markup_mode=None)


@codes.command("list")
def list_codes(
    names: Annotated[
        list[str] | None, typer.Argument(help="Codes; by default all that have names.", metavar="NAME")
    ] = None,
    search: Annotated[
        int,
        typer.Option(
            help="Search codes of up to so many qubits for their lightest logical operators.", min=0, max=limits.KEPT
        ),
    ] = 0,
    circuits: Annotated[
        int,
        typer.Option(
            help="Search circuits of codes of up to so many qubits for their distance.", min=0, max=limits.KEPT
        ),
    ] = 0,
    size: Annotated[
        int | None,
        typer.Option(help="With --circuits: events that sets of faults may cause.  [default: 4]", min=2, max=64),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file to write; rows of other codes in it stay.")] = None,
) -> None:
    """List codes: their parameters, their checks, the layers of CNOTs in a round of their circuits."""
    from cascade_qec import codes as known
    from cascade_qec.cli.code_rows import code_row, show_codes
    from cascade_qec.errors import CascadeError
    from cascade_qec.tables import put_rows

    if size is not None and not circuits:
        raise CascadeError(
            f"--size {size}: expected --circuits too, without which no circuit's distance is searched for"
        )
    of = [known.get(name) for name in names or known.names()]
    rows = [
        code_row(code, search=code.n <= search, rounds=3 if code.n <= circuits else None, size=size or 4) for code in of
    ]
    if out is not None:
        put_rows(out, rows, place=lambda row: row.code)
    show_codes(rows)


@codes.command()
def check(
    code: Annotated[str, typer.Argument(help="A TOML file that describes a code, or a name.", metavar="FILE")],
    rounds: Annotated[
        int,
        typer.Option(help="Rounds of the circuits whose distance is searched for; 0: none.", min=0, max=limits.ROUNDS),
    ] = 3,
    size: Annotated[
        int,
        typer.Option(
            help="Events that sets of faults may cause, where the distance of circuits is searched for: more take "
            "longer.",
            min=2,
            max=64,
        ),
    ] = 3,
    orders: Annotated[
        int,
        typer.Option(
            help="Draw so many schedules, and take the one whose circuits have the largest distance.", min=0, max=10_000
        ),
    ] = 0,
) -> None:
    """Check a description: parameters, distance, lattice and schedule of its code. Exit status 2 if it is none."""
    from cascade_qec import codes as known
    from cascade_qec.circuits import best_order
    from cascade_qec.cli.code_rows import bound, code_row, distance
    from cascade_qec.errors import CascadeError

    found, chosen = known.get(code), ""
    if orders:
        if not isinstance(found, known.GroupCode) or not rounds:
            raise CascadeError(f"--orders: expected a code over a group and rounds, got {code} and {rounds} rounds")
        found, _ = best_order(found, orders, rounds=rounds, size=size)
        chosen = f", layers = {[*found.layers]}"
    row = code_row(found, rounds=rounds or None, size=size)
    relations = [
        f"{sum(len(step.times) * step.table.shape[1] for step in steps)} ({style})"
        for style, steps in found.frame("Z").convolutions.items()
    ]
    print(f"code              {code} [[{row.n}, {row.k}, {distance(row)}]]")
    print(f"X checks          {row.x_checks}")
    print(f"Z checks          {row.z_checks}")
    print(f"lightest logical  {row.lightest}, as far as the search finds")
    print(f"translations      {row.translations}")
    print(f"relations         {', '.join(relations)}")
    print(f"schedule          depth {row.depth}{chosen}")
    print(f"circuit distance  {bound(row.circuit_distance) or 'none found'}{f', {rounds} rounds' if rounds else ''}")
