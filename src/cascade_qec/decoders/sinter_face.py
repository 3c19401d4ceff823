"""Decoders as sinter sees them, for ``sinter.collect(custom_decoders=...)``."""

import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sinter
import stim
import torch
from numpy.typing import NDArray

from cascade_qec.decoders import classical
from cascade_qec.decoders.cascade import CascadeDecoder, load
from cascade_qec.decoders.classical_sinter import SinterClassical
from cascade_qec.decoders.model_names import NamedModel
from cascade_qec.decoders.sinter_arrays import check_events, pack_predictions
from cascade_qec.errors import CascadeError
from cascade_qec.zoo import registry

_NAMED_THRESHOLDS = (0.9, 0.99, 0.999)


def sinter_decoders(*, discard_below: float | None = None) -> dict[str, sinter.Decoder]:
    """Every shipped model as a sinter decoder, named ``cascade:<model>``, and the decoders of the field beside them.

    Sinter's command line calls this without arguments. For it there are decoders with a threshold in their name:
    ``cascade:<model>@0.9``, ``@0.99`` and ``@0.999`` discard the shots of less confidence than that. ::

        sinter collect --custom_decoders_module_function cascade_qec:sinter_decoders --decoders cascade:bb72@0.99 ...

    Parameters
    ----------
    discard_below
        A threshold for ``cascade:<model>`` itself, in (0, 1]; by default it keeps every shot. Sinter counts the
        others as discards, never as errors. Rows of one decoder's name and task add up in sinter's CSV files, so
        give each threshold a file of its own, or say it in the task's ``json_metadata``.

    Returns
    -------
    dict
        To be given to ``sinter.collect(decoders=["cascade:bb72"], custom_decoders=sinter_decoders(), ...)`` or
        ``sinter.predict_on_disk``. The classical ones have their names of
        :func:`cascade_qec.decoders.classical.names`; one whose package is missing says so when it is used.

    Raises
    ------
    CascadeError
        If the threshold is not in (0, 1].
    """
    models: dict[str, sinter.Decoder] = {}
    for name in registry.names():
        models[str(NamedModel(name))] = SinterCascade(name, discard_below=discard_below)
    for name in registry.names():
        for threshold in _NAMED_THRESHOLDS:
            models[str(NamedModel(name, threshold))] = SinterCascade(name, discard_below=threshold)
    return models | {name: SinterClassical(classical.get(name)) for name in classical.names()}


@dataclass(frozen=True)
class SinterCascade(sinter.Decoder):
    """A model that sinter can send to its workers: only its name travels, the weights are loaded there.

    In a worker process PyTorch is held to one thread, as sinter is meant to run a worker for each core.

    Parameters
    ----------
    model
        Name in the zoo, or the path of a ``.safetensors`` file.
    device, precision
        As `cascade_qec.load` takes them.
    discard_below
        Shots whose confidence, P(no observable wrong), is less are discarded; None keeps all.

    Raises
    ------
    CascadeError
        If the threshold is not in (0, 1].
    """

    model: str
    device: str = "auto"
    precision: str = "auto"
    discard_below: float | None = None

    def __post_init__(self) -> None:
        NamedModel(self.model, self.discard_below)  # checks the threshold

    def compile_decoder_for_dem(self, *, dem: stim.DetectorErrorModel) -> "CompiledSinterCascade":
        """Load the model for the detectors and observables of `dem`, which `cascade_qec.recognition` finds out.

        Raises
        ------
        CascadeError
            If the model is unknown, or `dem` is of no experiment of its code.
        """
        if multiprocessing.parent_process() is not None:
            torch.set_num_threads(1)
        decoder = load(self.model, circuit=dem, device=self.device, precision=self.precision)
        return CompiledSinterCascade(decoder, dem.num_detectors, self.discard_below)

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
            If there is a threshold: such a file has no place for discards.
        """
        if self.discard_below is not None:
            raise CascadeError(
                f"expected a decoder that keeps every shot, as sinter's files of predictions cannot tell of discards, "
                f"got one that discards below {self.discard_below:g}; see `cascade decode --confidence_out`"
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
class CompiledSinterCascade(sinter.CompiledDecoder):
    """A loaded decoder bound to one detector error model."""

    decoder: CascadeDecoder
    detectors: int
    discard_below: float | None = None

    def decode_shots_bit_packed(self, *, bit_packed_detection_event_data: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Decode bit-packed detection events (bit 0 of byte 0 is detector 0).

        Parameters
        ----------
        bit_packed_detection_event_data
            uint8 [shots, ceil(detectors / 8)].

        Returns
        -------
        uint8 [shots, ceil(k / 8)], the predicted observable flips, packed the same way; with a threshold one byte
        more, 1 for shots to discard and 0 for others.

        Raises
        ------
        CascadeError
            If the array is of another type or width.
        """
        check_events(bit_packed_detection_event_data, self.detectors)
        result = self.decoder.decode_batch(bit_packed_detection_event_data, bit_packed=True)
        discarded = None if self.discard_below is None else result.confidence < self.discard_below
        return pack_predictions(result.observables, discarded)
