"""Bit-packed arrays as sinter hands them to decoders and takes them back."""

import numpy as np
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError


def check_events(packed: NDArray[np.uint8], detectors: int) -> None:
    """Refuse what are not detection events, uint8 [shots, ceil(detectors / 8)].

    Raises
    ------
    CascadeError
        If the array is of another type or width.
    """
    width = -(-detectors // 8)
    if packed.dtype != np.uint8 or packed.ndim != 2 or packed.shape[1] != width:
        raise CascadeError(
            f"expected uint8 [shots, {width}] for {detectors} detectors, got {packed.dtype} {list(packed.shape)}"
        )


def pack_predictions(observables: NDArray[np.bool_], discarded: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
    """Predictions bit-packed, bit 0 of byte 0 first, and sinter's byte of discards after them.

    Parameters
    ----------
    observables : bool [shots, k]
        Predicted flips.
    discarded : bool [shots]
        Shots that shall not count.

    Returns
    -------
    uint8 [shots, ceil(k / 8)], with `discarded` uint8 [shots, ceil(k / 8) + 1] whose last byte is 1 in discarded shots.
    """
    packed = np.packbits(observables, axis=1, bitorder="little")
    return packed if discarded is None else np.column_stack([packed, discarded.astype(np.uint8)])


def split_predictions(
    packed: NDArray[np.uint8], like: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Predictions, packed as the observables `like`, and the shots that are discarded, bool [shots].

    Raises
    ------
    CascadeError
        If the array has neither the shape of `like` nor one byte more for each shot.
    """
    shots, width = like.shape
    if packed.shape == (shots, width):
        return packed, np.zeros(shots, np.bool_)
    if packed.shape == (shots, width + 1):
        return packed[:, :width], packed[:, width] != 0
    raise CascadeError(
        f"expected packed predictions of shape {[shots, width]}, or {[shots, width + 1]} with a byte of discards, "
        f"got {list(packed.shape)}"
    )
