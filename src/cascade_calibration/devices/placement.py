"""Where a code fits on a device: each of its pairs on a pair that has a gate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cascade_calibration.devices.device import Device
from cascade_qec.errors import CascadeError

_STEPS = 300_000
"""Qubits that are tried before the best place so far is taken."""


def placed(pairs: Sequence[tuple[int, int]], device: Device) -> list[str]:
    """The device's qubit for each of a code's, such that the errors of gates and readout add up to least.

    Parameters
    ----------
    pairs
        Of the code's qubits, which are numbered from 0: all that have a gate. They hang together.

    Raises
    ------
    CascadeError
        If there is no such place, or none is found within reasonable time.
    """
    near: dict[str, dict[str, float]] = {name: {} for name in device.qubits}
    for (a, b), error in device.pairs.items():
        near[a][b] = near[b][a] = error
    wanted: dict[int, list[int]] = {}
    for a, b in pairs:
        wanted.setdefault(a, []).append(b)
        wanted.setdefault(b, []).append(a)
    order = [max(wanted, key=lambda qubit: len(wanted[qubit]))]
    for qubit in order:
        order += [other for other in wanted[qubit] if other not in order]
    before = {qubit: [other for other in wanted[qubit] if order.index(other) < order.index(qubit)] for qubit in order}

    best: tuple[float, dict[int, str]] | None = None
    at: dict[int, str] = {}

    def candidates(qubit: int) -> Iterator[tuple[str, float]]:
        """Free qubits beside all of the neighbours that have their place, and what that costs."""
        beside = [near[at[other]] for other in before[qubit]]
        for name in beside[0] if beside else near:
            if (
                all(name in each for each in beside)
                and name not in at.values()
                and len(near[name]) >= len(wanted[qubit])
            ):
                yield name, sum(each[name] for each in beside) + device.qubits[name].readout_error

    # depth first, without recursion: a code may have more qubits than Python's stack has room for
    stack, costs = [candidates(order[0])], [0.0]
    for _ in range(_STEPS):
        if not stack:
            break
        at.pop(order[len(stack) - 1], None)
        name, cost = next(stack[-1], ("", 0.0))
        total = costs[-1] + cost
        if not name:
            stack.pop()
            costs.pop()
        elif best is None or total < best[0]:
            at[order[len(stack) - 1]] = name
            if len(stack) < len(order):
                stack.append(candidates(order[len(stack)]))
                costs.append(total)
            else:
                best = (total, dict(at))
    if best is None:
        tried = "none" if not stack else f"none in {_STEPS:,} steps"
        raise CascadeError(
            f"{device.name}: expected a place for {len(order)} qubits with {len(pairs)} gates among {len(near)} qubits "
            f"with {len(device.pairs)}, found {tried}"
        )
    return [best[1][qubit] for qubit in sorted(best[1])]
