"""``cascade calibration``: what measurements of qubits show, and what to measure next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from cascade_qec import limits
from cascade_qec.cli.options import there
from cascade_qec.errors import CascadeError

calibration = typer.Typer(
    help="Read calibration measurements, and say what to do next.", no_args_is_help=True, rich_markup_mode=None
)


@calibration.command()
def diagnose(
    data: Annotated[Path, typer.Argument(help="A file, or the folder of a run.", callback=there)],
    family: Annotated[
        str | None, typer.Option(help="Of the measurement.  [default: what it says, or its name]")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Only this target, where there are several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON, one a line.")] = False,
    figure: Annotated[Path | None, typer.Option(help="Draw data and fit: .png, .svg or .pdf.")] = None,
) -> None:
    """Say what a measurement shows: its status, the parameters, why, and what to measure next.

    Reads NetCDF4 of our own, quantify-core, PycQED, Qibocal, QUAlibrate, touchstone and CSV with units in its header.
    """
    import cascade_calibration
    from cascade_qec.cli.table import console, show_facts
    from cascade_qec.plotting import check_writable, save

    found = cascade_calibration.read(data)
    chosen = [one for one in found if target in (None, one.target)]
    if not chosen:
        raise CascadeError(f"{data}: expected the target {target}, found {', '.join(one.target for one in found)}")
    if figure is not None:
        check_writable([figure])
        if len(chosen) > 1:
            raise CascadeError(f"--figure takes one measurement, found {len(chosen)}: choose one by --target")
    for one in chosen:
        verdict = cascade_calibration.diagnose(one, family)
        title = " ".join(filter(None, [one.name or data.name, one.target]))
        if as_json:
            print(json.dumps({"name": one.name, "target": one.target} | verdict.as_dict()))
        else:
            console().print(title, style="bold")
            show_facts(verdict.facts())
        if figure is not None:
            from cascade_calibration.figures import draw

            save(draw(verdict, title), figure)
            if not as_json:
                print(f"Figure: {figure}")


@calibration.command()
def families() -> None:
    """List the families of measurements, and the statuses that a verdict may have."""
    from cascade_calibration import analysis
    from cascade_qec.cli.table import Column, show

    columns = [
        Column[analysis.Family]("family", lambda one: one.name),
        Column[analysis.Family]("what", lambda one: one.about, spare=1),
        Column[analysis.Family]("statuses", lambda one: ", ".join(one.statuses)),
    ]
    show([analysis.get(name) for name in analysis.names()], columns)


@calibration.command()
def bench(
    family: Annotated[str, typer.Argument(help="A family, see `cascade calibration families`.")],
    shots: Annotated[int, typer.Option(min=1, max=limits.KEPT, help="Measurements of each mode.")] = 100,
    snr: Annotated[
        list[float] | None,
        typer.Option(
            min=0.01, max=1e6, help="Signal to noise: contrast over a point's noise; repeat.  [default: 10, 4]"
        ),
    ] = None,
    seeds: Annotated[
        Literal["building", "final"], typer.Option(help="Seeds to build analysers with, or those kept apart.")
    ] = "building",
    out: Annotated[
        Path | None, typer.Option(help="Table of results.  [default: benchmarks/results/calibration/FAMILY.csv]")
    ] = None,
) -> None:
    """Count on simulated measurements how often a family's verdicts are right, in every way to go wrong.

    The table has the statuses by mode, how often 95 % intervals hold the truth, and how often the next measurement,
    over the suggested range, succeeds.
    """
    from cascade_calibration import analysis
    from cascade_calibration import bench as benching
    from cascade_qec.cli.progress import NOTHING_KEPT, interruptible, progress
    from cascade_qec.cli.table import Column, show
    from cascade_qec.files import check_folder

    analysis.get(family)
    table = out or Path("benchmarks/results/calibration") / f"{family}.csv"
    check_folder(table.parent)
    levels = list(dict.fromkeys(snr or (10.0, 4.0)))
    benches = []
    with interruptible(NOTHING_KEPT), progress("Measurements of each mode") as report:
        for i, level in enumerate(levels):
            total = benching.Bench(family, level, seeds)
            for start in range(shots):
                total += benching.run(family, level, 1, seeds, start)
                report(i * shots + start + 1, len(levels) * shots)
            benches.append(total)
    table.parent.mkdir(parents=True, exist_ok=True)
    benching.write(table, *benches)
    rows = [row for one in benches for row in one.rows() if row["kind"] != "confusion"]
    names = ("snr", "kind", "name", "status", "count", "of", "share", "low", "high")
    show(rows, [Column[dict[str, object]](name, lambda row, name=name: str(row[name])) for name in names])
    for one in benches:
        print(f"Status right at signal to noise {one.snr:g}, balanced over modes: {one.balanced():.1%}")
    print(f"Table: {table}")
