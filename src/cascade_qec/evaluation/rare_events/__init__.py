"""Failure rates far below what can be sampled directly, from shots with a given number of faults.

Whose failures they are is the affair of `subjects`, which loads decoders.
"""

from cascade_qec.evaluation.rare_events.collection import Collector
from cascade_qec.evaluation.rare_events.estimate import METHOD, RareRate, StratumRate, rare_rates, spectrum
from cascade_qec.evaluation.rare_events.fault_model import FaultModel
from cascade_qec.evaluation.rare_events.fault_sets import FaultSets, all_sets
from cascade_qec.evaluation.rare_events.faults import Faults
from cascade_qec.evaluation.rare_events.interval import gamma_interval
from cascade_qec.evaluation.rare_events.results import rare_rows, replace_rows, spectrum_rows
from cascade_qec.evaluation.rare_events.tallies import Run, Tallies, Tally, read_tallies, write_tallies

__all__ = [
    "METHOD",
    "Collector",
    "FaultModel",
    "FaultSets",
    "Faults",
    "RareRate",
    "Run",
    "StratumRate",
    "Tallies",
    "Tally",
    "all_sets",
    "gamma_interval",
    "rare_rates",
    "rare_rows",
    "read_tallies",
    "replace_rows",
    "spectrum",
    "spectrum_rows",
    "write_tallies",
]
