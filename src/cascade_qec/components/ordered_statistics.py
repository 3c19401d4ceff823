"""Ordered statistics: of all sets of components that explain a shot, a likely one, by linear algebra over GF(2).

The likeliest components that are independent are solved for the events; then sets of the others are tried, which
change the solution, as long as that makes it likelier (Fossorier and Lin, 1995; for quantum codes Panteleev and
Kalachev, Quantum 5, 585). Components that are nearly impossible are left out: few are in doubt, so systems are small.
The native module does it one shot after the other. What is here is the same in NumPy, where rows are bit-packed, and
many shots are eliminated side by side: a shot then has some more columns than its own, as many as the largest of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_qec.components.costs import SURE, costs
from cascade_qec.components.symptoms import Symptoms
from cascade_qec.errors import CascadeError
from cascade_qec.native import native, threads

_BITS = 64
_WORDS = 1 << 22
"""Words of bits that are eliminated at a time."""

_PAIRED = 40
"""Free components of which pairs are tried, those that cost least alone."""

_FARTHEST = 40.0
"""The largest gap: other answers may need components that were left out, and five of those cost as much."""


class OrderedStatistics:
    """Explains events by components of any weight.

    Parameters
    ----------
    components
        What each flips.
    weights : float32 [components], optional
        Log-odds by which sets are compared. By default each shot's own, which also choose and order its columns.
    unlikely
        Components that are less likely than this are left out, but of shots that cannot be explained without them.
    in_numpy
        Also where the native module is installed.

    Raises
    ------
    CascadeError
        If `unlikely` is no probability between 0 and 1.
    """

    tells_gaps = True

    def __init__(
        self,
        components: Symptoms,
        *,
        weights: NDArray[np.float32] | None = None,
        unlikely: float = 3e-4,
        in_numpy: bool = False,
    ) -> None:
        if not 0 < unlikely < 1:
            raise CascadeError(f"expected a probability `unlikely` above 0 and below 1, got {unlikely:g}")
        self._own, row = np.unique(components.detector, return_inverse=True)  # row of each entry
        weight = np.diff(components.start)
        # the rows of each component, the last one repeated where it has fewer
        place = components.start[:-1, None] + np.minimum(np.arange(weight.max(initial=1)), weight[:, None] - 1)
        self._rows = row[place]
        self._observables = components.observables.astype(np.int64)
        self._costs = None if weights is None else costs(weights)
        self._least = np.log(unlikely) - np.log1p(-unlikely)
        module, self._native = None if in_numpy else native(), None
        if module is not None:
            observables, rows = components.observables.astype(np.bool_), len(self._own)
            self._native = module.OrderedStatistics(
                components.start, row, rows, observables, least=self._least, weights=weights
            )

    def decode(self, log_odds: NDArray[np.float32], events: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The observables that a likely set of components flips which explains the events.

        Parameters
        ----------
        log_odds : float32 [shots, components]
            That each is flipped.
        events : bool [shots, detectors]

        Returns
        -------
        bool [shots, k]
        """
        return self._decoded(log_odds, events, gaps=False)[0]

    def decode_with_costs(
        self, log_odds: NDArray[np.float32], events: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """The same, and what the set costs: the sum of its components' negative log-odds.

        Returns
        -------
        observables : bool [shots, k]
        costs : float64 [shots]
            Infinite where no set explains the events.
        """
        observables, _, _, cost = self._decoded(log_odds, events, gaps=False)
        return observables, cost

    def decode_with_gaps(
        self, log_odds: NDArray[np.float32], events: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float32]]:
        """The same, and how much less likely the next answer is: of those that one or two exchanges lead to.

        Returns
        -------
        observables : bool [shots, k]
        suspects : bool [shots, k]
            In which of them the next answer differs.
        gaps : float32 [shots]
            Log-odds of the one set against the other; at most 40, and zero where no set explains the events. Where they
            are less than what the set costs beyond the components' own preferences, they are less by the difference:
            exchanges have then hardly found the likeliest set.
        """
        observables, suspects, gaps, cost = self._decoded(log_odds, events, gaps=True)
        solved = np.isfinite(cost)
        least = np.fmin(np.fmax(log_odds[solved], 0), SURE).sum(axis=1, dtype=np.float64)  # each as it is likelier
        gaps[solved] -= np.maximum(cost[solved] + least - gaps[solved], 0)
        return observables, suspects, gaps

    def _decoded(
        self, log_odds: NDArray[np.float32], events: NDArray[np.bool_], *, gaps: bool
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float32], NDArray[np.float64]]:
        lit = np.take(events, self._own, axis=1)
        if self._native is not None:
            return self._native.decode(np.ascontiguousarray(log_odds), lit, gaps=gaps, threads=threads())
        observables = np.zeros((len(events), self._observables.shape[1]), dtype=np.bool_)
        suspects, found = np.zeros_like(observables), np.zeros(len(events), dtype=np.float32)
        spent = np.zeros(len(events))
        size = (log_odds > self._least).sum(axis=1)
        asked = np.flatnonzero(lit.any(axis=1) | (log_odds > 0).any(axis=1) | gaps)
        asked = asked[np.argsort(size[asked], kind="stable")]  # those of about one size together
        start = 0
        while start < len(asked):
            shots = asked[start:]
            cost = (np.arange(len(shots)) + 1) * (size[shots] // _BITS + 1) * len(self._own)
            shots = shots[: max(1, int(np.searchsorted(cost, _WORDS)))]
            most = int(size[shots].max())
            solved = self._solved(log_odds[shots], lit[shots], most)
            observables[shots], suspects[shots], found[shots], spent[shots] = solved
            start += len(shots)
        return observables, suspects, found, spent

    def _solved(
        self, log_odds: NDArray[np.float32], lit: NDArray[np.bool_], most: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float32], NDArray[np.float64]]:
        """Observables, suspects, gaps and costs by the `most` likeliest components of each shot."""
        likely = np.argsort(-log_odds, axis=1, kind="stable")[:, :most]
        system = _System(self._rows[likely], lit)
        observables = np.zeros((len(lit), self._observables.shape[1]), dtype=np.bool_)
        suspects, gaps = np.zeros_like(observables), np.zeros(len(lit), dtype=np.float32)
        spent = np.full(len(lit), np.inf)
        for shot, solvable in enumerate(system.solvable.tolist()):
            if solvable:
                flips = self._observables[likely[shot]]
                chosen = likely[shot]
                cost = costs(log_odds[shot, chosen]) if self._costs is None else self._costs[chosen]
                observables[shot], suspects[shot], gaps[shot], spent[shot] = system.cheap(shot, cost, flips)
            elif most < log_odds.shape[1]:  # not without the unlikely ones
                wider, one = min(4 * most + _BITS, log_odds.shape[1]), slice(shot, shot + 1)
                observables[one], suspects[one], gaps[one], spent[one] = self._solved(log_odds[one], lit[one], wider)
            # or no set explains this: nothing is said
        return observables, suspects, gaps, spent


