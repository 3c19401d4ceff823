"""What a decoder is: everything that measures, serves or escalates takes this and nothing else.

A decoder knows no experiment. `Decoder.bind` makes a new object for the shots of one experiment, and does there the
work that is done once.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import stim
from numpy.typing import NDArray

from cascade_qec.decoders.result import DecodeResult
from cascade_qec.errors import CascadeError


class BoundDecoder(Protocol):
    """A decoder that is ready for the shots of one experiment."""

    def decode_batch(self, detection_events: NDArray[Any], /, *, bit_packed: bool = False) -> DecodeResult:
        """Decode a batch of any size, also none.

        Parameters
        ----------
        detection_events
            bool [shots, detectors], or with `bit_packed` uint8 [shots, ceil(detectors / 8)], bit 0 of byte 0 being
            detector 0 (as `stim` packs).
        bit_packed
            Whether the input is packed.

        Raises
        ------
        CascadeError
            If the array is of another shape or type.
        """
        ...


class Decoder(Protocol):
    """Anything that decodes. It may also have ``parameters``, a mapping of its settings, see `settings`."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> BoundDecoder:
        """Make ready for the shots of a circuit or of a detector error model. The decoder stays as it was.

        Raises
        ------
        CascadeError
            If it cannot decode the experiment, or a package that it needs is missing.
        """
        ...


def require_confidence(bound: BoundDecoder, name: str) -> None:
    """Refuse a bound decoder that says of itself that it tells no confidence (``tells_confidence``).

    Raises
    ------
    CascadeError
        The message calls the decoder by `name`.
    """
    if not getattr(bound, "tells_confidence", True):
        raise CascadeError(
            f"expected a decoder whose confidence was measured, got {name}, which tells none: it has no calibration, "
            "or was not measured at this number of rounds"
        )


def at(below: float) -> str:
    """A threshold of confidence as the end of a decoder's name, which reads back as the same number.

    Examples
    --------
    >>> at(0.99), at(1.0), at(0.9999995)
    ('@0.99', '@1', '@0.9999995')
    """
    return "@" + repr(float(below)).removesuffix(".0")


def settings(decoder: Decoder) -> str:
    """The settings that a decoder runs with, as tables have them; empty for a decoder that tells of none."""
    parameters: Mapping[str, object] = getattr(decoder, "parameters", {})
    return ", ".join(f"{name}={value}" for name, value in parameters.items())
