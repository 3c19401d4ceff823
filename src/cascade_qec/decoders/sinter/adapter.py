"""Decoders as sinter sees them, for ``sinter.collect(custom_decoders=...)``."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sinter
import stim
from numpy.typing import NDArray

from cascade_qec.decoders import classical
from cascade_qec.decoders.discarding import Discarding
from cascade_qec.decoders.escalation import EscalatingDecoder
from cascade_qec.decoders.named import NamedModel
from cascade_qec.decoders.protocol import BoundDecoder, Decoder
from cascade_qec.errors import CascadeError
from cascade_qec.native import set_threads
from cascade_qec.zoo import registry

_NAMED_THRESHOLDS = (0.9, 0.99, 0.999)
_NAMED_FALLBACK = "bposd-lowest"


def sinter_decoders(
    *, discard_below: float | None = None, allow_unmeasured: bool = False
) -> dict[str, sinter.Decoder | sinter.Sampler]:
    """Every shipped model as a sinter decoder, named ``cascade:<model>``, and the decoders of the field beside them.

    Sinter's command line calls this without arguments. For it there are decoders with a threshold in their name:
    ``cascade:<model>@0.9``, ``@0.99`` and ``@0.999`` discard the shots of less confidence than that, and
    ``cascade:<model>+bposd-lowest`` has our BP+OSD decide those below 0.99. ::

        sinter collect --custom_decoders_module_function cascade_qec:sinter_decoders --decoders cascade:bb72@0.99 ...

    Parameters
    ----------
    discard_below
        A threshold for ``cascade:<model>`` itself, in (0, 1]; by default it keeps every shot. Sinter counts the
        others as discards, never as errors. Rows of one decoder's name and task add up in sinter's CSV files, so
        give each threshold a file of its own, or say it in the task's ``json_metadata``.
    allow_unmeasured
        Decode experiments of other numbers of rounds than a model was measured at, too. It then tells no confidence,
        so that nothing can be discarded.

    Returns
    -------
    dict
        To be given to ``sinter.collect(decoders=["cascade:bb72"], custom_decoders=sinter_decoders(), ...)`` or
        ``sinter.predict_on_disk``. The classical ones have their names of
        :func:`cascade_qec.decoders.classical.names`; one whose package is missing says so when it is used. Names that
        sinter knows itself ("pymatching", "pymatching-correlated") are left to sinter.

    Raises
    ------
    CascadeError
        If the threshold is not in (0, 1].

    Examples
    --------
    >>> decoders = sinter_decoders()
    >>> "cascade:bb72" in decoders, "tesseract" in decoders
    (True, True)
    """
    models = [NamedModel(name, allow_unmeasured=allow_unmeasured) for name in registry.names()]
    decoders: dict[str, Decoder] = {
        model.name: model if discard_below is None else Discarding(model, discard_below) for model in models
    }
    for model in models:
        for threshold in _NAMED_THRESHOLDS:
            named = Discarding(model, threshold)
            decoders[named.name] = named
        paired = EscalatingDecoder(model, classical.get(_NAMED_FALLBACK))
        decoders[paired.name] = paired
    for name in classical.names():
        if name not in sinter.BUILT_IN_DECODERS:
            decoders[name] = classical.get(name)
    return {name: SinterDecoder(decoder) for name, decoder in decoders.items()}


def bound_in_worker(decoder: Decoder, dem: stim.DetectorErrorModel) -> BoundDecoder:
    """Bind a decoder; a worker process is held to one thread, as sinter runs a worker for each core."""
    if multiprocessing.parent_process() is None:
        return decoder.bind(dem)
    set_threads(1)
    return decoder.bind(dem)


@dataclass(frozen=True)
class SinterDecoder(sinter.Decoder):
    """Any decoder, for sinter: it travels to the workers as it is, and is bound there."""

    decoder: Decoder

    def compile_decoder_for_dem(self, *, dem: stim.DetectorErrorModel) -> CompiledSinterDecoder:
        """Bind to the detectors and observables of `dem`.

        Raises
        ------
        CascadeError
            If the decoder cannot decode the experiment, or a package that it needs is missing.
        """
        return CompiledSinterDecoder(bound_in_worker(self.decoder, dem))

    def decode_via_files(
        self,
        *,
        num_shots: int,
        num_dets: int,
        num_obs: int,
        dem_path: Path,
        dets_b8_in_path: Path,
        obs_predictions_b8_out_path: Path,
        tmp_dir: Path,
    ) -> None:
        """Decode a file, as ``sinter.predict_on_disk`` asks for; the files are those that sinter describes.

        Raises
        ------
        CascadeError
            If the decoder discards: such a file has no place for that.
        """
        if isinstance(self.decoder, Discarding):
            raise CascadeError(
                f"expected a decoder that keeps every shot, as sinter's files of predictions cannot tell of discards, "
                f"got one that discards below {self.decoder.below}; see `cascade decode --confidence_out`"
            )
        super().decode_via_files(
            num_shots=num_shots,
            num_dets=num_dets,
            num_obs=num_obs,
            dem_path=dem_path,
            dets_b8_in_path=dets_b8_in_path,
            obs_predictions_b8_out_path=obs_predictions_b8_out_path,
            tmp_dir=tmp_dir,
        )


@dataclass(frozen=True)
class CompiledSinterDecoder(sinter.CompiledDecoder):
    """A decoder bound to one detector error model."""

    decoder: BoundDecoder

    def decode_shots_bit_packed(self, *, bit_packed_detection_event_data: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Decode bit-packed detection events (bit 0 of byte 0 is detector 0).

        Parameters
        ----------
        bit_packed_detection_event_data
            uint8 [shots, ceil(detectors / 8)].

        Returns
        -------
        uint8 [shots, ceil(k / 8)], the predicted observable flips, packed the same way; with a decoder that discards
        one byte more, 1 for shots to discard and 0 for others.

        Raises
        ------
        CascadeError
            If the array is of another type or width.
        """
        result = self.decoder.decode_batch(bit_packed_detection_event_data, bit_packed=True)
        flips = np.packbits(result.observables, axis=1, bitorder="little")
        return flips if result.discarded is None else np.column_stack([flips, result.discarded.astype(np.uint8)])