class _System:
    """Linear systems of several shots, each reduced so that its first independent columns are solved for.

    Parameters
    ----------
    rows : int64 [shots, columns, weight]
        Rows in which each column has a one, any of them several times.
    lit : bool [shots, rows]
        The right side.
    """

    def __init__(self, rows: NDArray[np.int64], lit: NDArray[np.bool_]) -> None:
        shots, self._columns, _ = rows.shape
        words = self._columns // _BITS + 1  # one bit more, for the right side
        dense = np.zeros((shots, lit.shape[1], words * _BITS), dtype=bool)
        dense[np.arange(shots)[:, None, None], rows, np.arange(self._columns)[:, None]] = True
        dense[:, :, self._columns] = lit
        packed = np.packbits(dense, axis=2, bitorder="little").view("<u8")
        self._pivot = np.full(lit.shape, -1)  # the column that each row is solved for
        free = np.ones(lit.shape, dtype=bool)
        each = np.arange(shots)
        for column in range(self._columns):
            ones = (packed[:, :, column // _BITS] >> np.uint64(column % _BITS)) & np.uint64(1) > 0
            usable = ones & free
            row = usable.argmax(axis=1)
            found = usable[each, row]
            if not found.any():
                continue
            ones[each, row] = False
            shot, changed = np.nonzero(ones & found[:, None])
            packed[shot, changed] ^= packed[shot, row[shot]]
            free[each[found], row[found]] = False
            self._pivot[each[found], row[found]] = column
        self._reduced = packed
        right = self._bits(packed)[:, :, self._columns]
        self.solvable = ~(right & free).max(axis=1)

    def cheap(
        self, shot: int, cost: NDArray[np.float64], flips: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], float, float]:
        """A solution that no column besides, and no pair of them, makes cheaper.

        Parameters
        ----------
        cost : float64 [columns]
        flips : int64 [columns, k]
            The observables that each flips.

        Returns
        -------
        observables, suspects : bool [k]
            What it flips, and in what the cheapest solution differs that one of them, or a pair, leads to.
        gap : float
            By how much that costs more.
        spent : float
            What the solution costs.
        """
        row = np.flatnonzero(self._pivot[shot] >= 0)
        solved = self._pivot[shot, row]
        bits = self._bits(self._reduced[shot, row])
        right = bits[:, self._columns]
        besides = np.ones(self._columns, dtype=bool)
        besides[solved] = False
        other = np.flatnonzero(besides)
        table = bits[:, other].astype(np.float64)
        taken = np.zeros(len(other), dtype=bool)
        alone, together, tried = np.zeros(0), np.zeros((0, 0)), np.zeros(0, dtype=np.int64)
        while len(other):
            gain = cost[solved] * np.where(right, -1.0, 1.0)
            alone = gain @ table + cost[other] * np.where(taken, -1.0, 1.0)
            tried = np.argsort(alone, kind="stable")[:_PAIRED]
            part = table[:, tried]
            together = alone[tried][:, None] + alone[tried] - 2 * (part * gain[:, None]).T @ part
            np.fill_diagonal(together, alone[tried])
            best = int(together.argmin())
            if together.flat[best] >= 0:
                break
            for i in {*np.unravel_index(best, together.shape)}:
                taken[tried[i]] ^= True
                right = right ^ bits[:, other[tried[i]]]
        observables = (flips[solved[right]].sum(axis=0) + flips[other[taken]].sum(axis=0)) % 2 > 0
        changed = (bits[:, other].T.astype(np.int64) @ flips[solved] + flips[other]) % 2 > 0  # by each of the others
        suspects, gap = np.zeros_like(observables), _FARTHEST
        single = np.where(changed.any(axis=1), alone, np.inf)
        if len(other) and single.min() < gap:
            suspects, gap = changed[single.argmin()], float(single.min())
        pairs = changed[tried][:, None] ^ changed[tried]
        double = np.where(np.triu(pairs.any(axis=2), 1), together, np.inf)
        if len(other) and double.min() < gap:
            suspects, gap = pairs.reshape(-1, len(suspects))[double.argmin()], float(double.min())
        return observables, suspects, gap, cost[solved[right]].sum() + cost[other[taken]].sum()

    @staticmethod
    def _bits(packed: NDArray[np.uint64]) -> NDArray[np.bool_]:
        return np.unpackbits(np.ascontiguousarray(packed).view(np.uint8), axis=-1, bitorder="little").view(np.bool_)
