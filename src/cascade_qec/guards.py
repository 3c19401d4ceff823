"""Guards: what a decoder must not do, whatever its block error, judged the same way in training and on cards.

heads
    Of every logical operator the network knows more than how often it flips.
floor
    Block error falls at least as the noise to the power of `FALL`. A decoder that corrects every single fault comes to
    the square of the noise, or more; one that fails after some single faults, to proportion; a true floor stays.
bases
    Neither basis fails more than twice as often as the other.
rounds
    No experiment fails more than twice as often as one of more rounds. A network that learns several numbers of rounds
    may tell them apart and know nothing of those between.
silence
    No detection event, no flip.
confidence
    Of the shots that claim to be right with more than `SURE`, no more fail than they claim. They are none of those that
    the calibration was fitted to.

Failures are compared beyond what chance makes of them: of networks that keep such a guard, at most a share of
`FALSE_ALARM` is said to break it. Block errors saturate where outcomes are a coin's; comparisons take that out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import combinations, permutations
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from cascade_qec.statistics import Counts

FALSE_ALARM = 1e-3
"""Probability, at most, with which a guard that compares failures is said to be broken where it is not."""

ALIVE = 0.9
"""A head has learnt something if its loss is below this share of a guess's; those of decoders are below 0.5."""

FALL = 1.5
"""Least power of the noise by which block error falls: halfway between some single faults that fail and none."""

UNEQUAL = 2.0
"""A basis may have so many times the failures of the other, and an experiment those of a longer one."""

SURE = 0.999
"""Confidence from which on claims are tried."""


class Verdict(NamedTuple):
    """Whether a guard holds, and the figures that say so."""

    guard: str
    holds: bool
    figures: str


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Head(_Part):
    """The logical operator of a basis of which the network knows least."""

    operator: str
    """Such as Z3, the fourth that the network is asked about in basis Z."""
    loss: float
    """Mean binary cross-entropy, nats."""
    guess: float
    """Loss of a constant guess at the rate at which the operator flips: ln 2 where that is a half, less elsewhere."""


class Floor(_Part):
    """The two noise rates between which the block error falls least convincingly."""

    p: float
    above: float
    """The higher of the two."""
    block_error: float
    """At `p`."""
    allowed: float
    """The block error at the higher rate, less by the power `FALL` of the noise."""
    probability: float = Field(ge=0, le=1)
    """Of as many failures or more, if the allowed is the true block error; at most, over all pairs of rates."""


class Bases(_Part):
    """The noise rate at which the block errors of the two bases differ most convincingly by more than `UNEQUAL`."""

    p: float
    shots: int = Field(ge=1)
    """Of each basis."""
    failures: dict[Literal["X", "Z"], int]
    probability: float = Field(ge=0, le=1)
    """Of so many failures or more in one basis, if it fails `UNEQUAL` times as often; at most, over all rates."""


class Rounds(_Part):
    """The two numbers of rounds of which the fewer fail most convincingly more than `UNEQUAL` times as often."""

    p: float
    shots: int = Field(ge=1)
    """Of each number of rounds."""
    failures: dict[int, int]
    """By number of rounds, the fewer first."""
    probability: float = Field(ge=0, le=1)
    """Of so many failures or more in the fewer, if these fail `UNEQUAL` times as often; at most, over all pairs."""


class Claims(_Part):
    """The noise rate at which shots that are sure, of more than `SURE`, fail most convincingly more than they claim."""

    p: float
    sure: int = Field(ge=0)
    """Shots that are, of both bases."""
    failures: int = Field(ge=0)
    claimed: float = Field(ge=0)
    """Failures that are to be expected if the claims are true."""
    probability: float = Field(ge=0, le=1)
    """Of so many failures or more, if they are; at most, over all rates."""


class Guards(_Part):
    """What the guards of a network saw."""

    p: float = Field(gt=0, lt=1)
    """Noise rate of the heads' losses."""
    heads: dict[Literal["X", "Z"], Head]
    floor: Floor | None = None
    """None where block error was measured at one noise rate only."""
    bases: Bases | None = None
    """None of a model of one basis."""
    rounds: Rounds | None = None
    """None of a model of one number of rounds, and on cards older than the guard."""
    flips_on_silence: list[Literal["X", "Z"]]
    """Bases in which a shot without any detection event is decoded as a flip."""
    confidence: Claims | None = None
    """None of a model that claims nothing, and on cards older than the guard."""

    @property
    def verdicts(self) -> list[Verdict]:
        """One of each guard that there are figures for."""
        heads, found = self.heads.values(), []
        losses = ", ".join(f"{head.operator} {head.loss:.3f} of {head.guess:.3f} nats" for head in heads)
        alive = all(head.loss < ALIVE * head.guess for head in heads)
        found.append(Verdict("heads", alive, f"worst {losses} at {_percent(self.p)}"))
        if (floor := self.floor) is not None:
            figures = (
                f"{floor.block_error:.2e} at {_percent(floor.p)}, up to {floor.allowed:.2e} by that at "
                f"{_percent(floor.above)}, P = {floor.probability:.2g}"
            )
            found.append(Verdict("floor", floor.probability >= FALSE_ALARM, figures))
        if (bases := self.bases) is not None:
            failures = ", ".join(f"{basis} {failed:,}" for basis, failed in bases.failures.items())
            figures = f"failures {failures} of {bases.shots:,} at {_percent(bases.p)}, P = {bases.probability:.2g}"
            found.append(Verdict("bases", bases.probability >= FALSE_ALARM, figures))
        if (rounds := self.rounds) is not None:
            failures = ", ".join(f"{failed:,} in {number} rounds" for number, failed in rounds.failures.items())
            figures = f"failures {failures} of {rounds.shots:,} at {_percent(rounds.p)}, P = {rounds.probability:.2g}"
            found.append(Verdict("rounds", rounds.probability >= FALSE_ALARM, figures))
        flips = " and ".join(self.flips_on_silence)
        found.append(Verdict("silence", not flips, f"flips in {flips}" if flips else "no flip"))
        if (claims := self.confidence) is not None:
            figures = (
                f"{claims.failures:,} of {claims.sure:,} sure shots fail at {_percent(claims.p)}, "
                f"{claims.claimed:.2g} are claimed, P = {claims.probability:.2g}"
            )
            found.append(Verdict("confidence", claims.probability >= FALSE_ALARM, figures))
        return found

    @property
    def broken(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if not verdict.holds]


