"""The components of an error model, and what their posteriors decide."""

from __future__ import annotations

import numpy as np

from cascade_qec.components.belief_propagation import BeliefPropagation
from cascade_qec.components.components import UNKNOWN, Components, ComponentType
from cascade_qec.components.matching import PosteriorMatching
from cascade_qec.components.ordered_statistics import OrderedStatistics
from cascade_qec.components.priors import Priors, UsualNoise

__all__ = [
    "UNKNOWN",
    "BeliefPropagation",
    "ComponentType",
    "Components",
    "OrderedStatistics",
    "PosteriorMatching",
    "Priors",
    "UsualNoise",
    "decides",
]


def decides(components: Components) -> PosteriorMatching | OrderedStatistics:
    """What decides by posteriors: matching where no component flips more than two detectors."""
    matched = np.diff(components.start).max(initial=0) <= 2
    return (PosteriorMatching if matched else OrderedStatistics)(components)
