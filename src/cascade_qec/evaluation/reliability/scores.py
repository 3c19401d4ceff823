"""Whether predicted probabilities come true: reliability, expected calibration error, Brier score, log loss."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError
from cascade_qec.statistics import Z95, Interval, Moments

_CELLS_PER_UNIT = 16
_OUTERMOST = 18
"""Log-odds beyond which all probabilities share a cell; a float32 below 1 has log-odds of at most 16.6."""

_EDGES = np.linspace(-_OUTERMOST, _OUTERMOST, 2 * _OUTERMOST * _CELLS_PER_UNIT + 1)
_CELLS = len(_EDGES) + 1

LOG_LOSS_FLOOR = 2.0**-25
"""Probabilities enter the log loss no closer to 0 and 1 than half a step of a float32 below 1."""


@dataclass(frozen=True)
class Bins:
    """Predictions in bins of probability, ascending; bins without any are left out.

    Attributes
    ----------
    low, high : float64 [bins]
        Probabilities between which the bin's predictions lie.
    number : int64 [bins]
        Predictions.
    predicted, happened : float64 [bins]
        Mean predicted probability, and the fraction that came true.
    error : float64 [bins]
        Standard error of ``happened - predicted``, never zero (see `CalibrationCounts`).
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    number: NDArray[np.int64]
    predicted: NDArray[np.float64]
    happened: NDArray[np.float64]
    error: NDArray[np.float64]


@dataclass(frozen=True)
class BrierParts:
    """What a Brier score is made of: ``score = reliability - resolution + uncertainty + within_bins``.

    The first three are Murphy's (J. Appl. Meteor. 12, 595, 1973) for predictions replaced by their bins' means;
    `within_bins` is what that replacement changes, small if the bins are narrow.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within_bins: float


@dataclass(frozen=True)
class CalibrationCounts:
    """Counts of predicted probabilities and of what happened; counts of several runs can be added.

    Made by `count`. Predictions are kept in narrow cells of log-odds, 1/16 wide, of which all bins are made up.

    A shot with several outcomes (observables) says less than as many shots with one each, because observables go
    wrong together. Shots are independent, so the variance of a bin's sum of residuals r = happened - predicted
    is at most the sum over shots of (sum of |r| in the bin)^2, and that at most ``spread`` below. To it half a
    shot's outcomes are added, as Jeffreys' prior does to counts: a bin in which nothing happened is not certain.

    Attributes
    ----------
    outcomes
        Outcomes per shot: the number of observables, or 1 for whole shots.
    number, happened : int64 [cells]
        Predictions in the cell, and those of them that came true.
    predicted : float64 [cells]
        Sum of the predicted probabilities.
    spread : float64 [cells]
        Sum over the cell's predictions of |r| times the sum of |r| over all outcomes of its shot.
    brier, log_loss : Moments
        Of a shot's mean over its outcomes of r^2, and of minus the logarithm of the probability of what happened.
    """

    outcomes: int
    number: NDArray[np.int64]
    happened: NDArray[np.int64]
    predicted: NDArray[np.float64]
    spread: NDArray[np.float64]
    brier: Moments
    log_loss: Moments

    def __add__(self, other: CalibrationCounts) -> CalibrationCounts:
        if self.outcomes != other.outcomes:
            raise CascadeError(
                f"expected counts with {self.outcomes} outcomes per shot to be added, got {other.outcomes}"
            )
        sums = [[getattr(counts, part.name) for part in fields(self)[1:]] for counts in (self, other)]
        return CalibrationCounts(self.outcomes, *(own + others for own, others in zip(*sums, strict=True)))


def count(probabilities: NDArray[np.floating], happened: NDArray[np.bool_]) -> CalibrationCounts:
    """Count predictions and what came of them.

    Parameters
    ----------
    probabilities : float [shots, outcomes]
        Predicted probabilities.
    happened : bool [shots, outcomes]
        Whether the predicted came true.

    Raises
    ------
    CascadeError
        If the shapes differ or are not of that form, there are no shots, or a probability is outside [0, 1].
    """
    if probabilities.ndim != 2 or probabilities.shape != happened.shape or not happened.size:
        raise CascadeError(
            "expected probabilities and outcomes of one shape [shots, outcomes] with at least one of each, "
            f"got {list(probabilities.shape)} and {list(happened.shape)}"
        )
    p = probabilities.astype(np.float64)
    if not ((p >= 0) & (p <= 1)).all():  # so that NaN is refused as well
        raise CascadeError(f"expected probabilities within [0, 1], got {p.min()} to {p.max()}")
    residuals = np.abs(happened - p)
    spread = residuals * residuals.sum(axis=1, keepdims=True)
    kept = np.clip(p, LOG_LOSS_FLOOR, 1 - LOG_LOSS_FLOOR)
    with np.errstate(divide="ignore"):  # certain predictions have infinite log-odds, and the outermost cells
        cells = np.searchsorted(_EDGES, np.log(p) - np.log1p(-p), side="right").ravel()

    def in_cells(weights: NDArray) -> NDArray[np.float64]:
        return np.bincount(cells, weights=weights.ravel(), minlength=_CELLS).astype(np.float64)

    return CalibrationCounts(
        outcomes=p.shape[1],
        number=np.bincount(cells, minlength=_CELLS),
        happened=in_cells(happened).astype(np.int64),
        predicted=in_cells(p),
        spread=in_cells(spread),
        brier=Moments.of((residuals**2).mean(axis=1)),
        log_loss=Moments.of(-np.log(np.where(happened, kept, 1 - kept)).mean(axis=1)),
    )


def equal_mass_bins(counts: CalibrationCounts, bins: int = 15) -> Bins:
    """At most `bins` bins with about as many predictions in each.

    Cells are not split: where one of them holds more than its share, as that of the shots without any detection
    event does, there are fewer bins.

    Raises
    ------
    CascadeError
        If ``bins`` is below 1.
    """
    if bins < 1:
        raise CascadeError(f"expected at least 1 bin, got {bins}")
    middle = np.cumsum(counts.number) - counts.number / 2
    return _merged(counts, np.minimum((middle * bins / counts.number.sum()).astype(np.int64), bins - 1))


def log_odds_bins(counts: CalibrationCounts) -> Bins:
    """Bins of width 1 in log-odds, ln(p / (1 - p)): they show rare events that equal masses pool."""
    return _merged(counts, (np.arange(_CELLS) - 1) // _CELLS_PER_UNIT)


def expected_calibration_error(bins: Bins) -> Interval:
    """Expected calibration error: the mean of |happened - predicted| over predictions, by bins.

    What is estimated is the sum over bins of ``w |E[happened] - predicted|``, w being the bin's share. The
    plug-in value overestimates it: chance alone makes differences, of ``error_if_calibrated`` on average where
    there are none. The interval allows for that: by the triangle inequality the expectation of the plug-in
    value lies between the true value and that plus ``error_if_calibrated``, and its variance is at most the sum
    of the bins' ``(w error)^2``. It thus covers the truth in at least 95 % of cases, as far as bins hold
    enough predictions for normal distributions, and starts at 0 for a calibrated predictor in 97.5 % of them.
    """
    weights = bins.number / bins.number.sum()
    value = float((weights * np.abs(bins.happened - bins.predicted)).sum())
    half = Z95 * math.sqrt(((weights * bins.error) ** 2).sum())
    return Interval(value, max(0.0, value - error_if_calibrated(bins) - half), min(1.0, value + half))


def error_if_calibrated(bins: Bins) -> float:
    """What chance alone makes of the plug-in calibration error at most: the mean of |normal| with the bins' errors."""
    return float((bins.number / bins.number.sum() * bins.error).sum()) * math.sqrt(2 / math.pi)


