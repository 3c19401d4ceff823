"""The places of a circuit where noise happens, and their strengths."""

from __future__ import annotations

from collections.abc import Callable

import stim

Location = tuple[str, tuple[stim.GateTarget, ...]]
"""A noise channel and what it acts on. The same one wherever it comes: devices have better and worse pairs."""

Strengths = list[float]
"""The arguments of a channel."""


def with_strengths(
    circuit: stim.Circuit,
    change: Callable[[Location, Strengths], Strengths],
    tag: Callable[[Location], str] | None = None,
) -> stim.Circuit:
    """Give the noise channels of a circuit other strengths, location by location.

    Parameters
    ----------
    circuit
        With noise of any kind; loops are kept.
    change
        Called for each channel on each of its targets, in the order in which they come.
    tag
        Tags channels, by which `error_model` keeps the errors of different ones apart. They keep theirs if it is None.

    Examples
    --------
    >>> print(with_strengths(stim.Circuit("X_ERROR(0.01) 0 1"), lambda at, p: [2 * p[0]] if at[1][0].value else p))
    X_ERROR(0.01) 0
    X_ERROR(0.02) 1
    """
    found = stim.Circuit()
    for instruction in circuit:
        if isinstance(instruction, stim.CircuitRepeatBlock):
            body = with_strengths(instruction.body_copy(), change, tag)
            found.append(stim.CircuitRepeatBlock(instruction.repeat_count, body, tag=instruction.tag))
            continue
        strengths = instruction.gate_args_copy()
        if not strengths or not stim.gate_data(instruction.name).is_noisy_gate:
            found.append(instruction)
            continue
        correlated = instruction.name in ("E", "ELSE_CORRELATED_ERROR")
        groups = [instruction.targets_copy()] if correlated else instruction.target_groups()
        for group in groups:
            location = (instruction.name, tuple(group))
            changed = change(location, strengths)
            named = instruction.tag if tag is None else tag(location)
            if instruction.name == "MPP":
                group = stim.target_combined_paulis(group)
            found.append(instruction.name, group, changed, tag=named)
    return found
