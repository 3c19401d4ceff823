"""Instructions appended as text, which Stim reads many times faster than lists of targets."""

from __future__ import annotations

from collections.abc import Iterable

import stim


def append(
    circuit: stim.Circuit, name: str, targets: Iterable[int | str], arguments: float | Iterable[float] = ()
) -> None:
    """Do as ``circuit.append`` does.

    Parameters
    ----------
    circuit
    name
        Of the instruction.
    targets
        Qubits, or targets as Stim writes them: ``rec[-1]``.
    arguments
        One or several.
    """
    values = [arguments] if isinstance(arguments, (int, float)) else arguments
    inside = ", ".join(repr(float(value)) for value in values)
    parts = [f"{name}({inside})" if inside else name, *map(str, targets)]
    circuit.append_from_stim_program_text(" ".join(parts))
