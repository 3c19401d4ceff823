"""Experiments from strangers: what a few bytes of text could ask for without end is refused before it is looked at."""

from __future__ import annotations

import stim

from cascade_qec.errors import CascadeError
from cascade_qec.recognition import read_circuit, read_error_model
from cascade_qec.serving.protocol_pb2 import Open

QUBITS, OBSERVABLES = 100_000, 10_000
"""The highest number that a text may name, of each; any of 24 or 32 bits is as short."""

LOOPS = 8
"""Loops within loops: Stim has no memory for a hundred thousand, and dies."""


def experiment(request: Open) -> stim.Circuit | stim.DetectorErrorModel:
    """The circuit or error model that a client asks to be decoded.

    Raises
    ------
    CascadeError
        If it is none, or asks for too much.
    """
    depth = deepest = 0
    for line in (request.circuit or request.error_model).splitlines():
        code = line.partition("#")[0]
        depth += code.count("{") - code.count("}")
        deepest = max(deepest, depth, code.count("{"))
    if deepest > LOOPS:
        raise CascadeError(f"expected at most {LOOPS} loops within loops, got {deepest}")
    read = read_circuit if request.HasField("circuit") else read_error_model
    # a text of one line would be taken for the name of a file
    source = read(f"{request.circuit or request.error_model}\n")
    if isinstance(source, stim.Circuit) and source.num_qubits > QUBITS:
        raise CascadeError(f"expected at most {QUBITS:,} qubits, got {source.num_qubits:,}")
    if source.num_observables > OBSERVABLES:
        raise CascadeError(f"expected at most {OBSERVABLES:,} observables, got {source.num_observables:,}")
    return source
