"""Shots that the network doubts go to a slower, classical decoder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.codes.css import Basis, CSSCode
from cascade_qec.decoders import classical
from cascade_qec.decoders.classical import ClassicalDecoder
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import Lattice
from cascade_qec.nn import ModelDescription
from cascade_qec.recognition import read_experiment

if TYPE_CHECKING:
    from cascade_qec.decoders.cascade import CascadeDecoder


def fallback_decoder(name: str, code: CSSCode) -> ClassicalDecoder:
    """A classical decoder by its name.

    Parameters
    ----------
    name
        One of `cascade_qec.decoders.classical.names`, or "relay": Relay-BP as its authors tuned it for codes like
        this one, surface codes or others.
    code
        What it is to decode.

    Raises
    ------
    CascadeError
        If there is no decoder of that name, or its package is not installed.
    """
    if name == "relay":
        name = "relay-bp-surface" if code.family == "surface" else "relay-bp"
    decoder = classical.get(name)
    classical.require(decoder)
    return decoder


def check_threshold(below: float) -> None:
    """Refuse thresholds that are no confidence.

    Raises
    ------
    CascadeError
        Unless ``0 < below <= 1``.
    """
    if not 0 < below <= 1:
        raise CascadeError(f"expected a confidence below which shots are escalated, above 0 and at most 1, got {below}")


class EscalatingDecoder:
    """A Cascade decoder and a classical one that decides the shots whose confidence is below a threshold.

    Made by ``cascade_qec.load(..., fallback=, below=)``, and used as a `CascadeDecoder` is. The fallback is told how
    likely errors are, so it has to know the noise: from the circuit or error model that was given to `load` or
    `for_circuit`, or from `experiment`. It is made ready there, before any decoding.

    Parameters
    ----------
    decoder
        What decodes all shots.
    fallback
        What decodes those that it doubts.
    below
        Confidence below which a shot is escalated, above 0 and at most 1. At 1 only those stay of which the network
        is certain, as far as float32 can tell.
    source
        The circuit or error model that `decoder` is bound to, where it is known.

    Raises
    ------
    CascadeError
        If the threshold is out of range, the fallback's package is missing, or it cannot decode these errors.

    Attributes
    ----------
    network : CascadeDecoder
    fallback : ClassicalDecoder
    below : float
    """

    def __init__(
        self,
        decoder: CascadeDecoder,
        fallback: ClassicalDecoder,
        below: float,
        *,
        source: stim.Circuit | stim.DetectorErrorModel | None = None,
    ) -> None:
        check_threshold(below)
        classical.require(fallback)
        self.network, self.fallback, self.below = decoder, fallback, below
        self._compiled = None if source is None else fallback.bind(source)

    @property
    def description(self) -> ModelDescription:
        """What the weights' file says."""
        return self.network.description

    @property
    def code(self) -> CSSCode:
        return self.network.code

    @property
    def lattice(self) -> Lattice:
        """Where the detectors of the bound experiment sit."""
        return self.network.lattice

    @property
    def num_observables(self) -> int:
        """Observables of the bound experiment: columns of predictions."""
        return self.network.num_observables

    def experiment(self, p: float, *, rounds: int | None = None, basis: Basis = "Z") -> stim.Circuit:
        """A memory experiment as `CascadeDecoder.experiment` makes it; binds network and fallback to it.

        Raises
        ------
        CascadeError
            If either cannot decode it.
        """
        circuit = self.network.experiment(p, rounds=rounds, basis=basis)
        self._compiled = None  # if the next line fails, the two are not left bound to different experiments
        self._compiled = self.fallback.bind(circuit)
        return circuit

    def for_circuit(self, circuit: stim.Circuit | stim.DetectorErrorModel | str | Path) -> EscalatingDecoder:
        """The same two decoders bound to a circuit or an error model, or to a file of it.

        Raises
        ------
        CascadeError
            If either cannot decode it.
        """
        source = read_experiment(circuit)
        return EscalatingDecoder(self.network.for_circuit(source), self.fallback, self.below, source=source)

    def decode_batch(self, detection_events: NDArray, *, bit_packed: bool = False) -> DecodeResult:
        """Decode a batch of any size with the network, and what it doubts once more with the fallback.

        Parameters
        ----------
        detection_events
            bool [shots, detectors], or with `bit_packed` uint8 [shots, ceil(detectors / 8)], bit 0 of byte 0 being
            detector 0 (as `stim` packs).
        bit_packed
            Whether the input is packed.

        Returns
        -------
        DecodeResult
            `DecodeResult.escalated` says which shots the fallback decided.

        Raises
        ------
        CascadeError
            If the array is of another shape or type, or no error model is known to the fallback.
        """
        if self._compiled is None:
            raise CascadeError(
                f"expected a circuit or error model to tell {self.fallback.name} how likely errors are, got none: give "
                "one to load (circuit=...) or for_circuit, or decode an experiment of this decoder (experiment(p=...))"
            )
        result = self.network.decode_batch(detection_events, bit_packed=bit_packed)
        escalated = result.confidence < self.below
        events = np.asarray(detection_events)[escalated]
        if bit_packed:
            events = np.unpackbits(events, axis=1, count=self._compiled.num_detectors, bitorder="little")
        observables = result.observables.copy()
        observables[escalated] = self._compiled.predict(events.astype(np.bool_, copy=False))
        return replace(result, observables=observables, escalated=escalated)
