"""The decoders of the field, by name."""

from cascade_qec.decoders.classical.bp import BPLSD, BPOSD, BPOSD_CS10, RELAY_BP_SURFACE, RelayBP
from cascade_qec.decoders.classical.decoder import BoundClassical, ClassicalDecoder
from cascade_qec.decoders.classical.filtered import Filtered
from cascade_qec.decoders.classical.lowest import BPOSD_ENSEMBLE, LowestBPOSD
from cascade_qec.decoders.classical.matching import Chromobius, PyMatching
from cascade_qec.decoders.classical.matrices import CheckMatrices, check_matrices
from cascade_qec.decoders.classical.search import (
    TESSERACT_LONG_BEAM,
    TESSERACT_SPARSE_LONG_BEAM,
    TESSERACT_SPARSE_SURFACE,
    SparseTesseract,
    Tesseract,
)
from cascade_qec.errors import unknown

__all__ = [
    "BPLSD",
    "BPOSD",
    "BPOSD_CS10",
    "BPOSD_ENSEMBLE",
    "RELAY_BP_SURFACE",
    "TESSERACT_LONG_BEAM",
    "TESSERACT_SPARSE_LONG_BEAM",
    "TESSERACT_SPARSE_SURFACE",
    "BoundClassical",
    "CheckMatrices",
    "Chromobius",
    "ClassicalDecoder",
    "Filtered",
    "LowestBPOSD",
    "PyMatching",
    "RelayBP",
    "SparseTesseract",
    "Tesseract",
    "check_matrices",
    "get",
    "names",
    "require",
]

_JOINT: tuple[ClassicalDecoder, ...] = (
    PyMatching(),
    PyMatching(enable_correlations=True),
    BPOSD(),
    BPOSD_CS10,
    LowestBPOSD(),
    BPOSD_ENSEMBLE,
    BPLSD(),
    RelayBP(),
    RELAY_BP_SURFACE,
    Tesseract(),
    TESSERACT_LONG_BEAM,
    SparseTesseract(),
    TESSERACT_SPARSE_LONG_BEAM,
    TESSERACT_SPARSE_SURFACE,
    Chromobius(),
)
_BY_NAME: dict[str, ClassicalDecoder] = {
    decoder.name: decoder for joint in _JOINT for decoder in (joint, Filtered(joint))
}


def names() -> tuple[str, ...]:
    """Names that :func:`get` knows."""
    return tuple(_BY_NAME)


def get(name: str) -> ClassicalDecoder:
    """Look up a classical decoder with its usual settings by one of :func:`names`.

    Raises
    ------
    CascadeError
        If there is no decoder of that name.
    """
    if name not in _BY_NAME:
        raise unknown("classical decoder", name, names())
    return _BY_NAME[name]


def require(decoder: ClassicalDecoder) -> None:
    """Raise CascadeError if the package that a decoder needs is not installed."""
    decoder.require()
