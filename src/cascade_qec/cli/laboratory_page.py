"""``cascade calibration serve``: the page of a workflow at work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_qec.cli.laboratory import EarlierRun, settings_of
from cascade_qec.cli.options import ModelAddress, there
from cascade_qec.errors import CascadeError

if TYPE_CHECKING:
    from cascade_calibration.workflows import Run
    from cascade_calibration.workflows.run import Diagnose


def serve(
    folder: Annotated[Path, typer.Argument(help="Of a run to go on with, or a new one.")],
    workflow: Annotated[str | None, typer.Option(help="For a new run: a workflow's name, or a TOML file.")] = None,
    laboratory: Annotated[str | None, typer.Option(help="For a new run: simulated:SEED.")] = None,
    settings: EarlierRun = None,
    model: Annotated[
        str | None, typer.Option(help="To explain measurements, PROVIDER:MODEL as for `explain`.  [default: none]")
    ] = None,
    address: ModelAddress = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")] = 8343,
    token_file: Annotated[
        Path | None,
        typer.Option("--token_file", help="File of the token to show.  [default: a new one each time]", callback=there),
    ] = None,
    no_open: Annotated[bool, typer.Option("--no_open", help="Open no browser.")] = False,
) -> None:
    """Show a workflow at work in the browser: approve or change each step, see fits and verdicts, read the log.

    It is served to this machine alone, to whoever shows the token. Ctrl-C ends it; the same command goes on.
    """
    import secrets
    import webbrowser

    from cascade_calibration import assistant
    from cascade_calibration.page import Desk
    from cascade_calibration.page import serve as serving
    from cascade_qec.cli.serve import token_of

    def started(where: str) -> None:
        print(f"page: {where} (Ctrl-C ends it)", flush=True)
        if not no_open:
            webbrowser.open(where)

    token = token_of(token_file) if token_file else secrets.token_urlsafe(24)
    connected = assistant.connect(model, address=address) if model else None
    desk = Desk(lambda diagnose: _opened(folder, workflow, laboratory, settings, diagnose), connected)
    try:
        serving(desk, token, port, started)
    finally:
        desk.close()


def _opened(
    folder: Path, workflow: str | None, laboratory: str | None, settings: Path | None, diagnose: Diagnose
) -> Run:
    """A run to go on with, or a new one."""
    from cascade_calibration.laboratory import open_laboratory
    from cascade_calibration.workflows import Run, elapsed, has_begun, load_workflow, read_log

    if has_begun(folder):
        name = read_log(folder)[0].body["laboratory"]
        if workflow is not None or laboratory not in (None, name):
            raise CascadeError(f"{folder}: expected no --workflow and no laboratory but {name}, which go on here")
        return Run.resume(folder, open_laboratory(name, elapsed=elapsed(folder)), diagnose=diagnose)
    if workflow is None or laboratory is None:
        raise CascadeError(f"{folder}: expected --workflow and --laboratory for a new run, found none to go on with")
    known = settings_of(settings)
    return Run.begin(load_workflow(workflow), open_laboratory(laboratory), folder, settings=known, diagnose=diagnose)
