"""This project's own belief propagation and ordered statistics, on all detectors or on some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.components import BeliefPropagation, OrderedStatistics
from cascade_qec.decoders.classical.decoder import ClassicalDecoder, Predict
from cascade_qec.decoders.projection import project
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.error_models import Mechanisms

_PERTURBED = 0.5
"""Standard deviation by which the priors are off that the members of an ensemble but the first begin with, log-odds."""

_AT_ONCE = 1 << 24
"""Log-odds that are kept at a time."""


@dataclass(frozen=True)
class LowestBPOSD(ClassicalDecoder):
    """Belief propagation with ordered statistics that begin with what was believed at any iteration.

    Errors are ordered by the lowest log-likelihood ratio that each had over the iterations of min-sum, where others
    take that of the last one; and again by the lowest of the first half of them, and so on. Of the sets of errors that
    these orders lead to it takes the one of the highest prior probability. It needs no other package.

    The search exchanges few errors at a time, and a logical operator of a large code is many. So where there is one
    observable, it looks for a set that flips it and for one that does not. Log-odds are by how much the one is likelier
    than the other. They count a single set of each kind, and so claim more than comes true.

    Where a search fails, the errors that it finds are less likely than those that happened. So an ensemble searches
    several times, with priors of belief propagation that are off at random (Poulin and Chung, arXiv:0801.1241), and
    keeps the set that is likeliest by the right ones.

    Parameters
    ----------
    members
        Searches: the first with the right priors, the others with random ones about them, always the same.
    iterations, orders, scaling, damping
        Of `cascade_qec.components.BeliefPropagation`.
    unlikely
        Errors that were never believed to be likelier than this are left out, but of shots that need them.
    """

    members: int = 1
    iterations: int = 40
    orders: int = 3
    scaling: float = 1.0
    damping: float = 0.5
    unlikely: float = 1e-3

    @property
    def name(self) -> str:
        return "bposd-lowest" if self.members == 1 else "bposd-ensemble"

    def require(self) -> None:
        """Nothing."""

    def prepare(self, dem: stim.DetectorErrorModel) -> Predict:
        return LowestSearch(self, dem)


BPOSD_ENSEMBLE = LowestBPOSD(members=9)


class LowestSearch:
    """Looks for the likely errors of one experiment.

    Attributes
    ----------
    errors : Mechanisms
        Among which it looks: one for each way to look.
    """

    def __init__(self, decoder: LowestBPOSD, dem: stim.DetectorErrorModel) -> None:
        every = Mechanisms.of(project(dem, np.arange(dem.num_detectors)))
        self.errors = errors = _seen(every)
        prior = (np.log(errors.probability) - np.log1p(-errors.probability)).astype(np.float32)
        off = _PERTURBED * np.random.default_rng(0).standard_normal((decoder.members - 1, len(prior)))
        self._propagations = [
            BeliefPropagation(
                *(errors, prior + shift),
                iterations=decoder.iterations,
                orders=decoder.orders,
                scaling=decoder.scaling,
                damping=decoder.damping,
            )
            for shift in (np.float32(0), *off.astype(np.float32))
        ]
        self._alone = dem.num_observables == 1 and bool(errors.observables.any())
        # Errors that flip the observable, and no detector, bound how sure of it anybody can be.
        unseen = every.probability[(every.weight == 0) & every.observables.any(axis=1)].max(initial=0)
        with np.errstate(divide="ignore"):
            self._surest = np.log1p(-unseen) - np.log(unseen)
        answered = _answered(errors) if self._alone else errors
        self._statistics = OrderedStatistics(answered, weights=prior, unlikely=decoder.unlikely)
        self._at_once = max(1, _AT_ONCE // max(1, decoder.members * decoder.orders * len(prior)))

    def __call__(
        self, dets: NDArray[np.bool_], beliefs: Callable[[slice], NDArray[np.float32]] | None = None
    ) -> DecodeResult:
        """What the likeliest errors flip that are found.

        Parameters
        ----------
        dets : bool [shots, detectors]
        beliefs
            Of some of the shots: by how much somebody else believes that a shot's events make each error likelier, in
            log-odds, float32 [shots, errors]. Each order of the first member is then tried once more with these added.
        """
        flips = np.zeros((len(dets), self.errors.observables.shape[1]), np.bool_)
        odds = np.zeros(len(dets), np.float32)
        for start in range(0, len(dets), self._at_once):
            part = slice(start, start + self._at_once)
            orders, *others = (list(member.orders(dets[part])) for member in self._propagations)
            if beliefs is not None:
                believed = beliefs(part)
                orders += [order + believed for order in orders]
            orders += chain.from_iterable(others)
            if self._alone:
                flips[part, 0], sure = _likelier(self._statistics, orders, dets[part])
                odds[part] = np.minimum(sure, self._surest)
            else:
                flips[part], _ = _cheapest(self._statistics, orders, dets[part])
        return DecodeResult(flips, log_odds=odds if self._alone else None)


def _answered(errors: Mechanisms) -> Mechanisms:
    """The same with one detector more, which the observable flips."""
    flipping = errors.observables[:, 0] > 0
    return replace(
        errors,
        detector=np.insert(errors.detector, errors.start[1:][flipping], errors.detectors),
        start=errors.start + np.append(0, np.cumsum(flipping)),
        detectors=errors.detectors + 1,
    )


def _likelier(
    statistics: OrderedStatistics, orders: list[NDArray[np.float32]], events: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """The likelier value of the one observable, which is the last of the statistics' detectors, and its log-odds."""
    costs = [
        _cheapest(statistics, orders, np.column_stack([events, np.full(len(events), flipped)]))[1]
        for flipped in (False, True)
    ]
    with np.errstate(invalid="ignore"):
        odds = costs[0] - costs[1]
    odds[np.isnan(odds)] = 0  # no set explains the events
    return odds > 0, np.abs(odds)


def _cheapest(
    statistics: OrderedStatistics, orders: list[NDArray[np.float32]], events: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """What the cheapest set flips of those that the orders, each [shots, errors], lead to, and what it costs."""
    first, *others = orders
    flips, cost = statistics.decode_with_costs(first, events)
    for order in others:
        other = np.flatnonzero((order != first).any(axis=1))
        found, spent = statistics.decode_with_costs(order[other], events[other])
        cheaper = spent < cost[other]
        flips[other[cheaper]], cost[other[cheaper]] = found[cheaper], spent[cheaper]
    return flips, cost


def _seen(errors: Mechanisms) -> Mechanisms:
    """Those that flip a detector."""
    kept = errors.weight > 0
    return replace(
        errors,
        probability=errors.probability[kept],
        start=np.append(0, np.cumsum(errors.weight[kept])),
        observables=errors.observables[kept],
    )
