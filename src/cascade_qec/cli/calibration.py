"""``cascade calibration``: what measurements of qubits show, and what to measure next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from cascade_qec import limits
from cascade_qec.cli.device_circuit import circuit
from cascade_qec.cli.device_loop import loop
from cascade_qec.cli.laboratory import demo, log, run
from cascade_qec.cli.options import there
from cascade_qec.errors import CascadeError

calibration = typer.Typer(
    help="Read calibration measurements, and say what to do next.", no_args_is_help=True, rich_markup_mode=None
)
calibration.command()(circuit)
calibration.command()(loop)
calibration.command()(demo)
calibration.command()(run)
calibration.command()(log)


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
def report(
    folder: Annotated[
        Path, typer.Argument(help="A folder with measurements, or with folders of them.", callback=there)
    ],
    out: Annotated[Path, typer.Option(help="The page: HTML that needs no other file.")] = Path("report.html"),
) -> None:
    """Make a page of all measurements in a folder: verdicts, figures, evidence, and what to measure next."""
    from cascade_calibration import report as reporting
    from cascade_qec.cli.progress import NOTHING_KEPT, interruptible, progress
    from cascade_qec.files import check_folder

    check_folder(out.parent)
    with interruptible(NOTHING_KEPT), progress("Runs") as shown:
        found = reporting.entries(folder, shown)
        reporting.write(out, reporting.page(found, f"Calibration: {folder.resolve().name}"))
    print(f"Page: {out}")


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
    family: Annotated[str, typer.Argument(help="A family, see `cascade calibration families`, or `all`.")],
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
    out: Annotated[Path, typer.Option(help="Table of results.")] = Path("benchmarks/results/calibration.csv"),
) -> None:
    """Count on simulated measurements how often verdicts are right, in every way to go wrong.

    The table has the statuses by mode, how often 95 % intervals hold the truth, how often the next measurement, over
    the suggested range, succeeds, and CPU times. Each family is written as soon as it is counted; what this checkout
    counted before with as many measurements is not counted again.
    """
    from cascade_calibration import analysis
    from cascade_calibration import bench as benching
    from cascade_qec.cli.progress import interruptible, progress
    from cascade_qec.cli.table import Column, show
    from cascade_qec.files import check_folder

    families = analysis.names() if family == "all" else (analysis.get(family).name,)
    check_folder(out.parent)
    wanted = [(one, level) for one in families for level in dict.fromkeys(snr or (10.0, 4.0))]
    rows: list[benching.BenchRow] = []
    with interruptible(f"finished families are in {out}; the same command goes on"), progress("Families") as report:
        for i, (one, level) in enumerate(wanted):
            found = benching.rows_of(out, one, level, seeds, shots)
            if not found:
                report(i, len(wanted), f"{one} at {level:g}")
                counted = benching.run(one, level, shots, seeds)
                benching.put(out, counted)
                found = list(counted.rows())
            rows += found
        report(len(wanted), len(wanted))
    columns = [
        Column[benching.BenchRow]("family", lambda row: row.family),
        Column[benching.BenchRow]("snr", lambda row: f"{row.snr:g}"),
        Column[benching.BenchRow]("kind", lambda row: row.kind),
        Column[benching.BenchRow]("name", lambda row: row.name),
        Column[benching.BenchRow]("status", lambda row: row.status, spare=1),
        Column[benching.BenchRow]("count", lambda row: str(row.count), right=True),
        Column[benching.BenchRow]("of", lambda row: str(row.of), right=True),
        Column[benching.BenchRow]("share", lambda row: f"{row.share:.3f}", right=True),
        Column[benching.BenchRow]("low", lambda row: f"{row.low:.3f}", right=True, spare=2),
        Column[benching.BenchRow]("high", lambda row: f"{row.high:.3f}", right=True, spare=2),
    ]
    show([row for row in rows if row.kind not in ("confusion", "time")], columns)
    for one, level in wanted:
        right = benching.balanced(row for row in rows if (row.family, row.snr) == (one, level))
        print(f"{one}: status right at signal to noise {level:g}, balanced over modes: {right:.1%}")
    print(f"Table: {out}")
