"""From what the network says of many logical operators to one decision about all observables.

The k observables of a shot have 2^k joint values, the logical classes. Each operator that the network is asked about is
a sum of observables and of checks, whose values the detectors know: for or against every class it has something to say.
Its evidence is the log-odds that its sum of observables is odd.

Evidence is added up as if operators were independent, which they are not: they come from the same events. So the sum is
scaled as if two classes differed in k operators, the number of independent ones. With one observable that is the mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes.gf2 import Bits

MOST_EXACT = 12
"""Observables up to which all logical classes are compared: the work grows as 2^k."""

_SCORES = 1 << 20
"""Scores of classes that are worked out at a time."""

Floats = NDArray[np.float64]


class Decided(NamedTuple):
    """What is decided of some shots.

    Attributes
    ----------
    observables : bool [shots, wanted]
    suspects : float32 [shots, wanted]
        P(this one is wrong, given that any is): with `log_odds` it gives each one's own probability.
    log_odds : float32 [shots]
        ln P(none of them wrong) / P(any wrong); infinite where nothing can be wrong.
    """

    observables: NDArray[np.bool_]
    suspects: NDArray[np.float32]
    log_odds: NDArray[np.float32]


def logical_classes(k: int) -> Bits:
    """The joint values of k observables, uint8 [2^k, k]; the first is that of none flipped."""
    return ((np.arange(2**k)[:, None] >> np.arange(k)) & 1).astype(np.uint8)


def votes(logicals: Bits) -> NDArray[np.float32]:
    """What an operator's evidence adds to the log-odds of each logical class, float32 [operators, 2^k]."""
    classes = logical_classes(logicals.shape[1])
    return (logicals @ classes.T % 2 * scale(*logicals.shape)).astype(np.float32)


def scale(operators: int, k: int) -> float:
    """What the evidence of each of so many operators counts for."""
    differing = operators * 2 ** (k - 1) / (2**k - 1)  # between two classes, in the mean over all pairs
    return k / differing


def together(log_odds: NDArray[np.floating], axis: int) -> Floats:
    """Log-odds that several independent things all hold, from those of each along an axis, float64."""
    any_fails = np.logaddexp(0, -log_odds.astype(np.float64)).sum(axis=axis)  # -ln P(all hold)
    with np.errstate(over="ignore"):
        return -np.log(np.maximum(np.expm1(any_fails), np.finfo(np.float64).tiny))


