"""``cascade plot``: figures from the tables that the other commands write."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cascade_qec.cli.options import Fields, there
from cascade_qec.files import check_distinct

FigureName = Literal[
    "rates",
    "distance",
    "latency",
    "lambda",
    "reliability",
    "post-selection",
    "spectrum",
    "escalation",
    "replay",
    "learning",
]


def plot(
    figure: Annotated[FigureName, typer.Argument(help="What to draw.")],
    tables: Annotated[
        list[Path], typer.Argument(metavar="TABLE...", help="Tables; their rows are drawn together.", callback=there)
    ],
    out: Annotated[list[Path], typer.Option(help="File to write: .png, .svg or .pdf. May be given several times.")],
    per: Annotated[
        Literal["block", "cycle"] | None, typer.Option(help="Rate per block, or per logical qubit per cycle.")
    ] = None,
    code: Annotated[list[str] | None, typer.Option(help="Only this code. May be given several times.")] = None,
    basis: Annotated[list[str] | None, typer.Option(help="Only this basis: X, Z, or XZ for pooled shots.")] = None,
    decoder: Annotated[list[str] | None, typer.Option(help="Only this decoder. May be given several times.")] = None,
    p: Annotated[list[float] | None, typer.Option(help="Only this noise rate. May be given several times.")] = None,
    field: Fields = None,
    title: Annotated[str | None, typer.Option(help="Title above the figure.")] = None,
    discard: Annotated[
        list[float] | None,
        typer.Option(help="post-selection: draw against p, at this fraction discarded. May be given several times."),
    ] = None,
    of: Annotated[
        Literal["shot", "observable", "flip"] | None,
        typer.Option(
            help="reliability: predictions that no observable of a shot is wrong (the default), that one is right, "
            "or that one was flipped."
        ),
    ] = None,
) -> None:
    """Draw a figure from result tables.

    rates and distance take the CSV files of sinter (of any metadata, see --field), of `python -m workshop card`,
    `cascade demo` and benchmarks/results, and rare.csv; rates draws the laws of fits.csv over them. lambda takes
    fits.csv; reliability, latency, post-selection, spectrum, escalation and replay the tables of their names; learning
    the metrics.jsonl of training runs, with earlier stretches from the run.json beside it.
    """
    from cascade_qec.evaluation.fits.metadata import fields_from
    from cascade_qec.plotting import Selection, check_writable, draw, save

    check_writable(out)
    check_distinct(tables, out)
    fields = fields_from(field or [])
    selection = Selection(codes=code or (), bases=basis or (), decoders=decoder or (), rates=p or ())
    save(draw(figure, tables, selection, fields=fields, title=title, per=per, discards=discard, of=of), *out)
    for path in out:
        print(f"Figure: {path}")
