"""``cascade page``: the page on which the shipped networks decode in a browser."""

import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from cascade_qec.cli.options import known_model, there
from cascade_qec.errors import CascadeError


def page(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")] = 8342,
    no_open: Annotated[bool, typer.Option("--no_open", help="Open no browser.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Instead of showing it: a folder to write the page to, for any web server.")
    ] = None,
    circuit: Annotated[
        Path | None, typer.Option(help="Begin with shots of your own: the Stim circuit behind them.", callback=there)
    ] = None,
    shots: Annotated[
        Path | None,
        typer.Option(
            "--shots", "--in", "--dets", help="Their file of detection events, shots.b8, say.", callback=there
        ),
    ] = None,
    obs: Annotated[
        Path | None, typer.Option("--obs", "--obs_in", help="Their file of true observable flips.", callback=there)
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Who decodes them.  [default: the first model that can]", callback=known_model),
    ] = None,
) -> None:
    """Show the page: put errors into a code, and watch the shipped networks decode them in the browser.

    It is served to this machine alone, and needs no network. Ctrl-C ends it. With --circuit and --shots it begins with
    those shots: their events, what the network says of them, and with --obs who is right.
    """
    if (circuit is None) != (shots is None):
        alone = "--shots" if circuit is None else "--circuit"
        raise CascadeError(f"expected --circuit and --shots together, got {alone} alone")
    if shots is None and (obs is not None or model is not None):
        raise CascadeError("expected --circuit and --shots with --obs and --model, got neither")
    if out is not None and out.exists() and not out.is_dir():
        raise CascadeError(f"--out: expected a folder, {out} is a file")

    from cascade_qec.page import HOST, own_shots, serving, write

    own = own_shots(circuit, shots, obs, model=model) if circuit and shots else None
    if own is not None:
        print(f"shots: {own.shots:,} of {own.total:,} in {shots}")
    if out is not None:
        write(out, own)
        print(f"page: {out / 'index.html'}, to be shown by a web server")
        return
    with serving(port, own) as server:
        address = f"http://{HOST}:{server.server_address[1]}/"
        print(f"page: {address} (Ctrl-C ends it)", flush=True)
        if not no_open:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):  # which is how it is meant to end
            server.serve_forever()
