"""A circuit whose gates are not equally good."""

from __future__ import annotations

import numpy as np
import stim

from cascade_qec.errors import CascadeError

_MOST = 0.5


def scattered(circuit: stim.Circuit, factor: float, seed: int) -> stim.Circuit:
    """Give every noise channel of a circuit a strength of its own.

    A channel's strength is multiplied by a factor between ``1 / factor`` and ``factor``, uniform in the logarithm. The
    same channel on the same qubits has the same factor wherever it comes: as devices have better and worse pairs.

    Parameters
    ----------
    circuit
        With noise of any kind; loops are kept.
    factor
        At least 1.
    seed
        The same one gives the same circuit.

    Raises
    ------
    CascadeError
        If the factor is less than 1.

    Examples
    --------
    >>> print(scattered(stim.Circuit("DEPOLARIZE1(0.01) 0 1"), 2, seed=1))
    DEPOLARIZE1(0.0101652) 0
    DEPOLARIZE1(0.0186727) 1
    """
    if not factor >= 1:
        raise CascadeError(f"expected a factor of at least 1, got {factor!r}")
    return _scattered(circuit, factor, np.random.default_rng(seed), {})


def _scattered(
    circuit: stim.Circuit, factor: float, rng: np.random.Generator, known: dict[tuple[str, str], float]
) -> stim.Circuit:
    found = stim.Circuit()
    for instruction in circuit:
        if isinstance(instruction, stim.CircuitRepeatBlock):
            body = _scattered(instruction.body_copy(), factor, rng, known)
            found.append(stim.CircuitRepeatBlock(instruction.repeat_count, body, tag=instruction.tag))
            continue
        strengths = instruction.gate_args_copy()
        if not strengths or not stim.gate_data(instruction.name).is_noisy_gate:
            found.append(instruction)
            continue
        correlated = instruction.name in ("E", "ELSE_CORRELATED_ERROR")
        groups = [instruction.targets_copy()] if correlated else instruction.target_groups()
        for group in groups:
            key = (instruction.name, str(group))
            if key not in known:
                known[key] = factor ** rng.uniform(-1, 1)
            scale = min(known[key], _MOST / max(sum(strengths), 1e-300))
            if instruction.name == "MPP":
                group = stim.target_combined_paulis(group)
            found.append(instruction.name, group, [scale * strength for strength in strengths], tag=instruction.tag)
    return found
