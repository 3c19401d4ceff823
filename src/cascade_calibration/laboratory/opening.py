"""Laboratories by name, for the command line."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from cascade_calibration.laboratory.simulated import SimulatedLaboratory
from cascade_qec.errors import CascadeError

FORM = "simulated:SEED[?qubits=N&hours=H&broken=QUBIT.ELEMENT]"
_NAME = re.compile(r"simulated:(\d{1,18})(?:\?(.*))?")


def open_laboratory(name: str, *, elapsed: float = 0.0) -> SimulatedLaboratory:
    """A laboratory by its name, such as ``simulated:7?qubits=3&hours=24&broken=q1.drive``.

    Parameters
    ----------
    elapsed
        Seconds that went by in it since then, for runs that are resumed.

    Raises
    ------
    CascadeError
        If it is no such name.
    """
    found = _NAME.fullmatch(name)
    if not found:
        raise CascadeError(f"expected a laboratory such as {FORM}, got {name[:80]!r}")
    qubits, hours, broken = 2, 0.0, {}
    for key, value in parse_qsl(found[2] or "", keep_blank_values=True):
        qubit, _, element = value.partition(".")
        if key == "broken":
            broken[qubit] = element
        elif key == "qubits" and value.isdecimal() and len(value) < 4:
            qubits = int(value)
        elif key == "hours" and re.fullmatch(r"\d{1,6}(\.\d{1,6})?", value):
            hours = float(value)
        else:
            raise CascadeError(f"expected a laboratory such as {FORM}, got {name[:80]!r}: {key}={value}"[:200])
    laboratory = SimulatedLaboratory(int(found[1]), qubits=qubits, broken=broken, clock=3600 * hours + elapsed)
    laboratory.name = name
    return laboratory
