"""Decoders made ready for `cascade_qec.evaluation.latency.timing`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import stim
import torch
from numpy.typing import NDArray

from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.classical_models import compile_for
from cascade_qec.decoders.classical_protocol import ClassicalDecoder
from cascade_qec.device import synchronize
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.latency.timing import Entrant


def cascade_entrant(name: str, decoder: CascadeDecoder, circuit: stim.Circuit) -> Entrant:
    """Bind a Cascade decoder to a circuit. It runs with the threads that PyTorch is set to.

    Raises
    ------
    CascadeError
        If the circuit is of another code or basis.
    """
    bound = decoder.for_circuit(circuit)

    def decode(events: NDArray[np.uint8]) -> NDArray[np.bool_]:
        return bound.decode_batch(events, bit_packed=True).observables

    return Entrant(
        name=f"cascade:{name}",
        decode=decode,
        device=str(bound.device),
        precision=str(bound.dtype).removeprefix("torch."),
        threads=torch.get_num_threads(),
        finish=partial(synchronize, bound.device),
    )


def classical_entrant(decoder: ClassicalDecoder, circuit: stim.Circuit) -> Entrant:
    """Prepare a classical decoder for a circuit's error model. These run in one thread of the CPU.

    They take unpacked events, so that unpacking is part of what is measured: about two microseconds a call.

    Raises
    ------
    CascadeError
        If the decoder's package is missing, or it cannot decode errors such as these.
    """
    compiled = compile_for(decoder, circuit)

    def decode(events: NDArray[np.uint8]) -> NDArray[np.bool_]:
        unpacked = np.unpackbits(events, axis=1, count=compiled.num_detectors, bitorder="little")
        return compiled.predict(unpacked.view(np.bool_))

    parameters = ", ".join(f"{name}={value}" for name, value in decoder.parameters.items())
    return Entrant(decoder.name, decode, parameters=parameters)


def ready_entrants(
    models: Mapping[str, CascadeDecoder],
    rivals: Sequence[ClassicalDecoder],
    circuit: stim.Circuit,
    *,
    skipped: Callable[[str], None],
) -> list[Entrant]:
    """All decoders of a comparison, bound to one circuit.

    Parameters
    ----------
    models
        Cascade decoders by name.
    rivals
        Those that cannot decode the circuit, or whose package is missing, are left out.
    skipped
        Told the name of each that is left out, with the reason.

    Raises
    ------
    CascadeError
        If a model is of another code or basis than the circuit.
    """
    entrants = [cascade_entrant(name, decoder, circuit) for name, decoder in models.items()]
    for rival in rivals:
        try:
            entrants.append(classical_entrant(rival, circuit))
        except CascadeError as error:
            skipped(f"left out: {error}")
    return entrants
