"""A cell of a plan as a sinter task, and who decodes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sinter

from cascade_qec import codes, decoders
from cascade_qec.decoders import Decoder
from cascade_qec.decoders.runtime import choose
from cascade_qec.evaluation.collection.plan import Cell, decoder_model


@dataclass(frozen=True)
class Machine:
    """Who decodes, and where.

    Attributes
    ----------
    device, precision, allow_unmeasured
        Of networks: as `cascade_qec.load` takes them.
    own
        Decoders beside those that `cascade_qec.decoders.get` knows, by the names that cells call them. They travel to
        the workers.
    """

    device: str = "auto"
    precision: str = "auto"
    allow_unmeasured: bool = False
    own: Mapping[str, Decoder] = field(default_factory=dict)

    def resolved(self) -> Machine:
        """With the precision that "auto" means on this machine, which workers elsewhere must keep to."""
        return replace(self, precision=choose(device=self.device, precision=self.precision).precision)

    def decoder(self, name: str) -> Decoder:
        """The decoder of that name. PyTorch is loaded when a model is bound, not before."""
        return self.own.get(name) or decoders.get(
            name, device=self.device, precision=self.precision, allow_unmeasured=self.allow_unmeasured
        )


def parameters(decoder: Decoder) -> dict[str, Any]:
    """The settings that a decoder runs with, in JSON's types.

    A model is told by its weights, its precision and its threshold, if it has one.
    """
    return json.loads(json.dumps(dict(getattr(decoder, "parameters", {}))))


def sinter_task(cell: Cell, machine: Machine) -> sinter.Task:
    """What sinter would be given to collect a cell; its strong id is that of the rows in the store.

    The metadata hold the experiment and, as ``parameters``, the decoder's settings, so that rows of other
    settings are never added to these.

    Raises
    ------
    CascadeError
        If the circuit or the decoder's model of it cannot be made.
    """
    code, circuit, decoder = codes.get(cell.code), cell.circuit(), machine.decoder(cell.decoder)
    return sinter.Task(
        circuit=circuit,
        detector_error_model=decoder_model(decoder, circuit),
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
            "parameters": parameters(decoder),
        },
        collection_options=sinter.CollectionOptions(max_shots=cell.max_shots, max_errors=cell.max_errors),
    )
