"""What was learnt of an error model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import stim
from numpy.typing import NDArray
from pydantic import BaseModel

from cascade_qec.estimation.sources import Sources
from cascade_qec.statistics import Z95, Interval

_IMPLAUSIBLE = 1e-6
"""Rarer fits are none: chi squared counts covariances that are those of the fit, not of the truth."""


class RateRow(BaseModel):
    """How strong a source is.

    Attributes
    ----------
    source
        A noise channel and its targets, or what an error flips.
    factor
        By how much it is stronger than in the model, with its 95 % interval.
    """

    source: str
    factor: Interval


@dataclass(frozen=True, eq=False)
class Estimate:
    """Rates of an error model's sources, learnt from shots. Made by `estimate`.

    Attributes
    ----------
    sources : Sources
        Of the model that was given.
    shots : int
    factor : float64 [sources]
        By how much each source is stronger than there.
    spread : float64 [sources]
        Standard deviation of the factor's logarithm.
    chi_squared, freedom : float
        Distance of the sets' means from the fit, and how much of it chance alone leaves on average.
    strangers : list of (int, int, float)
        Pairs of detectors without a common error in the model whose events come together nevertheless, the strongest
        first, and how likely an error flips both.
    """

    sources: Sources
    shots: int
    factor: NDArray[np.float64]
    spread: NDArray[np.float64]
    chi_squared: float
    freedom: float
    strangers: list[tuple[int, int, float]]

    @property
    def model(self) -> stim.Circuit | stim.DetectorErrorModel:
        """The model that was given, with the learnt rates: the same errors, and the same decompositions."""
        return self.sources.scaled(self.factor)

    @property
    def objection(self) -> str | None:
        """What speaks against the model's errors, if anything does: by chance in one of a thousand estimates."""
        if self.strangers:
            a, b, p = self.strangers[0]
            return (
                f"events of {len(self.strangers)} pairs of detectors come together that have no error in common, most "
                f"often of D{a} and D{b} (probability {p:.2g})"
            )
        if self.plausibility < _IMPLAUSIBLE:
            return f"chi squared is {self.chi_squared:.0f} where chance makes {self.freedom:.0f}"
        return None

    @property
    def interval(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Both ends of the factors' 95 % intervals: float64 [sources]."""
        wide = np.exp(Z95 * self.spread)
        return self.factor / wide, self.factor * wide

    @property
    def plausibility(self) -> float:
        """Probability of a fit as bad as this, or worse, if the shots are those of a model with the same errors.

        It is too high, never too low, where rates are closer to the given ones than was expected.
        """
        from scipy.stats import chi2

        return float(chi2.sf(self.chi_squared, self.freedom))

    def rows(self) -> list[RateRow]:
        """What was learnt, source by source."""
        low, high = self.interval
        figures = zip(self.sources.names, self.factor.tolist(), low.tolist(), high.tolist(), strict=True)
        return [RateRow(source=name, factor=Interval(*figure)) for name, *figure in figures]
