"""The detectors of an error model in chains, one per check, each in the order of time.

What follows is read off the sets of detectors that mechanisms flip, whatever their probabilities. Nearly all that
is said of time comes from the measurement errors: each flips two successive detectors of one check.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import CSSCode
from cascade_qec.error_models import Mechanisms, random_words
from cascade_qec.errors import CascadeError


@dataclass(frozen=True, eq=False)
class Chains:
    """One chain of detectors for each check.

    Attributes
    ----------
    check : int64 [detectors]
        The chain of each detector, -1 for one in none.
    position : int64 [detectors]
        Its place in the chain, from 0.
    length : int64 [chains]
        Detectors of each chain.
    """

    check: NDArray[np.int64]
    position: NDArray[np.int64]
    length: NDArray[np.int64]


def distinct(mechanisms: Mechanisms) -> tuple[Mechanisms, NDArray[np.bool_]]:
    """Leave out the detectors that never fire, and those that do what an earlier one does.

    Returns
    -------
    Mechanisms
        The same ones, less those detectors; the others keep their numbers.
    bool [detectors]
        The detectors kept.
    """
    # A detector is the set of mechanisms that flip it: equal sums of random words, equal sets.
    words = random_words(len(mechanisms.probability))
    symptoms = np.zeros(mechanisms.detectors, dtype=np.uint64)
    np.add.at(symptoms, mechanisms.detector, words[mechanisms.owner])
    kept = np.zeros(mechanisms.detectors, dtype=bool)
    kept[np.unique(symptoms, return_index=True)[1]] = True
    kept &= symptoms != 0
    return mechanisms.on(kept), kept


def flipping(mechanisms: Mechanisms, weight: int) -> NDArray[np.int64]:
    """Sets of that many detectors that one mechanism flips, each once: int64 [sets, weight], ascending in each."""
    of_weight = mechanisms.start[:-1][mechanisms.weight == weight]
    return np.unique(mechanisms.detector[of_weight[:, None] + np.arange(weight)], axis=0)


def measurement_errors(mechanisms: Mechanisms) -> NDArray[np.int64]:
    """Pairs of successive detectors of one check of a code whose data qubits meet three checks of each basis.

    One more kind of fault flips two detectors: an error of a data qubit in the first or the last round that one of
    its checks misses, with the checks of the other basis than the experiment's. But two checks of one data qubit are
    also flipped in one slice together with the third, two detectors of one check by no data error.

    Returns
    -------
    int64 [pairs, 2]
    """
    pairs, triples = flipping(mechanisms, 2), flipping(mechanisms, 3)
    alone = np.zeros(mechanisms.detectors, dtype=bool)
    alone[flipping(mechanisms, 1)] = True
    # A gate's fault that combines a measurement error with the flip of a single detector is no data error.
    triples = triples[alone[triples].sum(axis=1) != 1]
    in_triples = np.concatenate([triples[:, [0, 1]], triples[:, [0, 2]], triples[:, [1, 2]]])
    keys, data_errors = (found @ [mechanisms.detectors, 1] for found in (pairs, in_triples))
    return pairs[~np.isin(keys, data_errors)]


def repeated(mechanisms: Mechanisms, place: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of detectors at one place, int64 [detectors], that a mechanism flips: int64 [pairs, 2]."""
    pairs = flipping(mechanisms, 2)
    return pairs[place[pairs[:, 0]] == place[pairs[:, 1]]]


