"""From a circuit to its detector error model, and what is too long for that."""

from __future__ import annotations

import re

import stim

from cascade_qec import limits
from cascade_qec.errors import CascadeError


def error_model(circuit: stim.Circuit, *, decomposed: bool = False) -> stim.DetectorErrorModel:
    """The detector error model of a circuit: the one way in which this package has Stim make it.

    Loops are flattened, as mechanisms that cross a loop's seam are listed in parts otherwise. Disjoint errors, such as
    the Paulis of a channel or the outcomes of a heralded erasure, are taken for independent ones.

    Parameters
    ----------
    decomposed
        Whether ``^`` shall part errors into such that flip at most two detectors.

    Raises
    ------
    CascadeError
        If the circuit is too long, has detectors or observables that are random without noise, or errors that cannot be
        decomposed.
    """
    check_size(circuit)
    try:
        return circuit.detector_error_model(
            decompose_errors=decomposed, flatten_loops=True, approximate_disjoint_errors=True
        )
    except ValueError as error:
        raise refused(error) from error


def refused(error: ValueError) -> CascadeError:
    """Say in a sentence what Stim says in many lines of a circuit that it makes no error model of."""
    part = re.search(r"failed to decompose is '([^']*)'", str(error))
    if part:
        return CascadeError(
            f"expected errors that can be decomposed into such that flip at most two detectors, got one of {part[1]}"
        )
    names = list(dict.fromkeys(re.findall(r"\b[DL]\d+\b", str(error))))
    if not names:
        return CascadeError(f"expected a circuit that has a detector error model: {first_line(error)}")
    shown = f"{', '.join(names[:5])}{' and others' if len(names) > 5 else ''}"
    return CascadeError(
        f"expected detectors and observables that are certain without noise, got {shown} that are random"
    )


def check_size(source: stim.Circuit | stim.DetectorErrorModel) -> None:
    """Check, without unrolling loops, that a circuit or error model can be unrolled.

    Raises
    ------
    CascadeError
        If it has more detectors than `limits.DETECTORS`, or more instructions than `limits.OPERATIONS`.
    """
    kind = "circuit" if isinstance(source, stim.Circuit) else "detector error model"
    if source.num_detectors > limits.DETECTORS:
        raise CascadeError(f"expected a {kind} of at most {limits.DETECTORS:,} detectors, got {source.num_detectors:,}")
    operations = unrolled(source)
    if operations > limits.OPERATIONS:
        raise CascadeError(
            f"expected a {kind} of at most {limits.OPERATIONS:,} instructions, loops unrolled, got {operations:,}"
        )


def unrolled(source: stim.Circuit | stim.DetectorErrorModel) -> int:
    """Instructions, those of loops as often as they run."""
    loops = [block for block in source if isinstance(block, (stim.CircuitRepeatBlock, stim.DemRepeatBlock))]
    return len(source) + sum(loop.repeat_count * unrolled(loop.body_copy()) for loop in loops)


def first_line(error: Exception) -> str:
    """What an error says in its first line; its type, if it says nothing."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
