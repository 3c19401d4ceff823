"""Detection events as they come in at the doors: checked, packed and unpacked here and nowhere else."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_qec.errors import CascadeError


def checked(events: ArrayLike, detectors: int, bit_packed: bool = False, *, whose: str = "the decoder") -> NDArray[Any]:
    """Detection events of the one shape and type that `bit_packed` calls for.

    Parameters
    ----------
    events
        bool (or uint8 0 and 1) [shots, detectors], or with `bit_packed` uint8 [shots, ceil(detectors / 8)], bit 0 of
        byte 0 being detector 0.
    detectors
        Of the experiment.
    bit_packed
        Whether the input is packed.
    whose
        Who expects them, for the message.

    Returns
    -------
    bool [shots, detectors], or uint8 [shots, ceil(detectors / 8)]; no copy

    Raises
    ------
    CascadeError
        If the array is of another shape or type; the message gives both.
    """
    events = np.asarray(events)
    width = -(-detectors // 8) if bit_packed else detectors
    packing = "bit-packed " if bit_packed else ""
    if events.ndim != 2 or events.shape[1] != width:
        raise CascadeError(
            f"{whose} expects {packing}detection events of shape [shots, {width}] for {detectors} detectors, "
            f"got {list(events.shape)}"
        )
    if bit_packed and events.dtype != np.uint8:
        raise CascadeError(f"{whose} expects bit-packed detection events as uint8, got {events.dtype}")
    if bit_packed or events.dtype == np.bool_:
        return events
    if events.dtype != np.uint8:
        raise CascadeError(f"{whose} expects detection events as bool (or uint8 0 and 1), got {events.dtype}")
    if events.size and events.max() > 1:
        raise CascadeError(f"{whose} expects detection events 0 and 1, got {events.max()}")
    return events.view(np.bool_)


def packed(events: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Bool [shots, detectors] to uint8 [shots, ceil(detectors / 8)], bit 0 of byte 0 first."""
    return np.packbits(events, axis=1, bitorder="little")


def unpacked(events: NDArray[np.uint8], detectors: int) -> NDArray[np.bool_]:
    """Uint8 [shots, ceil(detectors / 8)], bit 0 of byte 0 first, to bool [shots, detectors]."""
    return np.unpackbits(events, axis=1, count=detectors, bitorder="little").view(np.bool_)