def brier_parts(counts: CalibrationCounts, bins: Bins) -> BrierParts:
    """Decompose the Brier score of `counts` over bins made from them."""
    weights = bins.number / bins.number.sum()
    rate = float((weights * bins.happened).sum())
    reliability = float((weights * (bins.happened - bins.predicted) ** 2).sum())
    resolution = float((weights * (bins.happened - rate) ** 2).sum())
    uncertainty = rate * (1 - rate)
    score = counts.brier.mean().value
    return BrierParts(reliability, resolution, uncertainty, score - reliability + resolution - uncertainty)


def _merged(counts: CalibrationCounts, bin_of_cell: NDArray[np.int64]) -> Bins:
    """Bins made of neighbouring cells: ascending labels, one for each cell."""
    starts = np.flatnonzero(np.diff(bin_of_cell, prepend=bin_of_cell[0] - 1))
    number = np.add.reduceat(counts.number, starts)
    used = number > 0

    def summed(values: NDArray) -> NDArray:
        return np.add.reduceat(values, starts)[used]

    ends_of_cells = 1 / (1 + np.exp(-np.concatenate(([-np.inf], _EDGES, [np.inf]))))
    ends = np.append(starts[1:], _CELLS)
    return Bins(
        low=ends_of_cells[starts][used],
        high=ends_of_cells[ends][used],
        number=number[used],
        predicted=summed(counts.predicted) / number[used],
        happened=summed(counts.happened) / number[used],
        error=np.sqrt(summed(counts.spread) + counts.outcomes / 2) / number[used],
    )
