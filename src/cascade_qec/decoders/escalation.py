"""Shots that a decoder doubts go to another one, slower and surer.

Where the second tells how sure it is, too, and the two differ, the surer of them decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.codes import CSSCode
from cascade_qec.decoders import classical
from cascade_qec.decoders.advice import advised
from cascade_qec.decoders.bound import Bound, decode_chosen
from cascade_qec.decoders.classical import ClassicalDecoder
from cascade_qec.decoders.protocol import BoundDecoder, Decoder, at, require_confidence
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.errors import CascadeError
from cascade_qec.recognition import read_experiment

BELOW = 0.99
"""The usual confidence below which a shot is doubtful."""


def fallback_decoder(name: str, code: CSSCode) -> ClassicalDecoder:
    """A classical decoder by its name.

    Parameters
    ----------
    name
        One of `cascade_qec.decoders.classical.names`, or "relay": Relay-BP as its authors tuned it for codes like
        this one, codes that matching can decode or others.
    code
        What it is to decode.

    Raises
    ------
    CascadeError
        If there is no decoder of that name, or its package is not installed.
    """
    if name == "relay":
        name = "relay-bp-surface" if code.matchable else "relay-bp"
    decoder = classical.get(name)
    decoder.require()
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


@dataclass(frozen=True)
class EscalatingDecoder:
    """Two decoders: the second is asked about shots of which the first is less sure than a threshold.

    It decides them, but for those of which it tells log-odds that are less than the first decoder's.

    Made by ``cascade_qec.load(..., fallback=, below=)``, or of any decoder that tells its confidence and any other.

    Parameters
    ----------
    first
        What decodes all shots.
    fallback
        What is asked about those that it doubts.
    below
        Confidence below which a shot is escalated, above 0 and at most 1, 0.99 by default. At 1 only those stay of
        which the first decoder is certain, as far as float64 can tell.

    Raises
    ------
    CascadeError
        If the threshold is out of range.
    """

    first: Decoder
    fallback: Decoder
    below: float = BELOW

    def __post_init__(self) -> None:
        check_threshold(self.below)

    @property
    def name(self) -> str:
        """Both decoders', and the threshold where it is not the usual one."""
        return f"{self.first.name}+{self.fallback.name}" + at(self.below) * (self.below != BELOW)

    @property
    def parameters(self) -> Mapping[str, object]:
        """The first decoder's, the fallback's with its name before them, and the threshold."""
        of_fallback: Mapping[str, object] = getattr(self.fallback, "parameters", {})
        named = {f"{self.fallback.name}.{name}": value for name, value in of_fallback.items()}
        return {**getattr(self.first, "parameters", {}), **named, "below": self.below}

    @property
    def decomposed(self) -> bool:
        """Whether either wants errors that are decomposed into pairs of detectors."""
        return any(getattr(decoder, "decomposed", False) for decoder in (self.first, self.fallback))

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel | str | Path, /) -> BoundEscalation:
        """Bind both decoders to a circuit or error model, to its text or to a file of it.

        Raises
        ------
        CascadeError
            If either cannot decode it, the first tells no confidence on it, or the fallback's package is missing.
        """
        source = read_experiment(experiment)
        return BoundEscalation(self, source)


class BoundEscalation(Bound[DecodeResult]):
    """Two decoders that are ready for the shots of one experiment.

    Attributes
    ----------
    first, fallback : BoundDecoder
    below : float
    """

    def __init__(self, decoder: EscalatingDecoder, experiment: stim.Circuit | stim.DetectorErrorModel) -> None:
        self._made_of = decoder, experiment
        self.name, self.below = decoder.name, decoder.below
        self.num_detectors, self.num_observables = experiment.num_detectors, experiment.num_observables
        self.first: BoundDecoder = decoder.first.bind(experiment)
        require_confidence(self.first, decoder.first.name)
        self.fallback: BoundDecoder = advised(self.first, decoder.fallback.bind(experiment))
        self.check = self.first.check if isinstance(self.first, Bound) else None

    def _decode(self, detection_events: NDArray, bit_packed: bool) -> DecodeResult:
        """Decode with the first decoder, and what it doubts once more; `DecodeResult.escalated` says which shots."""
        result = decode_chosen(self.first, detection_events, bit_packed=bit_packed)
        escalated = result.confidence_of(self.name) < self.below
        observables = after_asking(self.fallback, detection_events, result, escalated, bit_packed=bit_packed)
        return replace(result, observables=observables, escalated=escalated)

    def __reduce__(self) -> tuple[Callable[..., BoundEscalation], tuple[object, ...]]:
        return BoundEscalation, self._made_of


def after_asking(
    fallback: BoundDecoder,
    detection_events: NDArray,
    result: DecodeResult,
    doubted: NDArray[np.bool_],
    *,
    bit_packed: bool = False,
) -> NDArray[np.bool_]:
    """The observables of a first decoder's result, bool [shots, k], after another was asked about the `doubted` shots.

    Parameters
    ----------
    fallback, detection_events, bit_packed
        Who is asked, and what the first decoder decoded.
    result
        With log-odds.
    doubted : bool [shots]
    """
    observables = result.observables.copy()
    asked = decode_chosen(fallback, detection_events[doubted], bit_packed=bit_packed)
    observables[doubted] = of_the_surer(result[doubted], asked)
    return observables


def of_the_surer(first: DecodeResult, asked: DecodeResult) -> NDArray[np.bool_]:
    """The observables of shots that a first decoder doubts and another was asked about, bool [shots, k].

    They are the second's, but for shots of which both tell log-odds and the first's are more.
    """
    if asked.log_odds is None or first.log_odds is None:
        return asked.observables
    return np.where((asked.log_odds >= first.log_odds)[:, None], asked.observables, first.observables)
