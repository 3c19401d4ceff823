"""The files of the page: what was built from web/, and the models that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from pathlib import Path

from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole
from cascade_qec.page.kernels import kernels_file
from cascade_qec.page.model_file import MODELS, model_file
from cascade_qec.page.own_shots import OwnShots

BUILT = Path(__file__).parent / "built"
"""What ``npm run build`` in web/ writes."""

RESULTS = Path(__file__).parent / "results.json"
"""What ``python -m workshop pages`` gathers from benchmarks/results."""


def contents(own: OwnShots | None = None) -> Mapping[str, Callable[[], bytes]]:
    """What gives each file of the page, by its path below the page; models are made when they are asked for.

    With shots of the reader's own, the page begins with those.
    """
    built = {path.relative_to(BUILT).as_posix(): path.read_bytes for path in sorted(BUILT.rglob("*")) if path.is_file()}
    if own is not None:
        built["models/own.safetensors"] = lambda: own.file
        page = built["index.html"]().replace(b"<body>", f'<body data-shots="{escape(own.title)}">'.encode(), 1)
        built["index.html"] = lambda: page
    return (
        built
        | {RESULTS.name: RESULTS.read_bytes, "kernels.json": kernels_file}
        | {f"models/{name}.safetensors": partial(model_file, name) for name in MODELS}
    )


def write(folder: Path, own: OwnShots | None = None) -> None:
    """Write the page into a folder that any web server can show, under any address.

    Raises
    ------
    CascadeError
        If the folder has another page, or cannot be written to.
    """
    if (folder / "index.html").exists() and not (folder / RESULTS.name).exists():
        raise CascadeError(f"{folder}: expected a folder for this page, found the index.html of another")
    for path, content in contents(own).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(file) as opened:
            opened.write(content())
