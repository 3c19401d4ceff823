"""A cell of a plan as a sinter task, and what samples it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sinter

from cascade_qec import codes, zoo
from cascade_qec.decoders import classical
from cascade_qec.decoders.classical_sinter import SinterClassical
from cascade_qec.decoders.model_names import MODEL_PREFIX, NamedModel
from cascade_qec.decoders.sinter_sampler import BatchSampler
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
    if decoder.startswith(MODEL_PREFIX):
        named = NamedModel.of(decoder)
        settings = {"weights_sha256": _digest(named.model), "precision": machine.precision}
        return settings if named.discard_below is None else settings | {"discard_below": named.discard_below}
    return json.loads(json.dumps(dict(classical.get(decoder).parameters)))


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
    if not decoder.startswith(MODEL_PREFIX):
        return BatchSampler(SinterClassical(classical.get(decoder)))
    from cascade_qec.decoders.sinter_face import SinterCascade

    named = NamedModel.of(decoder)
    return BatchSampler(SinterCascade(named.model, machine.device, machine.precision, named.discard_below))


@lru_cache
def _digest(model: str) -> str:
    return hashlib.sha256(zoo.path(model).read_bytes()).hexdigest()[:16]
