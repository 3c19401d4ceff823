"""How strong the noise of an error model is, measured by our own noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_qec.error_models import Mechanisms
from cascade_qec.lattice import Lattice
from cascade_qec.recognition.placement import REFERENCE_NOISE, reference

_STRONGEST = 0.1


def event_rate(mechanisms: Mechanisms, probability: NDArray[np.float64], detectors: NDArray[np.int64]) -> float:
    """Mean probability of an event over some detectors, were the mechanisms' probabilities these."""
    # P(odd) of independent flips: (1 - prod(1 - 2 p)) / 2.
    logs = np.log1p(-2 * np.minimum(probability, 0.499999))
    per_detector = np.bincount(mechanisms.detector, logs[mechanisms.owner], minlength=mechanisms.detectors)
    return float((1 - np.exp(per_detector[detectors])).mean() / 2) if len(detectors) else 0.0


def noise_strength(mechanisms: Mechanisms, sites: NDArray[np.int64], lattice: Lattice) -> float:
    """The p at which our own experiment under uniform depolarizing noise has as many detection events.

    Parameters
    ----------
    mechanisms
        The error model with its own probabilities.
    sites : int64 [detectors]
        Where its detectors sit on `lattice`, -1 for those to be ignored.
    """
    ours = reference(lattice.code, lattice.rounds, lattice.basis)
    same = np.flatnonzero(np.isin(lattice.detector_sites, sites))
    wanted = event_rate(mechanisms, mechanisms.probability, np.flatnonzero(sites >= 0))
    low, high = 0.0, _STRONGEST
    for _ in range(40):
        middle = (low + high) / 2
        # Probabilities of mechanisms grow as p, but for terms that do not matter to a strength.
        if event_rate(ours, ours.probability * (middle / REFERENCE_NOISE), same) < wanted:
            low = middle
        else:
            high = middle
    return high if wanted else 0.0
