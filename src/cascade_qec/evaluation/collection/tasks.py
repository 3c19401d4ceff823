"""A cell of a plan as a sinter task, and what samples it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import sinter

from cascade_qec import codes, decoders
from cascade_qec.decoders.sinter import BatchSampler
from cascade_qec.evaluation.collection.plan import Cell, decoder_model


@dataclass(frozen=True)
class Machine:
    """Where and in what precision networks run: as `cascade_qec.load` takes them."""

    device: str = "auto"
    precision: str = "auto"

    def resolved(self) -> Machine:
        """With the precision that "auto" means on this machine, which workers elsewhere must keep to."""
        from cascade_qec.device import pick_device, pick_dtype

        dtype = pick_dtype(self.precision, pick_device(self.device))
        return Machine(self.device, str(dtype).removeprefix("torch."))


def parameters(decoder: str, machine: Machine) -> dict[str, Any]:
    """The settings that a decoder runs with, in JSON's types.

    A model is told by its weights, its precision and its threshold, if it has one; `machine` must be resolved.
    """
    named = decoders.get(decoder, device=machine.device, precision=machine.precision)
    return json.loads(json.dumps(dict(getattr(named, "parameters", {}))))


def sinter_task(cell: Cell, machine: Machine) -> sinter.Task:
    """What sinter would be given to collect a cell; its strong id is that of the rows in the store.

    The metadata hold the experiment and, as ``parameters``, the decoder's settings, so that rows of other
    settings are never added to these.

    Raises
    ------
    CascadeError
        If the circuit or the decoder's model of it cannot be made.
    """
    code = codes.get(cell.code)
    circuit = cell.circuit()
    return sinter.Task(
        circuit=circuit,
        detector_error_model=decoder_model(cell, circuit),
        decoder=cell.decoder,
        json_metadata={
            "code": cell.code,
            "d": code.d,
            "n": code.n,
            "k": code.k,
            "p": cell.p,
            "rounds": cell.rounds,
            "basis": cell.basis,
            "noise": cell.noise,
            "parameters": parameters(cell.decoder, machine),
        },
        collection_options=sinter.CollectionOptions(max_shots=cell.max_shots, max_errors=cell.max_errors),
    )


def sampler(decoder: str, machine: Machine) -> BatchSampler:
    """What samples tasks of a decoder. PyTorch is loaded for models only."""
    return BatchSampler(decoders.get(decoder, device=machine.device, precision=machine.precision))
