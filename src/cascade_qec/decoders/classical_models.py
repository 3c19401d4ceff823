"""Kept until the last caller binds decoders itself."""

import stim

from cascade_qec.decoders.classical import BoundClassical, ClassicalDecoder


def compile_for(decoder: ClassicalDecoder, source: stim.Circuit | stim.DetectorErrorModel) -> BoundClassical:
    """What `ClassicalDecoder.bind` does."""
    return decoder.bind(source)
