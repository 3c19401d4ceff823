"""Decoders behind one protocol: those of the field, Cascade, and your own."""

from cascade_qec.decoders.classical import names
from cascade_qec.decoders.named import get
from cascade_qec.decoders.protocol import BoundDecoder, Decoder, settings
from cascade_qec.decoders.result import DecodeResult

__all__ = ["BoundDecoder", "DecodeResult", "Decoder", "get", "names", "settings"]
