"""Search for logical operators of minimum weight, and for all that are light.

A logical operator of one basis is a word of a classical code: it commutes with all checks of the other basis
and is not a product of checks of its own. Low-weight words are found by randomised information-set decoding
(Lee and Brickell): bring a generator matrix into systematic form on a random information set and look at all
sums of at most two of its rows. A word of weight w turns up as soon as at most two of its ones fall into the
information set. The code's symmetries multiply every find.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import gf2
from cascade_qec.codes.gf2 import Bits, Words

# Words whose images are looked at in one round: the lightest. More cost memory and seldom help.
MERGED_AT_ONCE = 256


def low_weight_logicals(
    stabilizers: Bits,
    logicals: Bits,
    conjugates: Bits,
    symmetries: NDArray[np.int64],
    *,
    target: int | None,
    rounds: int,
    seed: int = 0,
) -> Bits:
    """Replace a basis of logical operators by one of the lowest weights that the search finds.

    Parameters
    ----------
    stabilizers
        Checks of the basis searched, ``uint8 [checks, n]``.
    logicals
        Any k logical operators of that basis, independent modulo the stabilizers, ``uint8 [k, n]``.
    conjugates
        Any k logical operators of the other basis, independent likewise, ``uint8 [k, n]``.
    symmetries
        Permutations of the data qubits under which the stabilizers of each basis are invariant, the identity
        among them, ``int64 [s, n]``: entry q is the image of qubit q.
    target
        Stop once all k weights are at most this. None: stop after ``rounds`` rounds without progress.
    rounds
        How many information sets to try before giving up, counted from the last one that lowered a weight.
    seed
        The same seed gives the same operators.

    Returns
    -------
    uint8 [k, n]
        Independent modulo the stabilizers, lightest first.
    """
    n = logicals.shape[1]
    rng = np.random.default_rng(seed)
    basis = logicals[np.argsort(logicals.sum(axis=1), kind="stable")]
    words, split = _with_classes(stabilizers, logicals)
    idle = 0
    while idle < rounds:
        weights = basis.sum(axis=1)
        if target is not None and weights[-1] <= target:
            break
        gf2.reduce_words(words, rng.permutation(n).tolist())
        found = gf2.unpack(_light_sums(words, split, limit=int(weights[-1]) - 1), n)
        improved = _merge(basis, found, conjugates, symmetries)
        idle = 0 if improved.sum() < basis.sum() else idle + 1
        basis = improved
    return basis


def light_logicals(
    stabilizers: Bits,
    logicals: Bits,
    symmetries: NDArray[np.int64],
    *,
    weight: int,
    rounds: int,
    most: int,
    seed: int = 0,
) -> Bits:
    """All logical operators of one basis up to a weight, whatever their class, together with their images.

    All that there are, if so many rounds find them: operators with many images turn up early. The same seed gives the
    same operators.

    Parameters
    ----------
    stabilizers, logicals, symmetries, seed
        As of `low_weight_logicals`.
    weight
        The greatest.
    rounds
        How many information sets to try, counted from the last one that had an operator not seen before.
    most
        Stop once there are so many operators.

    Returns
    -------
    uint8 [operators, n]
        Each once, in an order that does not depend on the search.
    """
    n = logicals.shape[1]
    rng = np.random.default_rng(seed)
    words, split = _with_classes(stabilizers, logicals)
    known: set[bytes] = set()
    idle = 0
    while idle < rounds and len(known) < most:
        gf2.reduce_words(words, rng.permutation(n).tolist())
        idle += 1
        for found in gf2.unpack(_light_sums(words, split, limit=weight), n):
            if found.tobytes() not in known:
                images = np.zeros((len(symmetries), n), dtype=np.uint8)
                np.put_along_axis(images, symmetries[:, np.flatnonzero(found)], 1, axis=1)
                known.update(image.tobytes() for image in images)
                idle = 0
    return np.array([np.frombuffer(word, dtype=np.uint8) for word in sorted(known)])


def _with_classes(stabilizers: Bits, logicals: Bits) -> tuple[Words, int]:
    """Stabilizers and logical operators as words, and the word where their classes begin, zero for stabilizers."""
    bits = np.vstack([gf2.row_reduce(stabilizers)[0], logicals])
    k = len(logicals)
    classes = np.vstack([np.zeros((len(bits) - k, k), dtype=np.uint8), np.eye(k, dtype=np.uint8)])
    return np.hstack([gf2.pack(bits), gf2.pack(classes)]), gf2.pack(bits).shape[1]


def _light_sums(words: Words, split: int, limit: int) -> Words:
    """Sums of one or two rows of weight up to ``limit`` but no stabilizers: ``uint64 [found, split]``."""
    found = []
    for first in range(len(words)):
        # Row `first` itself, then its sums with the rows after it.
        sums = words[first:].copy()
        sums[1:] ^= words[first]
        weights = np.bitwise_count(sums[:, :split]).sum(axis=1, dtype=np.int64)
        light = np.flatnonzero(weights <= limit)
        found.append(sums[light[sums[light, split:].any(axis=1)], :split])
    return np.vstack(found)


def _merge(basis: Bits, found: Bits, conjugates: Bits, symmetries: NDArray[np.int64]) -> Bits:
    """Lightest independent set among a basis and all images of the words found: ``uint8 [k, n]``.

    Taking the lightest first and skipping what depends on those before is optimal: independence is a matroid.
    """
    k, n = basis.shape
    found = found[np.argsort(found.sum(axis=1), kind="stable")[:MERGED_AT_ONCE]]
    words = np.vstack([basis, found])
    words = words[np.argsort(words.sum(axis=1), kind="stable")]
    # The class of an image is its overlap with the conjugates, and so that of the word with their preimages.
    preimages = conjugates[:, symmetries].reshape(-1, n)
    overlaps = words.astype(np.float32) @ preimages.T.astype(np.float32)
    classes = (overlaps.astype(np.int64) % 2).reshape(len(words), k, len(symmetries))
    chosen = gf2.independent_rows(classes.transpose(0, 2, 1).reshape(-1, k))
    word, symmetry = np.divmod(chosen, len(symmetries))
    merged = np.zeros_like(basis)
    merged[np.arange(k)[:, None], symmetries[symmetry]] = words[word]
    return merged
