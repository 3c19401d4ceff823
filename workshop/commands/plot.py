"""`python -m workshop plot`: figures of the project's own studies."""

from pathlib import Path
from typing import Annotated

import typer

Tables = Annotated[list[Path], typer.Argument(metavar="TABLE...", help="Tables; their rows are drawn together.")]
Out = Annotated[list[Path], typer.Option(help="File to write: .png, .svg or .pdf. May be given several times.")]
Title = Annotated[str | None, typer.Option(help="Title above the figure.")]

plot = typer.Typer(no_args_is_help=True, help="Draw figures of the project's own studies.")


@plot.command()
def roofline(
    tables: Tables,
    out: Out,
    quantity: Annotated[str, typer.Option(help="Which of the tables' quantities.")] = "latency_per_round",
    code: Annotated[list[str] | None, typer.Option(help="Only this code. May be given several times.")] = None,
    title: Title = None,
) -> None:
    """Draw a quantity of roofline.csv against the width of the network."""
    from cascade_qec.plotting import Selection, check_writable, save
    from cascade_qec.tables import read_rows
    from workshop.plots.roofline import roofline_figure
    from workshop.roofline.table import RooflineRow

    check_writable(out)
    rows = [row for path in tables for row in read_rows(path, RooflineRow)]
    rows = Selection(codes=code or ()).of(rows)
    save(roofline_figure(rows, quantity=quantity, title=title), *out)
    print(*(f"Figure: {path}" for path in out), sep="\n")


@plot.command()
def capacity(tables: Tables, out: Out, title: Title = None) -> None:
    """Draw capacity.csv and its fits: rates of every width, and their exponents."""
    from cascade_qec.plotting import check_writable, save
    from cascade_qec.plotting.points import read_points
    from workshop.plots.capacity import capacity_figure

    check_writable(out)
    save(capacity_figure(*read_points(tables), title=title), *out)
    print(*(f"Figure: {path}" for path in out), sep="\n")


@plot.command()
def mixers(tables: Tables, out: Out, title: Title = None) -> None:
    """Draw mixers.csv: what convolutions and attention learn, by shots and by multiply-accumulates."""
    from cascade_qec.plotting import check_writable, save
    from cascade_qec.tables import read_rows
    from workshop.plots.small_runs import mixers_figure
    from workshop.studies.small_runs import Row

    check_writable(out)
    save(mixers_figure([row for path in tables for row in read_rows(path, Row)], title=title), *out)
    print(*(f"Figure: {path}" for path in out), sep="\n")


@plot.command()
def depths(tables: Tables, out: Out, title: Title = None) -> None:
    """Draw depths.csv: what blocks buy at each distance."""
    from cascade_qec.plotting import check_writable, save
    from cascade_qec.tables import read_rows
    from workshop.plots.small_runs import depths_figure
    from workshop.studies.small_runs import Row

    check_writable(out)
    save(depths_figure([row for path in tables for row in read_rows(path, Row)], title=title), *out)
    print(*(f"Figure: {path}" for path in out), sep="\n")


@plot.command()
def local_first(tables: Tables, out: Out, title: Title = None) -> None:
    """Draw local_first.csv: what a logical head gains by a trunk that has learnt local labels."""
    from cascade_qec.plotting import check_writable, save
    from cascade_qec.tables import read_rows
    from workshop.plots.local_first import local_first_figure
    from workshop.studies.local_first import Row

    check_writable(out)
    save(local_first_figure([row for path in tables for row in read_rows(path, Row)], title=title), *out)
    print(*(f"Figure: {path}" for path in out), sep="\n")


@plot.command()
def seam(out: Out) -> None:
    """Draw what a window of a stream leaves to the next one."""
    from cascade_qec.plotting import check_writable, save
    from workshop.plots.seam import seam_figure

    check_writable(out)
    save(seam_figure(), *out)
    print(*(f"Figure: {path}" for path in out), sep="\n")


@plot.command()
def waterfall(
    rates: Annotated[Path, typer.Argument(help="rates.csv of the study of that name.")],
    fitted: Annotated[Path, typer.Argument(help="Its fitted.csv.")],
    spectra: Annotated[Path, typer.Argument(help="spectra.csv: what was counted.")],
    out: Out,
    title: Title = None,
) -> None:
    """Draw failure spectra with their fits, and the block errors that follow."""
    from cascade_qec.evaluation.rare_events.results import SpectrumRow
    from cascade_qec.plotting import check_writable, save
    from cascade_qec.tables import read_rows
    from workshop.plots.waterfall import waterfall_figure
    from workshop.studies.waterfall import FittedRow, RateRow

    check_writable(out)
    figure = waterfall_figure(
        read_rows(rates, RateRow), read_rows(fitted, FittedRow), read_rows(spectra, SpectrumRow), title=title
    )
    save(figure, *out)
    print(*(f"Figure: {path}" for path in out), sep="\n")
