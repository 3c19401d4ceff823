"""Kept until the last caller takes `cascade_qec.decoders.protocol`."""

from cascade_qec.decoders.classical import BoundClassical as CompiledClassical
from cascade_qec.decoders.classical import ClassicalDecoder

__all__ = ["ClassicalDecoder", "CompiledClassical"]