def in_order(place: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of detectors that follow each other in number at one place, -1 for none: int64 [pairs, 2]."""
    order = np.argsort(place, kind="stable")
    follows = (place[order[1:]] == place[order[:-1]]) & (place[order[1:]] >= 0)
    return np.stack([order[:-1], order[1:]], axis=1)[follows]


def linked(pairs: NDArray[np.int64], kept: NDArray[np.bool_], code: CSSCode) -> Chains:
    """Chains of the detectors kept, in which neighbours are those paired.

    Parameters
    ----------
    pairs : int64 [pairs, 2]
    kept : bool [detectors]
    code
        What the experiment is to be of, to be named where it is none.

    Raises
    ------
    CascadeError
        If a detector has more than two neighbours, or a chain no end.
    """
    neighbours: dict[int, list[int]] = {detector: [] for detector in np.flatnonzero(kept).tolist()}
    for a, b in pairs.tolist():
        neighbours[a].append(b)
        neighbours[b].append(a)
    crowded = sum(len(found) > 2 for found in neighbours.values())
    if crowded:
        raise CascadeError(
            f"expected measurement errors of {code.name} to connect each detector with the one before and the one "
            f"after it, got {crowded} of {len(neighbours)} detectors connected with more"
        )
    check, position = np.full((2, len(kept)), -1)
    length = []
    for end, found in neighbours.items():
        if len(found) == 2 or check[end] >= 0:
            continue
        place, ahead = 0, [end]
        while ahead:
            check[ahead[0]], position[ahead[0]] = len(length), place
            place, ahead = place + 1, [d for d in neighbours[ahead[0]] if check[d] < 0]
        length.append(place)
    endless = int((check[kept] < 0).sum())
    if endless:
        raise CascadeError(
            f"expected measurement errors of {code.name} to connect detectors in chains, got {endless} in circles"
        )
    return Chains(check, position, np.array(length, dtype=np.int64))


def oriented(chains: Chains, mechanisms: Mechanisms, primary: NDArray[np.bool_], degrees: set[int]) -> list[Chains]:
    """Turn chains round until all run the same way in time: of the two ways, that of the detectors' numbers.

    Two checks of one data qubit fire together in every slice, by its errors between two rounds. By its errors within a
    round they also fire in successive slices, but only the one check first that the qubit meets last. So the detectors
    that fire together sit at equal places in their chains more often than at opposite ones, if the chains run the same
    way; and the same holds, summed over all, of the times of the two bases. Where no error is seen by both, the model
    leaves open whether their chains run the same way.

    Parameters
    ----------
    primary : bool [chains]
        Which of them are of the experiment's own basis.
    degrees
        How many checks of one basis data qubits meet, where they meet several.

    Returns
    -------
    list of Chains
        One, or two where the model leaves open how the times of the two bases belong together.
    """
    sets = [(flipping(mechanisms, degree), degree) for degree in sorted(degrees)]
    ends = [found[:, pair] for found, degree in sets for pair in permutations(range(degree), 2)]
    ends = np.concatenate([np.zeros((0, 2), dtype=np.int64), *ends])
    # Two detectors count once, however many sets have both.
    ends = np.unique(ends[np.all(chains.check[ends] >= 0, axis=1)], axis=0)
    (a, b), (place_a, place_b) = chains.check[ends].T, chains.position[ends].T
    same_length = chains.length[a] == chains.length[b]
    size = len(primary)
    equal, opposite = np.zeros((2, size, size))
    np.add.at(equal, (a, b), same_length & (place_a == place_b))
    np.add.at(opposite, (a, b), same_length & (place_a == chains.length[b] - 1 - place_b))
    # Cubed, as checks that share no data qubit fire together by faults of an ancilla, but at fewer places.
    alike = equal**3 - opposite**3
    backwards = np.zeros(size, dtype=bool)
    for kind in (primary, ~primary):
        if kind.any():
            # The signs that agree best with all pairs at once: those of the leading eigenvector.
            backwards[kind] = np.linalg.eigh(alike[np.ix_(kind, kind)])[1][:, -1] < 0

    position = np.where(backwards[chains.check], chains.length[chains.check] - 1 - chains.position, chains.position)
    late = np.where(chains.check >= 0, 2 * position - chains.length[chains.check] + 1, 0)
    owner, of_detector, own = mechanisms.owner, late[mechanisms.detector], primary[chains.check[mechanisms.detector]]
    own_times, other_times = (
        np.bincount(owner, weights=of_detector * kind, minlength=len(mechanisms.probability)) for kind in (own, ~own)
    )
    together = own_times @ other_times
    others = np.where(primary[chains.check], 0, late)
    turns = [together < 0] if together or not others.any() else [False, True]
    return [_numbered(chains, late - 2 * others * turn) for turn in turns]


def _numbered(chains: Chains, late: NDArray[np.int64]) -> Chains:
    """Chains with places by a time, int64 [detectors], twice the place less that of the middle, or all turned round."""
    if late @ np.arange(len(late)) < 0:
        late = -late
    return replace(chains, position=np.where(chains.check >= 0, (late + chains.length[chains.check] - 1) // 2, -1))


def experiment_of(chains: Chains, code: CSSCode) -> tuple[int, NDArray[np.bool_]]:
    """Rounds of a memory experiment with these chains, and which of them are of its own basis.

    Parameters
    ----------
    chains
        As many as the checks of the experiment's basis, with a detector more than there are rounds, and either as many
        as those of the other basis, with a detector less, or none.
    code
        What the experiment is to be of.

    Returns
    -------
    rounds : int
    primary : bool [chains]

    Raises
    ------
    CascadeError
        If these are the chains of no memory experiment of the code.
    """
    counts = {(len(own), len(others)) for own, others in ((code.hx, code.hz), (code.hz, code.hx)) if len(own)}
    longest = int(chains.length.max(initial=0))
    if longest == 1:
        raise CascadeError(
            f"expected measurement errors of {code.name}, which connect the detectors of a check in order of time, got "
            "none: give the circuit, which tells the order without them"
        )
    found = Counter(chains.length.tolist())
    fitting = [each for own, others in counts for each in ({longest: own}, {longest: own, longest - 2: others})]
    if longest < 2 or found not in fitting:
        shown = ", ".join(f"{number} of {length}" for length, number in sorted(found.items(), reverse=True)[:6])
        known = " or ".join(f"{own} chains of rounds + 1 and none or {others}" for own, others in sorted(counts))
        raise CascadeError(
            f"expected detectors of {code.name} in {known} of rounds - 1, one for each check of the experiment's basis "
            f"and of the other one; got {shown or 'none'}"
        )
    return longest - 1, chains.length == longest
