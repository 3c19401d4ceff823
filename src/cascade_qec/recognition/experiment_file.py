"""Circuits and error models from files."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import stim

from cascade_qec.errors import CascadeError
from cascade_qec.recognition.probe import first_line

Experiment = stim.Circuit | stim.DetectorErrorModel
_Kind = TypeVar("_Kind", stim.Circuit, stim.DetectorErrorModel)


def read_experiment(source: Experiment | str | Path) -> Experiment:
    """A circuit or error model as it is, or from a file: an error model where its name ends in .dem.

    Raises
    ------
    CascadeError
        If the file is missing or holds something else.
    """
    if isinstance(source, (stim.Circuit, stim.DetectorErrorModel)):
        return source
    if not isinstance(source, (str, Path)):
        raise CascadeError(f"expected a stim.Circuit, a stim.DetectorErrorModel or a path, got {type(source).__name__}")
    path = Path(source)
    return read_error_model(path) if path.suffix == ".dem" else read_circuit(path)


def read_circuit(path: Path) -> stim.Circuit:
    """A circuit from a file.

    Raises
    ------
    CascadeError
        If the file is missing or holds something else.
    """
    if path.suffix == ".dem":
        raise CascadeError(f"{path}: expected a Stim circuit, got a detector error model by the file's ending")
    return _read(stim.Circuit, path, "a Stim circuit")


def read_error_model(path: Path) -> stim.DetectorErrorModel:
    """A detector error model from a file of any ending.

    Raises
    ------
    CascadeError
        If the file is missing or holds something else.
    """
    return _read(stim.DetectorErrorModel, path, "a detector error model")


def _read(kind: type[_Kind], path: Path, what: str) -> _Kind:
    if not path.is_file():
        raise CascadeError(f"{path}: expected a file of {what}, found none")
    try:
        return kind.from_file(path)
    except (OSError, ValueError, IndexError) as error:
        raise CascadeError(f"{path}: expected {what}: {first_line(error)}") from error
