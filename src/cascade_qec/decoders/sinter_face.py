"""Decoders as sinter sees them, for ``sinter.collect(custom_decoders=...)``."""

import multiprocessing
from dataclasses import dataclass

import numpy as np
import sinter
import stim
import torch
from numpy.typing import NDArray

from cascade_qec.decoders import classical
from cascade_qec.decoders.cascade import CascadeDecoder, load
from cascade_qec.decoders.classical_sinter import SinterClassical
from cascade_qec.errors import CascadeError
from cascade_qec.zoo import registry


def sinter_decoders() -> dict[str, sinter.Decoder]:
    """Every shipped model as a sinter decoder, named ``cascade:<model>``, and the decoders of the field beside them.

    Returns
    -------
    dict
        To be given to ``sinter.collect(decoders=["cascade:bb72"], custom_decoders=sinter_decoders(), ...)``. The
        classical ones have their names of :func:`cascade_qec.decoders.classical.names`; one whose package is
        missing says so when it is used.
    """
    models: dict[str, sinter.Decoder] = {f"cascade:{name}": SinterCascade(name) for name in registry.names()}
    return models | {name: SinterClassical(classical.get(name)) for name in classical.names()}


@dataclass(frozen=True)
class SinterCascade(sinter.Decoder):
    """A model that sinter can send to its workers: only its name travels, the weights are loaded there.

    Decoding by files (``decode_via_files``) is sinter's own, on top of the compiled decoder. In a worker
    process PyTorch is held to one thread, as sinter is meant to run a worker for each core.

    Parameters
    ----------
    model
        Name in the zoo, or the path of a ``.safetensors`` file.
    device, precision
        As `cascade_qec.load` takes them.
    """

    model: str
    device: str = "auto"
    precision: str = "auto"

    def compile_decoder_for_dem(self, *, dem: stim.DetectorErrorModel) -> "CompiledSinterCascade":
        """Load the model for the detectors of `dem`, which must carry their coordinates.

        Raises
        ------
        CascadeError
            If the model is unknown, or the detectors are not those of its code.
        """
        if multiprocessing.parent_process() is not None:
            torch.set_num_threads(1)
        decoder = load(self.model, circuit=dem, device=self.device, precision=self.precision)
        return CompiledSinterCascade(decoder, dem.num_detectors)


@dataclass(frozen=True)
class CompiledSinterCascade(sinter.CompiledDecoder):
    """A loaded decoder bound to one detector error model."""

    decoder: CascadeDecoder
    detectors: int

    def decode_shots_bit_packed(self, *, bit_packed_detection_event_data: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Decode bit-packed detection events (bit 0 of byte 0 is detector 0).

        Parameters
        ----------
        bit_packed_detection_event_data
            uint8 [shots, ceil(detectors / 8)].

        Returns
        -------
        uint8 [shots, ceil(k / 8)], the predicted observable flips, packed the same way.

        Raises
        ------
        CascadeError
            If the array is of another type or width.
        """
        dets = bit_packed_detection_event_data
        width = -(-self.detectors // 8)
        if dets.dtype != np.uint8 or dets.ndim != 2 or dets.shape[1] != width:
            raise CascadeError(
                f"expected uint8 [shots, {width}] for {self.detectors} detectors, got {dets.dtype} {list(dets.shape)}"
            )
        observables = self.decoder.decode_batch(dets, bit_packed=True).observables
        return np.packbits(observables, axis=1, bitorder="little")
