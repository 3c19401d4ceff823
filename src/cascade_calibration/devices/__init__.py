"""Devices from files: our own in TOML or JSON, and reports of Cirq's and Qiskit's."""

from __future__ import annotations

import json
import tomllib
import warnings
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from cascade_calibration.devices import cirq, qiskit
from cascade_calibration.devices.device import Device, Qubit, Times
from cascade_calibration.units import to_base
from cascade_qec.errors import CascadeError, CascadeWarning

__all__ = ["Device", "Qubit", "Times", "read_device"]

_REPORTS = (cirq, qiskit)
"""Each has `FORMAT`, `fits(data)` and `parts(data, times)`."""

_ROUNDED = 1e-6
"""By so much T2 may be above 2 T1 before it is said."""

_KEYS = {"name", "report", "times", "qubits", "pairs"}


def read_device(path: Path | str) -> Device:
    """A device from a file.

    Our own is TOML, or JSON, with `times`, `qubits` and `pairs` (docs/noise.md). It may name a report, and then says
    what that lacks, or has otherwise. Reports are Cirq's calibration and Qiskit's backend properties, in JSON.

    Raises
    ------
    CascadeError
        If the file cannot be read, is of another layout, or lacks something; the message names both.

    Warns
    -----
    CascadeWarning
        If the T2 of a qubit is above 2 T1, which no qubit's is, though two measurements may say so.
    """
    path = Path(path)
    given = _loaded(path)
    try:
        if any(one.fits(given) for one in _REPORTS):
            given = {"report": path.name}
        device = _device(given, path)
    except CascadeError as error:
        raise CascadeError(f"{path}: {error}") from error
    if beyond := [name for name, qubit in device.qubits.items() if qubit.t2 > 2 * qubit.t1 * (1 + _ROUNDED)]:
        others = f" and {len(beyond) - 3} others" if len(beyond) > 3 else ""
        warnings.warn(
            f"{path}: expected a T2 of at most 2 T1, got more of qubit {', '.join(beyond[:3])}{others}: 2 T1 is taken",
            CascadeWarning,
            stacklevel=2,
        )
    return device


def _device(given: dict[str, Any], path: Path) -> Device:
    if unknown := sorted(given.keys() - _KEYS):
        raise CascadeError(f"expected the keys {', '.join(sorted(_KEYS))}, got {', '.join(unknown)}")
    own = {key: _table(given.get(key, {}), key) for key in ("times", "qubits", "pairs")}
    times = {name: _seconds(value, f"times, {name}") for name, value in own["times"].items()}
    known: dict[str, Any] = {}
    if "report" in given:
        report = path.parent / str(given["report"])
        data = _loaded(report)
        kind = next((one for one in _REPORTS if one.fits(data)), None)
        if kind is None:
            formats = " or ".join(one.FORMAT for one in _REPORTS)
            raise CascadeError(f"{report}: expected {formats}, got {', '.join(data) or 'nothing'}")
        known = kind.parts(data, times)
    qubits = {str(name): dict(values) for name, values in known.get("qubits", {}).items()}
    for name, values in own["qubits"].items():
        changed = qubits.setdefault(name, {})
        for key, value in _table(values, f"qubits, {name}").items():
            changed[key] = _seconds(value, f"qubit {name}, {key}") if key in ("t1", "t2") else value
    pairs = known.get("pairs", {}) | own["pairs"]
    if wrong := [pair for pair in pairs if len(pair.split()) != 2]:
        raise CascadeError(f"pairs: expected two qubits, such as 'a b', got {wrong[0]!r}")
    return Device(
        name=str(given.get("name") or known.get("name") or path.stem),
        qubits={name: Qubit(**_numbers(Qubit, values, f"qubit {name}")) for name, values in qubits.items()},
        pairs={(pair.split()[0], pair.split()[1]): _number(error, f"pair {pair}") for pair, error in pairs.items()},
        times=Times(**_numbers(Times, known.get("times", {}) | times, "times")),
    )


def _numbers(kind: type[Qubit | Times], given: dict[str, Any], what: str) -> dict[str, float]:
    """The fields of a dataclass: all that it needs, none that it lacks."""
    needed = [each.name for each in fields(kind) if each.default is MISSING]
    possible = [each.name for each in fields(kind) if each.default is not MISSING]
    lacking = [name for name in needed if name not in given]
    strange = [name for name in given if name not in (*needed, *possible)]
    if lacking or strange:
        got = f"no {', '.join(lacking)}" if lacking else ", ".join(strange)
        raise CascadeError(f"{what}: expected {', '.join(needed)} (and perhaps {', '.join(possible)}), got {got}")
    return {name: _number(value, f"{what}, {name}") for name, value in given.items()}


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CascadeError(f"{what}: expected a number, got {value!r}")
    return value


def _loaded(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise CascadeError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # of either format, or no text at all
        raise CascadeError(f"{path}: expected {'JSON' if path.suffix == '.json' else 'TOML'}: {error}") from error
    return _table(data, str(path))


def _table(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CascadeError(f"{what}: expected a table of names and values, got {value!r}")
    return value


def _seconds(value: object, what: str) -> float:
    """A time from text with its unit."""
    number, _, unit = str(value).strip().partition(" ")
    factor, base = to_base(unit)
    try:
        if base == "s":
            return factor * float(number)
    except ValueError:
        pass
    raise CascadeError(f"{what}: expected a time with its unit, such as '68 us', got {value!r}")
