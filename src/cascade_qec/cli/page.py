"""``cascade page``: the page on which the shipped networks decode in a browser."""

import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from cascade_qec.errors import CascadeError


def page(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")] = 8342,
    no_open: Annotated[bool, typer.Option("--no_open", help="Open no browser.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Instead of showing it: a folder to write the page to, for any web server.")
    ] = None,
) -> None:
    """Show the page: put errors into a code, and watch the shipped networks decode them in the browser.

    It is served to this machine alone, and needs no network. Ctrl-C ends it.
    """
    if out is not None and out.exists() and not out.is_dir():
        raise CascadeError(f"--out: expected a folder, {out} is a file")

    from cascade_qec.page import HOST, serving, write

    if out is not None:
        write(out)
        print(f"page: {out / 'index.html'}, to be shown by a web server")
        return
    with serving(port) as server:
        address = f"http://{HOST}:{server.server_address[1]}/"
        print(f"page: {address} (Ctrl-C ends it)", flush=True)
        if not no_open:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):  # which is how it is meant to end
            server.serve_forever()
