"""Decoders that see only the detectors of the basis that an experiment is read out in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.classical.decoder import ClassicalDecoder, Predict
from cascade_qec.decoders.projection import basis_detectors, project
from cascade_qec.decoders.result import DecodeResult


@dataclass(frozen=True)
class Filtered(ClassicalDecoder):
    """A decoder that sees only the detectors of the basis that the experiment is read out in.

    It takes the whole experiment's model and shots, and does the filtering itself. Restricted to one plane, the errors
    of a code that can be matched are edges without any decomposition.
    """

    decoder: ClassicalDecoder

    @property
    def name(self) -> str:
        return f"{self.decoder.name}-filtered"

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.decoder.parameters

    def require(self) -> Any:
        return self.decoder.require()

    def check(self, dem: stim.DetectorErrorModel) -> None:
        """Refuse models of unknown basis, and those that the decoder refuses when they are restricted to it."""
        self.decoder.check(project(dem, basis_detectors(dem)))

    def prepare(self, dem: stim.DetectorErrorModel) -> Predict:
        kept = basis_detectors(dem)
        predict = self.decoder.prepare(project(dem, kept))

        def predict_filtered(dets: NDArray[np.bool_]) -> NDArray | DecodeResult:
            return predict(dets[:, kept])

        return predict_filtered
