"""Min-sum belief propagation: how likely each component of an error model is, given a shot's events.

Components and the detectors that they flip tell each other log-odds, all at once, a few times. On quantum codes that
rarely settles: components that look alike take turns in being believed. So what is told here is not what they believe
in the end but the most that each was believed at any time: this finds the components that ordered statistics should
begin with. A shot is done as soon as what is believed explains its events. The native module has many shots side by
side, and where one is done the next one begins; what is here is the same in NumPy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from cascade_qec.components.symptoms import Symptoms
from cascade_qec.errors import CascadeError
from cascade_qec.native import native, threads

_SURE = np.float32(1 << 10)
"""Log-odds beyond which nothing is told."""

_MOST = 100_000
"""Iterations: seconds for a shot."""

_ENTRIES = 1 << 22
"""Messages that are computed at a time."""


class BeliefPropagation:
    """Passes messages between the components of an error model and their detectors.

    Parameters
    ----------
    components
        What each flips.
    prior : float32 [components]
        Log-odds that each is flipped, before any event.
    iterations
        How often everybody tells, unless a shot is done before: once at least.
    orders
        How many sets of log-odds `orders` gives: 1 to as many as `iterations` can be halved, and once more.
    scaling
        What detectors say is multiplied by this: above 0, at most 1.
    damping
        The share of what a detector said before that it says again: at least 0, below 1.
    in_numpy
        Also where the native module is installed.

    Raises
    ------
    CascadeError
        If a number is out of its range.
    """

    def __init__(
        self,
        components: Symptoms,
        prior: NDArray[np.float32],
        *,
        iterations: int = 20,
        orders: int = 1,
        scaling: float = 1.0,
        damping: float = 0.5,
        in_numpy: bool = False,
    ) -> None:
        if not 1 <= iterations <= _MOST or not 0 < scaling <= 1 or not 0 <= damping < 1:
            raise CascadeError(
                f"expected 1 to {_MOST:,} iterations, a scaling above 0, at most 1, and a damping of at least 0, below "
                f"1, got {iterations}, {scaling:g} and {damping:g}"
            )
        most = iterations.bit_length()
        if not 1 <= orders <= most:
            raise CascadeError(f"expected 1 to {most} orders of {iterations} iterations, got {orders}")
        self._own, row = np.unique(components.detector, return_inverse=True)  # row of each entry
        self._prior, self._scaling, self._damping = prior, scaling, damping
        self._last = [iterations >> order for order in range(orders)]  # iterations of each
        module, self._native = None if in_numpy else native(), None
        if module is not None:
            self._native = module.BeliefPropagation(
                *(components.start, row, len(self._own), prior),
                iterations=iterations,
                orders=orders,
                scaling=scaling,
                damping=damping,
            )
        # entries as the rows have them
        order = np.argsort(row, kind="stable")
        self._row = row[order]
        self._first = np.searchsorted(self._row, np.arange(len(self._own)))
        self._component = np.repeat(np.arange(len(prior)), np.diff(components.start))[order]

    def highest(self, events: NDArray[np.bool_]) -> NDArray[np.float32]:
        """The highest log-odds of each component over the iterations.

        Parameters
        ----------
        events : bool [shots, detectors]

        Returns
        -------
        float32 [shots, components]
            That each is flipped.
        """
        return self.orders(events)[0]

    def orders(self, events: NDArray[np.bool_]) -> NDArray[np.float32]:
        """The same over all iterations, over the first half of them, the first quarter, and so on.

        Returns
        -------
        float32 [orders, shots, components]
            Those of a shot that is done before are alike.
        """
        lit = np.take(events, self._own, axis=1)
        if self._native is not None:
            return self._native.decode(lit, threads=threads())
        if not len(self._row):
            return np.tile(self._prior, (len(self._last), len(lit), 1))
        at_once = max(1, _ENTRIES // len(self._row))
        parts = [self._passed(lit[i : i + at_once]) for i in range(0, len(lit), at_once)]
        return np.concatenate([np.zeros((len(self._last), 0, len(self._prior)), np.float32), *parts], axis=1)

    def _passed(self, lit: NDArray[np.bool_]) -> NDArray[np.float32]:
        """The same for as many shots as fit. All log-odds in here are those that nothing is flipped."""
        row, first, entries = self._row, self._first, len(self._row)
        heard_by = csr_array((np.ones(entries, np.float32), (np.arange(entries), self._component)))
        heard_by.resize(entries, len(self._prior))
        odds = np.tile(-self._prior, (len(lit), 1))
        message = np.zeros((len(lit), entries), np.float32)
        lowest = np.full_like(odds, _SURE)
        found, left = np.stack([odds] * len(self._last)), np.arange(len(lit))  # of all shots; those that are not done
        for iteration in range(1, self._last[0] + 1):
            said = odds[:, self._component] - message
            size, flipped = np.minimum(np.abs(said), _SURE), np.signbit(said)
            # of each row the least of what its components say, and the least of what the others say than that one
            least = np.minimum.reduceat(size, first, axis=1)[:, row]
            is_least = size == least
            alone = np.add.reduceat(is_least, first, axis=1, dtype=np.int64)[:, row] == 1
            second = np.minimum.reduceat(np.where(is_least, _SURE, size), first, axis=1)[:, row]
            others = np.where(is_least & alone, second, least)
            # a component is flipped if the others leave the event, or the lack of one, unexplained
            odd = np.logical_xor.reduceat(flipped, first, axis=1) ^ lit
            fresh = self._scaling * np.where(odd[:, row] ^ flipped, -others, others)
            message = (self._damping * message + (1 - self._damping) * fresh).astype(np.float32)
            odds = message @ heard_by - self._prior
            lowest = np.minimum(lowest, odds)
            for order, last in enumerate(self._last):
                if iteration <= last:
                    found[order, left] = lowest
            explained = np.logical_xor.reduceat(np.signbit(odds)[:, self._component], first, axis=1)
            done = (explained == lit).all(axis=1)
            left, lit = left[~done], lit[~done]
            message, odds, lowest = message[~done], odds[~done], lowest[~done]
        return -found
