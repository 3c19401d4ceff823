"""Figures as files."""

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole
from cascade_qec.plotting.style import styled

# Without the date, the same figure is the same file.
_UNDATED = {"svg": {"Date": None}, "svgz": {"Date": None}, "pdf": {"CreationDate": None}, "ps": {}, "eps": {}}


def file_format(path: Path) -> str:
    """Format that a file's suffix asks for, such as png, svg or pdf.

    Raises
    ------
    CascadeError
        If there is no such format.
    """
    formats = Figure().canvas.get_supported_filetypes()
    suffix = path.suffix.removeprefix(".").lower()
    if suffix not in formats:
        raise CascadeError(f"{path}: expected a suffix of {', '.join(sorted(formats))}, got {path.suffix!r}")
    return suffix


def save(figure: Figure, *paths: Path) -> None:
    """Write a figure to one or more files; each appears whole or not at all, and none before all are drawn.

    The same figure gives the same bytes. Suffixes tell the formats, such as .png, .svg or .pdf.

    Raises
    ------
    CascadeError
        If there is no such format or a file cannot be written.
    """
    formats = [file_format(path) for path in paths]
    drawn = []
    with styled():
        # Laid out once: each drawing moves the panels a little otherwise.
        if engine := figure.get_layout_engine():
            engine.execute(figure)
        figure.set_layout_engine("none")
        for suffix in formats:
            buffer = io.BytesIO()
            figure.savefig(buffer, format=suffix, metadata=_UNDATED.get(suffix))
            drawn.append(buffer.getvalue())
    for path, content in zip(paths, drawn, strict=True):
        with written_whole(path) as file:
            file.write(content)


def check_writable(paths: Sequence[Path]) -> None:
    """Refuse, before any work, files that could not be written after it.

    Raises
    ------
    CascadeError
        For an unknown format, a missing directory, or a directory in place of a file.
    """
    for path in paths:
        file_format(path)
        if path.is_dir():
            raise CascadeError(f"{path}: expected the name of a file to write, found a directory")
        if not path.parent.is_dir():
            raise CascadeError(f"{path}: expected a directory to write into, {path.parent} is none")
