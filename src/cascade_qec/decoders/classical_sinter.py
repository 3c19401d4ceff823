"""Classical decoders as sinter sees decoders."""

from dataclasses import dataclass

import numpy as np
import sinter
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.classical_models import compile_for
from cascade_qec.decoders.classical_protocol import ClassicalDecoder, CompiledClassical
from cascade_qec.decoders.sinter_arrays import check_events, pack_predictions


@dataclass(frozen=True)
class SinterClassical(sinter.Decoder):
    """A classical decoder that sinter can send to its workers: its settings travel, it is made ready there."""

    decoder: ClassicalDecoder

    def compile_decoder_for_dem(self, *, dem: stim.DetectorErrorModel) -> "CompiledSinterClassical":
        """Prepare for the shots of `dem`.

        Sinter offers models whose errors are decomposed into pairs wherever they can be; decoders that do not
        match are given the errors as wholes.

        Raises
        ------
        CascadeError
            If the decoder's package is missing or cannot use the model.
        """
        return CompiledSinterClassical(compile_for(self.decoder, dem))


@dataclass(frozen=True)
class CompiledSinterClassical(sinter.CompiledDecoder):
    """A classical decoder bound to one detector error model."""

    compiled: CompiledClassical

    def decode_shots_bit_packed(self, *, bit_packed_detection_event_data: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Decode uint8 [shots, ceil(detectors / 8)] to uint8 [shots, ceil(k / 8)], bit 0 of byte 0 first.

        Raises
        ------
        CascadeError
            If the array is of another type or width.
        """
        packed = bit_packed_detection_event_data
        check_events(packed, self.compiled.num_detectors)
        dets = np.unpackbits(packed, axis=1, count=self.compiled.num_detectors, bitorder="little").view(np.bool_)
        return pack_predictions(self.compiled.predict(dets))
