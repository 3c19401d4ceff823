"""Decoders that match: PyMatching for codes whose errors flip pairs of detectors, Chromobius for colour codes."""

from dataclasses import dataclass

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.classical.decoder import ClassicalDecoder, Predict
from cascade_qec.decoders.projection import is_coloured, mechanisms
from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class PyMatching(ClassicalDecoder):
    """Minimum-weight perfect matching; two-pass correlated matching if ``enable_correlations``."""

    enable_correlations: bool = False
    package = "pymatching"
    decomposed = True

    @property
    def name(self) -> str:
        return "pymatching-correlated" if self.enable_correlations else "pymatching"

    def check(self, dem: stim.DetectorErrorModel) -> None:
        """Refuse models with mechanisms of more than two detectors, which PyMatching leaves out without a word."""
        for _, parts in mechanisms(dem):
            for part in parts:
                if sum(target.is_relative_detector_id() for target in part) > 2:
                    raise CascadeError(
                        f"{self.name} expects errors that flip at most two detectors or are decomposed into such "
                        f"(decompose_errors=True), got one that flips {' '.join(map(str, part))}"
                    )

    def prepare(self, dem: stim.DetectorErrorModel) -> Predict:
        matching = self.require().Matching.from_detector_error_model(dem, enable_correlations=self.enable_correlations)

        def decode(dets: NDArray[np.bool_]) -> NDArray:
            return matching.decode_batch(dets, enable_correlations=self.enable_correlations)

        return decode


@dataclass(frozen=True)
class Chromobius(ClassicalDecoder):
    """The Möbius decoder of colour codes (arXiv 2312.08813), by matching; for those only."""

    package = "chromobius"

    @property
    def name(self) -> str:
        return "chromobius"

    def check(self, dem: stim.DetectorErrorModel) -> None:
        """Refuse models that are not those of a colour code: its colours are looked for, and nothing else checked."""
        if not is_coloured(dem):
            places = dem.get_detector_coordinates().values()
            found = sorted({f"{place[3]:g}" if len(place) >= 4 else "none" for place in places})
            raise CascadeError(
                f"{self.name} decodes colour codes only: expected detectors of three colours (fourth coordinate "
                f"0, 1, 2 for X checks, 3, 4, 5 for Z checks), got {', '.join(found) or 'no detectors'}"
            )

    def prepare(self, dem: stim.DetectorErrorModel) -> Predict:
        decoder = self.require().compile_decoder_for_dem(dem)
        observables = dem.num_observables

        def decode(dets: NDArray[np.bool_]) -> NDArray:
            # Shots may be a transposed array, and Chromobius wants rows.
            packed = np.ascontiguousarray(np.packbits(dets, axis=1, bitorder="little"))
            packed = decoder.predict_obs_flips_from_dets_bit_packed(packed)
            return np.unpackbits(packed, axis=1, count=observables, bitorder="little")

        return decode
