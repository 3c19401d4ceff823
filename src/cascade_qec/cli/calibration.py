"""``cascade calibration``: what measurements of qubits show, and what to measure next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_qec.cli.calibration_bench import bench
from cascade_qec.cli.device_circuit import circuit
from cascade_qec.cli.device_loop import loop
from cascade_qec.cli.laboratory import demo, log, run
from cascade_qec.cli.laboratory_page import serve
from cascade_qec.cli.options import LanguageModel, ModelAddress, there
from cascade_qec.errors import CascadeError

if TYPE_CHECKING:
    from cascade_calibration import Measurement

calibration = typer.Typer(
    help="Read calibration measurements, and say what to do next.", no_args_is_help=True, rich_markup_mode=None
)
calibration.command()(circuit)
calibration.command()(loop)
calibration.command()(demo)
calibration.command()(run)
calibration.command()(log)
calibration.command()(serve)
calibration.add_typer(bench, name="bench")


def measurements(data: Path, target: str | None) -> list[Measurement]:
    """Those in a file, or in the folder of a run, of one target if it is named."""
    import cascade_calibration

    found = cascade_calibration.read(data)
    chosen = [one for one in found if target in (None, one.target)]
    if not chosen:
        raise CascadeError(f"{data}: expected the target {target}, found {', '.join(one.target for one in found)}")
    return chosen


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

    chosen = measurements(data, target)
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
def explain(
    data: Annotated[Path, typer.Argument(help="A file, or the folder of a run.", callback=there)],
    model: LanguageModel,
    address: ModelAddress = None,
    family: Annotated[
        str | None, typer.Option(help="Of the measurement.  [default: what it says, or its name]")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Only this target, where there are several.")] = None,
    laboratory: Annotated[
        str | None, typer.Option(help="Whose experiments the model may propose: simulated:SEED.  [default: none]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answers as JSON, one a line.")] = False,
) -> None:
    """Have a model explain what a measurement shows, beside the analyser's verdict.

    The model gets the figure, the verdict and the names in the file. What it proposes is checked against the
    laboratory's bounds, and shown, not run. Keys come from the environment: OPENAI_API_KEY, ANTHROPIC_API_KEY,
    NVIDIA_API_KEY or LOCAL_MODEL_API_KEY.
    """
    import cascade_calibration
    from cascade_calibration import assistant
    from cascade_calibration.laboratory import Guarded, open_laboratory
    from cascade_qec.cli.table import console, show_facts

    connected = assistant.connect(model, address=address)
    door = Guarded(open_laboratory(laboratory)) if laboratory else None
    for one in measurements(data, target):
        verdict = cascade_calibration.diagnose(one, family)
        said = assistant.explain(connected, one, verdict, door)
        if as_json:
            print(json.dumps({"name": one.name, "target": one.target, "status": verdict.status} | said.as_dict()))
        else:
            console().print(" ".join(filter(None, [one.name or data.name, one.target])), style="bold")
            show_facts([("status", f"{verdict.status} ({verdict.probability:.0%})"), *said.facts()])


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
