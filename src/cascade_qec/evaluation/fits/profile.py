"""Profile-likelihood intervals, for many data sets at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cascade_qec.evaluation.fits.likelihood import Counts, Floats, half_deviance
from cascade_qec.evaluation.fits.maximise import Chart, maximise_from

_FARTHEST = 500.0  # no log rate, exponent or log noise rate differs by more
_WIDENINGS = 14
_BISECTIONS = 40
_EXACT = 1e-3  # of the root of the deviance, which is 1.96 at the ends of a 95 % interval


def profile_interval(
    chart: Chart,
    counts: Counts,
    best: Floats,
    log_likelihood: Floats,
    *,
    more_starts: Floats | None = None,
    lowest: float = -np.inf,
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    """Interval of a chart's first coordinate.

    It holds the values for which the best log likelihood over the other coordinates is within half a quantile
    of chi squared (one degree of freedom) of the best of all.

    Parameters
    ----------
    chart, counts
        The family, and data of some repetitions.
    best : float64 [repetitions, size]
        The maximum, by :func:`cascade_qec.evaluation.fits.maximise.maximise`.
    log_likelihood : float64 [repetitions]
        Of it.
    more_starts : float64 [repetitions, starts, size]
        Further places to climb from for the other coordinates, for families with several local maxima.
    lowest
        Least value that the coordinate can have.
    confidence
        Of the interval.

    Returns
    -------
    low, high : float64 [repetitions]
        An end is infinite, or `lowest`, where the likelihood never falls that far.
    """
    side = _Side(chart, counts, best, log_likelihood, np.sqrt(2 * half_deviance(confidence)))
    return (
        np.maximum(side.end(-1.0, more_starts, lowest), lowest),
        side.end(1.0, more_starts, lowest),
    )


@dataclass(frozen=True)
class _Side:
    """Finds where the root of the profile's deviance passes a level, on either side of the best fit."""

    chart: Chart
    counts: Counts
    best: Floats
    top: Floats
    level: float

    def excess(self, rows: np.ndarray, value: Floats, starts: Floats) -> tuple[Floats, Floats]:
        """Root of the deviance less the level [rows] at values [rows], and the coordinates there [rows, size]."""
        starts = starts.copy()
        starts[..., 0] = value[:, None]
        here = self.counts.with_failures(self.counts.failures[rows])
        phi, likelihood = maximise_from(self.chart, here, starts, held=1)
        return np.sqrt(2 * np.maximum(self.top[rows] - likelihood, 0)) - self.level, phi

    def end(self, sign: float, more_starts: Floats | None, lowest: float) -> Floats:
        best, level = self.best, self.level
        inner, outer_at = best.copy(), best.copy()  # coordinates at both ends of the bracket
        inner_excess = np.full(len(best), -level)
        outer_excess = np.full(len(best), np.nan)
        step = np.clip(_standard_error(self.chart, self.counts, best), 1e-4, 5.0) * level
        rows = np.arange(len(best))
        for _ in range(_WIDENINGS):
            value = np.maximum(inner[rows, 0] + sign * step[rows], lowest)
            starts = [inner[rows, None], best[rows, None]]
            if more_starts is not None:
                starts.append(more_starts[rows])
            outer_excess[rows], outer_at[rows] = self.excess(rows, value, np.concatenate(starts, axis=1))
            far = (np.abs(value - best[rows, 0]) > _FARTHEST) | (value <= lowest)
            rows = rows[(outer_excess[rows] < 0) & ~far]
            if not len(rows):
                break
            inner[rows], inner_excess[rows] = outer_at[rows], outer_excess[rows]
            step[rows] *= 2
        result = np.where(outer_excess < 0, sign * np.inf, outer_at[:, 0])
        rows = np.flatnonzero(outer_excess > _EXACT)
        last = np.zeros(len(best))  # which end moved: where one moves twice, the other's weight is halved (Illinois)
        for turn in range(_BISECTIONS):
            if not len(rows):
                break
            fraction = inner_excess[rows] / (inner_excess[rows] - outer_excess[rows])
            # every few steps a plain bisection, lest a kinked profile be slow
            fraction = np.where(turn % 4 == 3, 0.5, np.clip(fraction, 0.02, 0.98))
            value = inner[rows, 0] + fraction * (outer_at[rows, 0] - inner[rows, 0])
            starts = np.stack([inner[rows], outer_at[rows], best[rows]], axis=1)
            here, phi = self.excess(rows, value, starts)
            result[rows] = value
            below = here < 0
            low_rows, high_rows = rows[below], rows[~below]
            inner[low_rows], inner_excess[low_rows] = phi[below], here[below]
            outer_at[high_rows], outer_excess[high_rows] = phi[~below], here[~below]
            outer_excess[low_rows] *= np.where(last[low_rows] < 0, 0.5, 1.0)
            inner_excess[high_rows] *= np.where(last[high_rows] > 0, 0.5, 1.0)
            last[low_rows], last[high_rows] = -1, 1
            rows = rows[(np.abs(here) > _EXACT) & (np.abs(outer_at[rows, 0] - inner[rows, 0]) > 1e-9)]
        return result


def _standard_error(chart: Chart, counts: Counts, best: Floats) -> Floats:
    """Of the first coordinate, from Fisher's information: only a first step, so a crude one will do."""
    log_rate, slopes = chart.log_rates(best)
    information = counts.scored(log_rate)[2]
    hessian = slopes.swapaxes(1, 2) @ (information[..., None] * slopes)
    hessian += 1e-6 * np.eye(chart.size)
    return np.sqrt(np.maximum(np.linalg.inv(hessian)[:, 0, 0], 0))
