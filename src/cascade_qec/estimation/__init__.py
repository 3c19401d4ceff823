"""The rates of an error model, from detection events alone."""

from cascade_qec.estimation.fit import estimate
from cascade_qec.estimation.moments import Moments
from cascade_qec.estimation.pairs import Pairs
from cascade_qec.estimation.result import Estimate
from cascade_qec.estimation.sources import Sources

__all__ = ["Estimate", "Moments", "Pairs", "Sources", "estimate"]
