"""How large the numbers of a model become: what its products in eight bits have to span."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cascade_qec import engine
from cascade_qec.decoders.prepared import logical_tables, prepared
from cascade_qec.engine import LocalTables
from cascade_qec.lattice import memory_lattice
from cascade_qec.native import native

if TYPE_CHECKING:
    from cascade_qec.decoders.cascade import CascadeDecoder

SHOTS, SEED = 512, 3


def measured_peaks(decoder: CascadeDecoder) -> NDArray[np.float32]:
    """The largest value in each channel of what each convolution reads, float32 [convolutions, channels].

    They are those of shots of the model's own experiment at the strength of noise that it was trained at, decoded in
    bfloat16. What becomes larger in others is cut off.
    """
    made, kernels = decoder.description, native()
    assert kernels is not None  # or it would not have been chosen
    basis = made.bases[0]
    lattice = memory_lattice(decoder.code, made.rounds, basis)
    told = decoder.weights.trunk.told
    usual = None if told is None else np.zeros((lattice.sites, len(told)), dtype=np.float32)
    if made.head == "local":
        head = LocalTables(owner=np.zeros(0, np.int32), type=np.zeros(0, np.int32))  # the head is not asked
    else:
        head = logical_tables(made, lattice)
    weights, tables = prepared(decoder.weights, made, lattice, head, usual)
    circuit = decoder.experiment(made.noise_p, basis=basis)
    events = circuit.compile_detector_sampler(seed=SEED).sample(SHOTS, bit_packed=True)
    return engine.NativeProgram(kernels, weights, tables, head, bfloat16=True).peaks(np.asarray(events))