class Decision:
    """The likeliest joint value of the observables.

    With up to `MOST_EXACT` observables of the code, posterior and decision are exact, over all logical classes. With
    more, the decision is the best class that changes of one or two observables at a time find, from what each
    observable's own operators say and from no flip; each observable is then judged given the others as decided, and
    they are put together as if they were independent.

    Parameters
    ----------
    logicals : uint8 [operators, k]
        The code's observables in each operator.
    wanted : uint8 [wanted, k], optional
        Sums of the code's observables to decide about; by default the observables themselves.
    """

    def __init__(self, logicals: Bits, wanted: Bits | None = None) -> None:
        k = logicals.shape[1]
        self.exact = k <= MOST_EXACT
        self._k, self._scale = k, scale(*logicals.shape)
        self._wanted = np.eye(k, dtype=np.uint8) if wanted is None else wanted
        if self.exact:
            self._votes = votes(logicals)
            # Observables may be fewer than k, so that several classes give one value.
            self._values, of_class = np.unique(
                logical_classes(k).astype(np.int64) @ self._wanted.T % 2, axis=0, return_inverse=True
            )
            self._by_value = np.argsort(of_class.ravel(), kind="stable")
            self._starts = np.searchsorted(of_class.ravel()[self._by_value], np.arange(len(self._values)))
            return
        one = np.eye(k, dtype=np.uint8)
        two = np.array([one[i] + one[j] for i in range(k) for j in range(i)], dtype=np.uint8).reshape(-1, k)
        self._steps = np.vstack([one, two])
        self._odd = (logicals @ self._steps.T % 2).astype(np.float64)  # of each operator, after each step
        self._alone = (logicals * (logicals.sum(axis=1) == 1)[:, None]).astype(np.float64)

    def wrong(self, against: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether another class than the true one is decided for: bool [shots].

        Parameters
        ----------
        against : float32 [shots, operators]
            Log-odds of the operators' having another value than the true one.
        """
        if self.exact:
            return np.logical_or.reduce(against @ self._votes > 0, axis=1)
        return np.logical_or.reduce(self._ascent(against.astype(np.float64))[0], axis=1)

    def __call__(self, evidence: NDArray[np.float32]) -> Decided:
        """Decide, from the log-odds that an operator's sum of observables is odd: float32 [shots, operators]."""
        if not self.exact:
            return self._decided_by_ascent(evidence.astype(np.float64))
        step = max(1, _SCORES >> self._k)
        parts = [self._decided(evidence[start : start + step]) for start in range(0, len(evidence), step)]
        return Decided(*map(np.concatenate, zip(*parts, strict=True))) if parts else self._decided(evidence)

    def _decided(self, evidence: NDArray[np.float32]) -> Decided:
        scores = (evidence @ self._votes).astype(np.float64)[:, self._by_value]
        highest = np.maximum.reduceat(scores, self._starts, axis=1)  # of the classes of each value
        weights = np.exp(scores - np.repeat(highest, np.diff(self._starts, append=scores.shape[1]), axis=1))
        of_value = np.log(np.add.reduceat(weights, self._starts, axis=1)) + highest
        each, best = np.arange(len(of_value)), of_value.argmax(axis=1)
        winner = of_value[each, best]
        # A sum that is rounded to 1 leaves nothing to subtract: the winner and the others are weighed apart.
        of_value[each, best] = -np.inf
        second = of_value.max(axis=1, keepdims=True)
        others = np.exp(of_value - np.where(np.isfinite(second), second, 0))
        total = others.sum(axis=1)
        observables = self._values[best] > 0
        flipped = others @ self._values / np.maximum(total, 1e-300)[:, None]  # where there are no others, none is wrong
        with np.errstate(divide="ignore"):
            log_odds = winner - (np.log(total) + np.where(np.isfinite(second), second, 0)[:, 0])
        suspects = np.where(observables & (total > 0)[:, None], 1 - flipped, flipped).clip(0, 1)
        return Decided(observables, suspects.astype(np.float32), log_odds.astype(np.float32))

    def _decided_by_ascent(self, evidence: Floats) -> Decided:
        flipped, gain = self._ascent(evidence)
        log_odds = together(-gain, axis=1)
        # A sum is wrong if an odd number of independent flips is: (1 - prod(1 - 2 p)) / 2.
        wrong = np.exp(-np.logaddexp(0, -gain)).clip(max=0.5)
        with np.errstate(divide="ignore"):
            even = np.where(self._wanted[None] > 0, np.log1p(-2 * wrong)[:, None], 0.0)
        any_wrong = np.exp(-np.logaddexp(0, log_odds))
        suspects = (-np.expm1(even.sum(axis=2)) / 2 / any_wrong[:, None]).clip(0, 1)
        observables = flipped.astype(np.int64) @ self._wanted.T % 2 > 0
        return Decided(observables, suspects.astype(np.float32), log_odds.astype(np.float32))

    def _ascent(self, evidence: Floats) -> tuple[NDArray[np.bool_], Floats]:
        """A class that no step betters, bool [shots, k], and what a change of each observable would gain."""
        said = evidence @ self._alone > 0
        flipped, gain, score = self._climbed(evidence, said)
        others, other_gain, other_score = self._climbed(evidence, np.zeros_like(said))
        better = (other_score > score)[:, None]
        return np.where(better, others, flipped), np.where(better, other_gain, gain)

    def _climbed(self, evidence: Floats, flipped: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Floats, Floats]:
        while True:
            odd = flipped.astype(np.float64) @ self._odd[:, : self._k].T % 2  # [shots, operators]
            change = self._scale * evidence * (1 - 2 * odd)
            gain = change @ self._odd
            at = gain.argmax(axis=1)
            # beyond rounding, so that it ends
            climbs = gain.max(axis=1) > 1e-5 * (1 + np.abs(change).sum(axis=1))
            if not climbs.any():
                return flipped, gain[:, : self._k], (self._scale * evidence * odd).sum(axis=1)
            flipped = flipped ^ ((self._steps[at] > 0) & climbs[:, None])
