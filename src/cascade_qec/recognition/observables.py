"""What a circuit's observables are in a code's own logical operators.

Two representatives of a logical operator differ by checks, whose values the detectors know: an observable of the
circuit is a sum of the code's observables and of detectors. Which sum, every error mechanism that both know says: what
it flips must agree. The sums are found by linear algebra over GF(2), from nothing but the error models.

A code on a torus looks the same from every check, and so it does to the network. But the code's observables are fixed
lines on it: an experiment of its own, moved by a step, has sums of them. Of all translations the one is taken after
which the sums are shortest, so that an experiment of the code is known as such whatever its detectors' numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from cascade_qec import limits
from cascade_qec.codes import BASES, Basis, CSSCode, gf2
from cascade_qec.codes.gf2 import Bits
from cascade_qec.error_models import Mechanisms, random_words
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import Lattice
from cascade_qec.recognition.likeness import known_by_sites
from cascade_qec.recognition.placement import Placement

_BLOCK = 4096
"""Equations that are written with a byte for a bit at once."""


@dataclass(frozen=True, eq=False)
class ObservableMap:
    """Observables of a circuit as sums of a code's observables and of detectors.

    Attributes
    ----------
    logicals : uint8 [observables, k]
        The code's observables in each sum.
    detectors : uint8 [observables, detectors]
        The detectors in each sum.
    """

    logicals: Bits
    detectors: Bits

    @classmethod
    def identity(cls, k: int, detectors: int) -> ObservableMap:
        """Of a circuit whose observables are the code's own."""
        return cls(np.eye(k, dtype=np.uint8), np.zeros((k, detectors), dtype=np.uint8))

    @cached_property
    def is_identity(self) -> bool:
        """Whether the observables are the code's own, all of them."""
        return np.array_equal(self.logicals, np.eye(self.logicals.shape[1])) and not self.detectors.any()

    @property
    def own(self) -> NDArray[np.bool_]:
        """Which observables are the code's one of the same number: bool [observables]."""
        same = (self.logicals == np.eye(*self.logicals.shape)).all(axis=1)
        return same & self.logicals.any(axis=1) & ~self.detectors.any(axis=1)

    def turned(self, detection_events: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether the detectors in each sum turn its value round.

        Parameters
        ----------
        detection_events : bool [shots, detectors]

        Returns
        -------
        bool [shots, observables]
        """
        turned = np.zeros((len(detection_events), len(self.detectors)), dtype=bool)
        for o in np.flatnonzero(self.detectors.any(axis=1)):
            turned[:, o] = np.bitwise_xor.reduce(detection_events[:, np.flatnonzero(self.detectors[o])], axis=1)
        return turned


def observable_maps(
    ways: Sequence[Placement], mechanisms: Mechanisms, lattices: Sequence[Lattice]
) -> list[ObservableMap]:
    """Express a circuit's observables by those of the code.

    Parameters
    ----------
    ways
        Where the detectors of the circuit sit, in the memory experiment of its basis or in those of both.
    mechanisms
        Of the circuit.
    lattices
        The code's own experiment for each way.

    Returns
    -------
    list of ObservableMap
        Each way's part in the observables: they are the sum of all.

    Raises
    ------
    CascadeError
        If an observable is no sum of logical operators and detectors, or if errors that can happen would tell apart
        several sums that it may be; the message names it.
    """
    parts = [_known(*pair, mechanisms, seed) for seed, pair in enumerate(zip(ways, lattices, strict=True))]
    columns = np.concatenate([part.detectors for part in parts])
    logicals, count = sum(part.flips.shape[1] for part in parts), mechanisms.observables.shape[1]
    unknowns = logicals + len(columns)
    # What no detector sees, no decoder can tell, and it tells nothing.
    shown = np.any([way.sites >= 0 for way in ways], axis=0)
    visible = np.bincount(mechanisms.owner[shown[mechanisms.detector]], minlength=len(mechanisms.probability)) > 0
    seen = np.bitwise_xor.reduce([part.seen for part in parts])
    known = _equations(parts, mechanisms, seen, visible)
    reduced, pivots = _reduced(parts, mechanisms, columns, known)
    solution = np.zeros((unknowns, count), dtype=np.uint8)
    left = [pivot for pivot in pivots if pivot < unknowns]
    solution[left] = reduced[: len(left), unknowns:]
    nothing = ~solution.any(axis=0) & mechanisms.observables.any(axis=0)
    contradicted = [*(pivot - unknowns for pivot in pivots if pivot >= unknowns), *np.flatnonzero(nothing).tolist()]
    if contradicted:
        code, bases = lattices[0].code, " and ".join(lattice.basis for lattice in lattices)
        raise CascadeError(
            f"observable L{contradicted[0]} is no logical operator of {code.name}: expected a sum of its {code.k} "
            f"logical operators of basis {bases} and of detectors, which no choice makes agree with all errors"
        )
    # Errors that look like one of the equations are told as well as that.
    first = np.unique(seen, return_index=True)[1]
    others = first[(seen[first] != 0) & ~np.isin(seen[first], seen[known])]
    _check_determined(reduced[:, :unknowns], pivots, _symptoms(mechanisms, columns, others), columns, lattices[0].code)
    detectors = np.zeros((len(parts), count, mechanisms.detectors), dtype=np.uint8)
    ends = np.cumsum([len(part.detectors) for part in parts])
    for own, part, rows in zip(detectors, parts, np.split(solution[logicals:], ends[:-1]), strict=True):
        own[:, part.detectors] = rows.T
    of_parts = np.split(solution[:logicals], len(parts))
    return [ObservableMap(np.ascontiguousarray(own.T), beside) for own, beside in zip(of_parts, detectors, strict=True)]


def _equations(
    parts: Sequence[_Known], mechanisms: Mechanisms, seen: NDArray[np.uint64], visible: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Mechanisms that tell something of the observables: int64 [equations].

    Parameters
    ----------
    seen
        A word for what each mechanism flips of the detectors that tell of observables.
    visible
        Whether it flips any detector.
    """
    flipped = mechanisms.observables
    usable = visible & np.all([part.matched for part in parts], axis=0) & ((seen != 0) | flipped.any(axis=1))
    matched = np.flatnonzero(usable)
    # One of those that say the same is enough.
    words = np.where(flipped, random_words(flipped.shape[1], seed=len(parts))[:-1], np.uint64(0))
    said = seen ^ np.bitwise_xor.reduce(words, axis=1)
    matched = matched[np.unique(said[matched], return_index=True)[1]]
    # Errors of the circuit that look the same and flip other observables say nothing: with some schedules the fault of
    # an ancilla looks like that of a data qubit on the other side of a logical operator.
    _, alike, times = np.unique(seen[matched], return_inverse=True, return_counts=True)
    return matched[times[alike] == 1]


def _symptoms(mechanisms: Mechanisms, columns: NDArray[np.int64], chosen: NDArray[np.int64]) -> Bits:
    """Whether each of some mechanisms flips each of some detectors: uint8 [chosen, columns]."""
    number = np.full(mechanisms.detectors, -1)
    number[columns] = np.arange(len(columns))
    row = np.full(len(mechanisms.probability), -1)
    row[chosen] = np.arange(len(chosen))
    owner, detector = row[mechanisms.owner], number[mechanisms.detector]
    used = (owner >= 0) & (detector >= 0)
    symptoms = np.zeros((len(chosen), len(columns)), dtype=np.uint8)
    symptoms[owner[used], detector[used]] = 1
    return symptoms


def _reduced(
    parts: Sequence[_Known], mechanisms: Mechanisms, columns: NDArray[np.int64], known: NDArray[np.int64]
) -> tuple[Bits, list[int]]:
    """The equations (logicals, detectors, observables) in reduced row echelon form, and the pivot of each row."""
    width = sum(part.flips.shape[1] for part in parts) + len(columns) + mechanisms.observables.shape[1]
    if len(known) * width > limits.EQUATIONS:
        raise CascadeError(
            f"expected an experiment whose observables take a matrix of at most {limits.EQUATIONS:,} bits, got "
            f"{len(known):,} different errors on {len(columns):,} detectors: take fewer rounds"
        )
    words = [np.zeros((0, max(1, -(-width // 64))), dtype=np.uint64)]
    for some in np.split(known, range(_BLOCK, len(known), _BLOCK)):
        flips = [part.flips[some] for part in parts]
        words.append(gf2.pack(np.hstack([*flips, _symptoms(mechanisms, columns, some), mechanisms.observables[some]])))
    packed = np.concatenate(words)
    pivots = gf2.reduce_words(packed, range(width))
    return gf2.unpack(packed[: len(pivots)], width), pivots


def _check_determined(
    reduced: Bits, pivots: Sequence[int], others: Bits, columns: NDArray[np.int64], code: CSSCode
) -> None:
    """Check that whatever the equations leave open changes no observable, whichever errors happen.

    A sum may be replaced by another that agrees with all equations. The two differ for no mechanism whose flips are a
    sum of the equations' own; so it must be with each mechanism, and with each logical operator, which decoders may
    find flipped on their own.

    Parameters
    ----------
    reduced : uint8 [rank, logicals + columns]
        The equations' left sides in reduced row echelon form.
    others : uint8 [mechanisms, columns]
        Mechanisms of which there is no equation.
    """
    logicals = reduced.shape[1] - len(columns)
    free = np.setdiff1d(np.arange(reduced.shape[1]), pivots)
    if not len(free):
        return
    if set(range(logicals)) - set(pivots) or reduced[:logicals, free].any():
        raise CascadeError(
            f"expected errors that tell observable L0 from other sums of {code.name}'s logical operators and of "
            "detectors, got too few"
        )
    rows = np.hstack([np.zeros((len(others), logicals), dtype=np.uint8), others])
    # Whatever remains of a row once the equations are subtracted. In float32 products of large matrices are fast.
    sums = rows[:, pivots].astype(np.float32) @ reduced[:, free].astype(np.float32)
    left_open = np.flatnonzero((rows[:, free] != sums % 2).any(axis=1))
    if len(left_open):
        flipped = columns[np.flatnonzero(others[left_open[0]])]
        raise CascadeError(
            f"observable L0 is known up to detectors: expected errors of {code.name} that tell whether it takes part "
            f"in {', '.join(f'D{d}' for d in flipped[:5].tolist())}, got none"
        )


@dataclass(frozen=True, eq=False)
class _Known:
    """What an experiment of the code says of a circuit's mechanisms.

    Attributes
    ----------
    detectors : int64 [own]
        Detectors of the experiment's basis. Those of the other one notice other errors, which flip no observable.
    seen : uint64 [mechanisms]
        A word for the detectors of that basis that each mechanism flips, 0 for none.
    matched : bool [mechanisms]
        Whether a mechanism of the experiment flips these.
    flips : uint8 [mechanisms, k]
        The observables of the code that it flips.
    """

    detectors: NDArray[np.int64]
    seen: NDArray[np.uint64]
    matched: NDArray[np.bool_]
    flips: Bits


def _known(way: Placement, lattice: Lattice, mechanisms: Mechanisms, seed: int) -> _Known:
    primary = np.isin(way.sites, lattice.check_sites(lattice.basis))
    sites = np.where(primary, way.sites, -1)
    values = random_words(lattice.sites, seed)
    known, ours = known_by_sites(lattice, sites, values)
    seen = mechanisms.xor(values[sites])
    known, which, word = np.unique(known, return_index=True, return_inverse=True)
    # Where detectors are missing, errors that flip other observables can look the same: they say nothing.
    differ = (ours.observables != ours.observables[which[word]]).any(axis=1)
    clear = np.bincount(word, weights=differ) == 0
    known, which = known[clear], which[clear]
    position = np.minimum(np.searchsorted(known, seen), len(known) - 1)
    return _Known(np.flatnonzero(primary), seen, known[position] == seen, ours.observables[which[position]])


def best_translated(way: Placement, observables: ObservableMap, lattice: Lattice) -> Placement:
    """The placement moved so that the observables are sums of as few of the code's as can be; itself if they are."""
    code = lattice.code
    if len(code.translations) == 1:
        return way
    sums = (observables.logicals.astype(np.int64) @ _moved_logicals(code, way.basis) % 2).astype(np.uint8)
    terms = sums.sum(axis=(1, 2))
    # Of equally short ones those that come first, as the code's own do, so that where one starts does not matter.
    best = max(np.flatnonzero(terms == terms.min()).tolist(), key=lambda number: sums[number].tobytes())
    if best == 0:
        return way
    moved = np.full(lattice.sites + 1, -1)  # the last one for the detectors at -1
    for kind in BASES:
        sites = lattice.check_sites(kind)
        moved[sites] = sites[:, code.check_translations(kind)[best]]
    return replace(way, sites=moved[way.sites])


@lru_cache(maxsize=8)
def _moved_logicals(code: CSSCode, basis: Basis) -> Bits:
    """What each translation makes of the logicals, in the logicals themselves: uint8 [translations, k, k]."""
    logicals = code.logicals(basis)
    size = len(code.translations)
    moved = np.zeros((size, code.k, code.n), dtype=np.uint8)
    for translated, target in zip(moved, code.translations, strict=True):
        translated[:, target] = logicals
    sums = gf2.combinations(moved.reshape(-1, code.n), of=np.vstack([logicals, code.checks(basis)]))
    return sums[:, : code.k].reshape(size, code.k, code.k)