def worst_head(basis: str, losses: Iterable[float], flips: Iterable[float], shots: int) -> Head:
    """Of the operators of a basis, by their losses and how often they flip among so many shots."""
    heads = []
    for index, (loss, flipped) in enumerate(zip(losses, flips, strict=True)):
        # half a flip more, or few shots without any would make a guess look perfect
        rate = (flipped + 0.5) / (shots + 1)
        guess = -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)
        heads.append(Head(operator=f"{basis}{index}", loss=loss, guess=guess))
    return max(heads, key=lambda head: head.loss / head.guess)


def floor(counts: Mapping[float, Counts], k: int) -> Floor | None:
    """Where block error falls least, by failures of k observables at several noise rates."""
    pairs = list(combinations(sorted(counts), 2))
    found = []
    for p, above in pairs:
        allowed, probability = _excess(counts[p], counts[above], (p / above) ** FALL, k)
        error = counts[p].failures / counts[p].shots
        together = min(1.0, len(pairs) * probability)
        found.append(Floor(p=p, above=above, block_error=error, allowed=allowed, probability=together))
    return min(found, key=lambda pair: pair.probability, default=None)


def unequal_bases(failures: Mapping[float, Mapping[Literal["X", "Z"], int]], shots: int, k: int) -> Bases | None:
    """Where the bases differ most, by failures of k observables at each noise rate, among so many shots of a basis."""
    found = []
    for p, by_basis in failures.items():
        for one, other in permutations(by_basis.values(), 2):
            _, probability = _excess(Counts(one, shots), Counts(other, shots), UNEQUAL, k)
            together = min(1.0, 2 * len(failures) * probability)
            found.append(Bases(p=p, shots=shots, failures=dict(by_basis), probability=together))
    return min(found, key=lambda pair: pair.probability, default=None)


def fewer_rounds(failures: Mapping[float, Mapping[int, int]], shots: int, k: int) -> Rounds | None:
    """Where fewer rounds fail most beyond more, by failures of k observables at each noise rate, among equal shots."""
    pairs = [(p, *pair) for p, by_rounds in failures.items() for pair in combinations(sorted(by_rounds), 2)]
    found = []
    for p, fewer, more in pairs:
        of = {rounds: failures[p][rounds] for rounds in (fewer, more)}
        _, probability = _excess(Counts(of[fewer], shots), Counts(of[more], shots), UNEQUAL, k)
        found.append(Rounds(p=p, shots=shots, failures=of, probability=min(1.0, len(pairs) * probability)))
    return min(found, key=lambda pair: pair.probability, default=None)


def claims(log_odds: Mapping[float, NDArray[np.floating]], wrong: Mapping[float, NDArray[np.bool_]]) -> Claims | None:
    """Where sure shots fail most beyond what they claim, by log-odds and failures of shots at each noise rate."""
    from scipy.special import gammainc

    found = []
    for p, odds in log_odds.items():
        sure = odds > math.log(SURE / (1 - SURE))
        claimed, failures = float(np.exp(-np.logaddexp(0, odds[sure])).sum()), int(wrong[p][sure].sum())
        probability = float(gammainc(failures, claimed)) if failures else 1.0  # P(Poisson(claimed) >= failures)
        together = min(1.0, len(log_odds) * probability)
        found.append(Claims(p=p, sure=int(sure.sum()), failures=failures, claimed=claimed, probability=together))
    # of rates that say nothing against it, the one with most to lose
    return min(found, key=lambda rate: (rate.probability, -rate.claimed), default=None)


def _excess(one: Counts, other: Counts, factor: float, k: int) -> tuple[float, float]:
    """Block error that `factor` times the faults of the other would make, and how likely failures as many as one's are.

    Given the sum of both, the failures of one of two samples of rare events follow a binomial law whatever the rate is;
    of failures that are not rare they spread less, so that alarms are rarer than said.
    """
    from scipy.special import betainc  # here: cards are read, and their guards judged, without it

    chance = 1 - 0.5**k  # faults at random leave no observable wrong with probability 2^-k
    error = other.failures / other.shots
    allowed = chance * (1 - (1 - error / chance) ** factor) if error < chance else error
    if not one.failures:
        return allowed, 1.0
    expected = one.shots * (allowed / error if error else factor)
    share = expected / (expected + other.shots)
    return allowed, float(betainc(one.failures, other.failures + 1, share))  # P(Binomial(sum, share) >= one's)


def _percent(p: float) -> str:
    return f"{100 * p:.3g} %"
