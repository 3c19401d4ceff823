"""The decoders of the field behind one protocol."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.classical_protocol import ClassicalDecoder, CompiledClassical
from cascade_qec.decoders.projection import basis_detectors, mechanisms, project
from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class PyMatching:
    """Minimum-weight perfect matching; two-pass correlated matching if ``enable_correlations``."""

    enable_correlations: bool = False
    package = "pymatching"
    decomposed = True

    @property
    def name(self) -> str:
        return "pymatching-correlated" if self.enable_correlations else "pymatching"

    @property
    def parameters(self) -> Mapping[str, Any]:
        return asdict(self)

    def compile(self, dem: stim.DetectorErrorModel) -> CompiledClassical:
        _check_graphlike(self.name, dem)
        matching = require(self).Matching.from_detector_error_model(dem, enable_correlations=self.enable_correlations)

        def decode(dets: NDArray[np.bool_]) -> NDArray:
            return matching.decode_batch(dets, enable_correlations=self.enable_correlations)

        return CompiledClassical(self.name, dem.num_detectors, dem.num_observables, decode)


@dataclass(frozen=True)
class BPOSD:
    """Belief propagation with ordered-statistics decoding, as in stimbposd, with its defaults."""

    max_bp_iters: int = 30
    bp_method: str = "product_sum"
    osd_order: int = 60
    osd_method: str = "osd_cs"
    name = "bposd"
    package = "stimbposd"
    decomposed = False

    @property
    def parameters(self) -> Mapping[str, Any]:
        return asdict(self)

    def compile(self, dem: stim.DetectorErrorModel) -> CompiledClassical:
        decoder = require(self).BPOSD(dem, **self.parameters)
        return CompiledClassical(self.name, dem.num_detectors, dem.num_observables, decoder.decode_batch)


@dataclass(frozen=True)
class Tesseract:
    """Search for the most likely error (arXiv 2503.10988).

    The defaults are the short-beam setting of its authors; :data:`TESSERACT_LONG_BEAM` is the long-beam one.
    """

    beam: int = 15
    det_orders: int = 16
    pqlimit: int = 200_000
    # As in Tesseract's own sinter decoders; it shuffles the orders in which detectors are explained.
    seed: int = 2384753
    package = "tesseract_decoder"
    decomposed = False

    @property
    def name(self) -> str:
        return "tesseract-long-beam" if self == TESSERACT_LONG_BEAM else "tesseract"

    @property
    def parameters(self) -> Mapping[str, Any]:
        return asdict(self)

    def compile(self, dem: stim.DetectorErrorModel) -> CompiledClassical:
        tesseract_decoder = require(self)
        order = tesseract_decoder.utils.DetOrder.DetIndex
        config = tesseract_decoder.tesseract.TesseractConfig(
            dem=dem,
            det_beam=self.beam,
            beam_climbing=True,
            no_revisit_dets=True,
            pqlimit=self.pqlimit,
            det_orders=tesseract_decoder.utils.build_det_orders(dem, self.det_orders, order, self.seed),
        )
        decoder = config.compile_decoder()
        return CompiledClassical(self.name, dem.num_detectors, dem.num_observables, decoder.decode_batch)


TESSERACT_LONG_BEAM = Tesseract(beam=20, det_orders=21, pqlimit=1_000_000)


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
    Tesseract(),
    TESSERACT_LONG_BEAM,
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


def require(decoder: ClassicalDecoder) -> Any:
    """Import the package that a decoder needs.

    Returns
    -------
    module

    Raises
    ------
    CascadeError
        If it is not installed; the message tells how to get it.
    """
    try:
        return import_module(decoder.package)
    except ModuleNotFoundError as error:
        raise CascadeError(
            f"{decoder.name} needs the package {decoder.package}, which is not installed; "
            'get it with: pip install "cascade-qec[classical]"'
        ) from error


def _check_graphlike(name: str, dem: stim.DetectorErrorModel) -> None:
    # PyMatching leaves larger mechanisms out without a word.
    for _, parts in mechanisms(dem):
        for part in parts:
            if sum(target.is_relative_detector_id() for target in part) > 2:
                raise CascadeError(
                    f"{name} expects errors that flip at most two detectors or are decomposed into such "
                    f"(decompose_errors=True), got one that flips {' '.join(map(str, part))}"
                )
