"""Decoders that search for the most likely error."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import stim

from cascade_qec.decoders.classical.decoder import ClassicalDecoder, Predict


@dataclass(frozen=True)
class Tesseract(ClassicalDecoder):
    """Search for the most likely error (arXiv 2503.10988).

    The defaults are the short-beam setting of its authors; :data:`TESSERACT_LONG_BEAM` is the long-beam one.
    """

    beam: int = 15
    det_orders: int = 16
    pqlimit: int = 200_000
    # As in Tesseract's own sinter decoders; it shuffles the orders in which detectors are explained.
    seed: int = 2384753
    package = "tesseract_decoder"

    @property
    def name(self) -> str:
        return "tesseract-long-beam" if self == TESSERACT_LONG_BEAM else "tesseract"

    def prepare(self, dem: stim.DetectorErrorModel) -> Predict:
        tesseract_decoder = self.require()
        dem = _declared(dem)
        order = tesseract_decoder.utils.DetOrder.DetIndex
        config = tesseract_decoder.tesseract.TesseractConfig(
            dem=dem,
            det_beam=self.beam,
            beam_climbing=True,
            no_revisit_dets=True,
            pqlimit=self.pqlimit,
            det_orders=tesseract_decoder.utils.build_det_orders(dem, self.det_orders, order, self.seed),
            **self._sparsification(),
        )
        decoder = config.compile_decoder()
        return decoder.decode_batch

    def _sparsification(self) -> Mapping[str, Any]:
        return {}


def _declared(dem: stim.DetectorErrorModel) -> stim.DetectorErrorModel:
    """The same, flat, with its last detector and observable declared: Tesseract forgets errors that cannot happen."""
    declared = dem.flattened()
    if dem.num_detectors:
        declared.append("detector", [], [stim.target_relative_detector_id(dem.num_detectors - 1)])
    if dem.num_observables:
        declared.append("logical_observable", [], [stim.target_logical_observable_id(dem.num_observables - 1)])
    return declared


TESSERACT_LONG_BEAM = Tesseract(beam=20, det_orders=21, pqlimit=1_000_000)


@dataclass(frozen=True)
class SparseTesseract(Tesseract):
    """Search among the errors that flip few detectors, and of the others those that a shot suggests.

    The defaults are for bicycle and colour codes, with the short beam. `TESSERACT_SPARSE_LONG_BEAM` has the long one,
    and so has `TESSERACT_SPARSE_SURFACE`, for surface codes.

    Parameters
    ----------
    sparsify_base_degree
        An error that flips at most so many detectors always counts. Its authors advise as many as an X or Z error of a
        data qubit flips: 3 for bicycle and colour codes, 2 for surface codes.
    sparsify_reactivate_limit
        Of the others so many count in a shot, those that share the most detectors with its events. -1 for
        4.5^(base degree - 2) / 3 times the detectors, which its authors' fit gave.
    """

    sparsify_base_degree: int = 3
    sparsify_reactivate_limit: int = -1

    @property
    def name(self) -> str:
        special = {TESSERACT_SPARSE_LONG_BEAM: "-long-beam", TESSERACT_SPARSE_SURFACE: "-surface"}
        return "tesseract-sparse" + special.get(self, "")

    def _sparsification(self) -> Mapping[str, Any]:
        return {
            "sparsify_errors": True,
            "sparsify_base_degree": self.sparsify_base_degree,
            "sparsify_reactivate_limit": self.sparsify_reactivate_limit,
        }


TESSERACT_SPARSE_LONG_BEAM = SparseTesseract(beam=20, det_orders=21, pqlimit=1_000_000)
TESSERACT_SPARSE_SURFACE = replace(TESSERACT_SPARSE_LONG_BEAM, sparsify_base_degree=2)
