"""The decoders of the field behind one protocol, by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.classical_bp import BPLSD, BPOSD, BPOSD_CS10, RELAY_BP_SURFACE, RelayBP
from cascade_qec.decoders.classical_matching import Chromobius, PyMatching
from cascade_qec.decoders.classical_packages import require
from cascade_qec.decoders.classical_protocol import ClassicalDecoder, CompiledClassical
from cascade_qec.decoders.classical_search import TESSERACT_LONG_BEAM, Tesseract
from cascade_qec.decoders.projection import basis_detectors, project
from cascade_qec.errors import CascadeError

__all__ = [
    "BPLSD",
    "BPOSD",
    "BPOSD_CS10",
    "RELAY_BP_SURFACE",
    "TESSERACT_LONG_BEAM",
    "Chromobius",
    "ClassicalDecoder",
    "CompiledClassical",
    "Filtered",
    "PyMatching",
    "RelayBP",
    "Tesseract",
    "get",
    "names",
    "require",
]


@dataclass(frozen=True)
class Filtered:
    """A decoder that sees only the detectors of the basis that the experiment is read out in.

    It takes the whole experiment's model and shots, and does the filtering itself.
    """

    decoder: ClassicalDecoder
    # Restricted to one plane, the errors of a code that can be matched are edges without any decomposition.
    decomposed = False

    @property
    def name(self) -> str:
        return f"{self.decoder.name}-filtered"

    @property
    def package(self) -> str:
        return self.decoder.package

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.decoder.parameters

    def check(self, dem: stim.DetectorErrorModel) -> None:
        """Refuse models of unknown basis, and those that the decoder refuses when they are restricted to it."""
        self.decoder.check(project(dem, basis_detectors(dem)))

    def compile(self, dem: stim.DetectorErrorModel) -> CompiledClassical:
        kept = basis_detectors(dem)
        inner = self.decoder.compile(project(dem, kept))

        def decode(dets: NDArray[np.bool_]) -> NDArray:
            return inner.predict(dets[:, kept])

        return CompiledClassical(self.name, dem.num_detectors, dem.num_observables, decode)


_JOINT: tuple[ClassicalDecoder, ...] = (
    PyMatching(),
    PyMatching(enable_correlations=True),
    BPOSD(),
    BPOSD_CS10,
    BPLSD(),
    RelayBP(),
    RELAY_BP_SURFACE,
    Tesseract(),
    TESSERACT_LONG_BEAM,
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
        raise CascadeError(f"unknown classical decoder {name!r}; expected one of {', '.join(names())}")
    return _BY_NAME[name]
