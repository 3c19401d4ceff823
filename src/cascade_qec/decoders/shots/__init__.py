"""Files of shots in Stim's result formats, and decoding from file to file in bounded memory."""

from cascade_qec.decoders.shots.decoding import FileDecoding, decode_file
from cascade_qec.decoders.shots.files import ShotFile, guess_format
from cascade_qec.decoders.shots.formats import FORMATS

__all__ = ["FORMATS", "FileDecoding", "ShotFile", "decode_file", "guess_format"]
