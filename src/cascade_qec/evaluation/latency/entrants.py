"""Decoders made ready for `cascade_qec.evaluation.latency.timing`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import stim
import torch

from cascade_qec.decoders.protocol import BoundDecoder, Decoder, settings
from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class Entrant:
    """A decoder that is ready for an experiment's shots.

    Attributes
    ----------
    name
        As it shall stand in the table.
    decoder
    device, precision, threads
        What it runs on; the precision is empty where it is the decoder's own affair.
    parameters
        Its settings, as text.
    """

    name: str
    decoder: BoundDecoder
    device: str = "cpu"
    precision: str = ""
    threads: int = 1
    parameters: str = ""

    @classmethod
    def of(cls, decoder: Decoder, circuit: stim.Circuit) -> Entrant:
        """Bind a decoder to a circuit.

        One that says which device it is on runs with the threads that PyTorch is set to, others in one thread of the
        CPU.

        Raises
        ------
        CascadeError
            If the decoder cannot decode the circuit, or a package that it needs is missing.
        """
        bound = decoder.bind(circuit)
        device = getattr(bound, "device", None)
        return cls(
            decoder.name,
            bound,
            device="cpu" if device is None else str(device),
            precision=str(getattr(bound, "dtype", "")).removeprefix("torch."),
            threads=1 if device is None else torch.get_num_threads(),
            parameters=settings(decoder),
        )


def ready_entrants(
    models: Sequence[Decoder], rivals: Sequence[Decoder], circuit: stim.Circuit, *, skipped: Callable[[str], None]
) -> list[Entrant]:
    """All decoders of a comparison, bound to one circuit.

    Parameters
    ----------
    models
        Each must be able to decode the circuit.
    rivals
        Those that cannot, or whose package is missing, are left out.
    circuit
    skipped
        Told the name of each that is left out, with the reason.

    Raises
    ------
    CascadeError
        If a model is of another code or basis than the circuit.
    """
    entrants = [Entrant.of(model, circuit) for model in models]
    for rival in rivals:
        try:
            entrants.append(Entrant.of(rival, circuit))
        except CascadeError as error:
            skipped(f"left out: {error}")
    return entrants
