"""Circuits and error models from files and from text."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TypeGuard, TypeVar

import stim

from cascade_qec.error_models import first_line
from cascade_qec.errors import CascadeError

Experiment = stim.Circuit | stim.DetectorErrorModel
_Kind = TypeVar("_Kind", stim.Circuit, stim.DetectorErrorModel)


def read_experiment(source: Experiment | str | Path) -> Experiment:
    """A circuit or error model as it is, from its text, or from a file: an error model where its name ends in .dem.

    A string of several lines is text, any other the path of a file or a pipe; "-" is standard input.

    Raises
    ------
    CascadeError
        If the file is missing, or file or text hold something else.
    """
    if isinstance(source, (stim.Circuit, stim.DetectorErrorModel)):
        return source
    if not isinstance(source, (str, Path)):
        raise CascadeError(f"expected a stim.Circuit, a stim.DetectorErrorModel or a path, got {type(source).__name__}")
    if _is_text(source):
        try:
            return stim.DetectorErrorModel(source)
        except (ValueError, IndexError):
            return read_circuit(source)
    return read_error_model(source) if Path(source).suffix == ".dem" else read_circuit(source)


def read_circuit(source: str | Path) -> stim.Circuit:
    """A circuit from a file, a pipe, standard input ("-"), or from its text.

    Raises
    ------
    CascadeError
        If the file is missing, or file or text hold something else.
    """
    if not _is_text(source) and Path(source).suffix == ".dem":
        raise CascadeError(f"{source}: expected a Stim circuit, got a detector error model by the file's ending")
    return _read(stim.Circuit, source, "a Stim circuit")


def read_error_model(source: str | Path) -> stim.DetectorErrorModel:
    """A detector error model from a file of any ending, a pipe, standard input ("-"), or from its text.

    Raises
    ------
    CascadeError
        If the file is missing, or file or text hold something else.
    """
    return _read(stim.DetectorErrorModel, source, "a detector error model")


def _is_text(source: str | Path) -> TypeGuard[str]:
    return isinstance(source, str) and "\n" in source


def _read(kind: type[_Kind], source: str | Path, what: str) -> _Kind:
    try:
        if _is_text(source):
            return kind(source)
        if str(source) == "-":
            return kind(sys.stdin.read())
        if Path(source).is_fifo():  # which Stim would read from in pieces
            return kind(Path(source).read_text())
        if not Path(source).is_file():
            raise CascadeError(f"{source}: expected a file of {what}, found none")
        return kind.from_file(source)
    except (OSError, ValueError, IndexError) as error:
        if isinstance(error, CascadeError):
            raise
        where = f"text of {len(source.splitlines())} lines" if _is_text(source) else source
        raise CascadeError(f"{where}: expected {what}: {first_line(error)}") from error
