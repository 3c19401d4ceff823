"""Decoders that search for the most likely error."""

from dataclasses import dataclass

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
        return decoder.decode_batch


TESSERACT_LONG_BEAM = Tesseract(beam=20, det_orders=21, pqlimit=1_000_000)
