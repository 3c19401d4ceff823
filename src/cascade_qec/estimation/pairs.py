"""Pairs of detectors: how likely an error flips both, whatever model there is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Pairs:
    """Counts events that come together, of every two detectors.

    Parameters
    ----------
    detectors
        Of a shot.
    """

    def __init__(self, detectors: int) -> None:
        self.detectors, self.shots = detectors, 0
        self._together = np.zeros((detectors, detectors))

    def see(self, packed: NDArray[np.uint8]) -> None:
        """Count some shots: uint8 [shots, ceil(detectors / 8)], bit 0 of byte 0 being detector 0."""
        for piece in np.split(packed, range(1 << 14, len(packed), 1 << 14)):
            events = np.unpackbits(piece, axis=1, count=self.detectors, bitorder="little").astype(np.float32)
            self._together += events.T @ events  # whole numbers below 2^24, which float32 holds exactly
        self.shots += len(packed)

    def rates(self) -> NDArray[np.float64]:
        """The p_ij of Google Quantum AI, "Exponential suppression of bit or phase errors", Nature 595, 383 (2021).

        Where errors flip at most two detectors, p_ij is the probability of the one that flips i and j, and p_ii that of
        the one that flips i alone, exactly (see the paper's supplement). Of larger errors, p_ij is the probability that
        an odd number of those that flip both happen, and p_ii has no such meaning.

        Returns
        -------
        float64 [detectors, detectors]
            Symmetric. NaN where events are too frequent for an estimate. Below 0 by chance.
        """
        mean = np.diag(self._together) / self.shots
        both = self._together / self.shots
        covariance = both - np.outer(mean, mean)
        with np.errstate(invalid="ignore", divide="ignore"):
            even = 1 - 2 * mean[:, None] - 2 * mean + 4 * both
            rates = 1 / 2 - np.sqrt(1 / 4 - covariance / even)
            np.fill_diagonal(rates, 0)
            rates[np.diag_indices(len(mean))] = 1 / 2 - (1 / 2 - mean) / np.prod(1 - 2 * rates, axis=1)
        return rates

    def strangers(self, common: NDArray[np.bool_]) -> list[tuple[int, int, float]]:
        """Pairs whose events come together more often than those of independent detectors do.

        Parameters
        ----------
        common : bool [detectors, detectors]
            Pairs to leave out: those that have an error in common.

        Returns
        -------
        list of (int, int, float)
            The most frequent first, with p_ij. Of detectors that are independent there is any in one of a thousand
            calls.
        """
        from scipy.stats import poisson

        a, b = np.nonzero(np.triu(~common, k=1))
        mean = np.diag(self._together) / self.shots
        chance = poisson.sf(self._together[a, b] - 1, mean[a] * mean[b] * self.shots)
        found, rates = chance < 1e-3 / max(1, len(a)), self.rates()[a, b]
        pairs = zip(a[found].tolist(), b[found].tolist(), rates[found].tolist(), strict=True)
        return sorted(pairs, key=lambda pair: -pair[2])
