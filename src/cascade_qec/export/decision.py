"""The decision as nodes: what `cascade_qec.engine.decision` and the model's calibration do, in float32."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cascade_qec.codes.gf2 import Bits
from cascade_qec.engine import MOST_EXACT, votes
from cascade_qec.engine.decision import logical_classes
from cascade_qec.errors import CascadeError
from cascade_qec.export.graph import Graph
from cascade_qec.model import Calibration

_NEVER = -1e30
"""The score of a value that is left out: finite, so that differences of scores are numbers."""


class Decided(NamedTuple):
    """The tensors of what is decided.

    Attributes
    ----------
    observables
        0 or 1, float32 [shots, k].
    probabilities
        P(observable flipped), float32 [shots, k].
    log_odds
        ln P(none wrong) / P(any wrong), float32 [shots, 1].
    """

    observables: str
    probabilities: str
    log_odds: str


def decided(g: Graph, evidence: str, logicals: Bits, wanted: Bits, calibration: Calibration | None) -> Decided:
    """The likeliest joint value of the wanted observables, by evidence of operators: float32 [shots, operators].

    Parameters
    ----------
    logicals : uint8 [operators, k]
        The code's observables in each operator.
    wanted : uint8 [wanted, k]
        The code's observables in each one that is to be decided.
    calibration
        What log-odds are worth; as they are, without one.
    """
    k = logicals.shape[1]
    if k > MOST_EXACT:
        raise CascadeError(
            f"expected a code of at most {MOST_EXACT} observables to export, got {k}: the graph compares all 2^k "
            "logical classes"
        )
    with g.at("decision"):
        values, of_class = np.unique(
            logical_classes(k).astype(np.int64) @ wanted.T % 2, axis=0, return_inverse=True
        )  # values are sums of observables, so each is that of equally many classes
        in_order = votes(logicals)[:, np.argsort(of_class.ravel(), kind="stable")]
        scores = g.add("MatMul", evidence, in_order)
        if in_order.shape[1] > len(values):
            highest, above = g.log_sum_exp(g.add("Reshape", scores, np.array([0, len(values), -1])))
            scores = g.add("Reshape", g.add("Add", highest, above), np.array([0, -1]))
        best = g.add("ArgMax", scores, axis=1, keepdims=1)
        winner = g.add("ReduceMax", scores, axes=[1], keepdims=1)
        observables = g.add("Gather", values.astype(np.float32), g.add("Reshape", best, np.array([-1])), axis=0)
        is_best = g.add("Equal", best, np.arange(len(values))[None])
        others = g.add("Where", is_best, _NEVER, scores)
        # A sum that is rounded to 1 leaves nothing to subtract: the winner and the others are weighed apart.
        second = g.add("ReduceMax", others, axes=[1], keepdims=1)
        weights = g.add("Exp", g.add("Sub", others, second))
        total = g.add("ReduceSum", weights, np.array([1]), keepdims=1)
        flipped = g.add("Div", g.add("MatMul", weights, values.astype(np.float32)), total)
        raw = g.add("Sub", winner, g.add("Add", second, g.add("Log", total)))
        suspects = g.xor(flipped, observables)  # P(this one is wrong, given that any is)
        log_odds = raw if calibration is None else _calibrated(g, raw, calibration)
        wrong = g.add("Mul", suspects, g.add("Sigmoid", g.add("Neg", log_odds)))
        return Decided(observables, g.xor(wrong, observables), log_odds)


def together(g: Graph, one: str, other: str) -> str:
    """Log-odds that two independent things both hold, float32 [shots, 1], from those of each."""
    one, other = g.add("Neg", one), g.add("Neg", other)
    # P(any fails) / P(none does) is w + v + w v, of their odds of failing w and v.
    highest, above = g.log_sum_exp(g.add("Concat", one, other, g.add("Add", one, other), axis=1))
    return g.add("Neg", g.add("Add", highest, above))


def _calibrated(g: Graph, raw: str, calibration: Calibration) -> str:
    """A piecewise linear map: a sum over pieces, each of what of `raw` lies in it, by its slope."""
    knots, worth = np.array(calibration.raw), np.array(calibration.log_odds)
    slopes = [calibration.before, *(np.diff(worth) / np.diff(knots)), calibration.beyond]
    ends = [-np.inf, *knots, np.inf]
    result: str = g.constant(float(worth[0]))
    for number, slope in enumerate(slopes):
        low, high = ends[number : number + 2]
        start = knots[0] if number == 0 else low  # what lies before the first knot counts from there down
        within = raw if low == -np.inf else g.add("Max", raw, float(low))
        within = within if high == np.inf else g.add("Min", within, float(high))
        result = g.add("Add", result, g.add("Mul", g.add("Sub", within, float(start)), float(slope)))
    return result
