"""What the classical decoders share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders import events
from cascade_qec.decoders.bound import Bound
from cascade_qec.decoders.classical.packages import require_package
from cascade_qec.decoders.plausibility import ShotCheck
from cascade_qec.decoders.projection import without_decomposition
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.error_models import check_size, error_model, unlikely
from cascade_qec.errors import CascadeError
from cascade_qec.recognition import read_experiment

Predict = Callable[[NDArray[np.bool_]], NDArray | DecodeResult]
"""Detection events, bool [shots, detectors], to 0 and 1 of any type [shots, observables], or what is known besides."""


class ClassicalDecoder(ABC):
    """A decoder of the field: a frozen dataclass of its settings.

    Attributes
    ----------
    package
        The Python package that does the work.
    decomposed
        Whether it wants errors that are decomposed into pairs of detectors.
    """

    package: str
    decomposed: bool = False

    @property
    @abstractmethod
    def name(self) -> str:
        """As `cascade_qec.decoders.get` knows it."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The settings it runs with, for tables."""
        return asdict(self)  # pyright: ignore[reportArgumentType]

    def check(self, dem: stim.DetectorErrorModel) -> None:  # noqa: B027
        """Do nothing if the decoder can use a model of this kind: any, unless a decoder says otherwise.

        Raises
        ------
        CascadeError
            If it cannot; the message says what it expects.
        """

    @abstractmethod
    def prepare(self, dem: stim.DetectorErrorModel) -> Predict:
        """What predicts for the shots of a model that has the form that the decoder wants, and passed `check`."""

    def require(self) -> Any:
        """Import the package that does the work.

        Returns
        -------
        module

        Raises
        ------
        CascadeError
            If it is not installed; the message tells how to get it.
        """
        return require_package(self.package, self.name)

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel | str | Path, /) -> BoundClassical:
        """Make ready for an experiment's shots, with the error model in the form that the decoder wants.

        Parameters
        ----------
        experiment
            A circuit, whose errors are decomposed into pairs for decoders that match; or a detector error model, whose
            decomposition is kept for these and undone for others. Or the text of either, or the path of a file of it.

        Raises
        ------
        CascadeError
            If it is no experiment, the decoder's package is missing, or it cannot decode such errors.
        """
        self.require()
        experiment = read_experiment(experiment)
        if isinstance(experiment, stim.DetectorErrorModel):
            check_size(experiment)
            dem = experiment
        else:
            try:
                dem = error_model(experiment, decomposed=self.decomposed)
            except CascadeError as error:
                raise CascadeError(f"{self.name} cannot decode this circuit: {error}") from error
        whole, (dem, flips) = dem, unlikely(dem)
        if not self.decomposed:
            dem = without_decomposition(dem)
        self.check(dem)
        bound = BoundClassical(self.name, dem.num_detectors, dem.num_observables, self.prepare(dem))
        bound.flips = flips
        bound.check = ShotCheck(whole, self.name, strength_known=True)
        return bound


class BoundClassical(Bound[DecodeResult]):
    """A classical decoder that is ready for the shots of one detector error model.

    Attributes
    ----------
    predict
        What it does to checked events.
    """

    def __init__(self, name: str, num_detectors: int, num_observables: int, predict: Predict) -> None:
        self.name, self.num_detectors, self.num_observables = name, num_detectors, num_observables
        self.predict = predict

    def _decode(self, detection_events: NDArray, bit_packed: bool) -> DecodeResult:
        if bit_packed:
            detection_events = events.unpacked(detection_events, self.num_detectors)
        found = self.predict(detection_events)
        return found if isinstance(found, DecodeResult) else DecodeResult(np.asarray(found, dtype=np.bool_))
