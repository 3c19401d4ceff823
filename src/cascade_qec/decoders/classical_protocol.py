"""What every classical decoder offers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class CompiledClassical:
    """A classical decoder that is ready for the shots of one detector error model.

    Attributes
    ----------
    name
        Name of the decoder.
    num_detectors, num_observables
        As in the detector error model.
    """

    name: str
    num_detectors: int
    num_observables: int
    decode: Callable[[NDArray[np.bool_]], NDArray]

    def predict(self, dets: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Predict which observables were flipped.

        Parameters
        ----------
        dets : bool [shots, num_detectors]
            Detection events, not bit-packed.

        Returns
        -------
        bool [shots, num_observables]

        Raises
        ------
        CascadeError
            If ``dets`` has another type or shape.
        """
        if dets.dtype != np.bool_ or dets.ndim != 2 or dets.shape[1] != self.num_detectors:
            raise CascadeError(
                f"{self.name} was compiled for detection events bool [shots, {self.num_detectors}], "
                f"got {dets.dtype} {list(dets.shape)}"
            )
        return np.asarray(self.decode(dets), dtype=np.bool_)


class ClassicalDecoder(Protocol):
    """What every classical decoder offers.

    Attributes
    ----------
    name
        As :func:`cascade_qec.decoders.classical.get` knows it.
    package
        The Python package that does the work.
    decomposed
        Whether it wants its model from ``circuit.detector_error_model(decompose_errors=True)``.
    parameters
        The settings it runs with, for tables.
    """

    @property
    def name(self) -> str: ...
    @property
    def package(self) -> str: ...
    @property
    def decomposed(self) -> bool: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...

    def check(self, dem: stim.DetectorErrorModel) -> None:
        """Do nothing if the decoder can use a model of this kind.

        Raises
        ------
        CascadeError
            If it cannot; the message says what it expects.
        """
        ...

    def compile(self, dem: stim.DetectorErrorModel) -> CompiledClassical:
        """Prepare for the shots of `dem`.

        Raises
        ------
        CascadeError
            If the package is missing or cannot use the model.
        """
        ...
