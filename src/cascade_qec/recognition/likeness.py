"""How much an experiment, laid onto a lattice, is like our own: in which errors it has, how likely, and how strong.

Our own is the one that networks are trained on, under uniform depolarizing noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cascade_qec import circuits
from cascade_qec.codes import Basis, CSSCode
from cascade_qec.error_models import Mechanisms, error_model, random_words
from cascade_qec.lattice import Lattice

REFERENCE_NOISE = 0.001

_SAME = 0.999
"""Overlap from which on distributions of errors are taken for one; those of a wrong basis have 0.97."""


@lru_cache(maxsize=8)
def reference(code: CSSCode, rounds: int, basis: Basis) -> Mechanisms:
    """Mechanisms of our own experiment under uniform depolarizing noise; detector d sits at the lattice's site d."""
    noise = circuits.UniformDepolarizing(REFERENCE_NOISE)
    circuit = circuits.memory(code, rounds=rounds, basis=basis, noise=noise)
    return Mechanisms.of(error_model(circuit))


def known_by_sites(
    lattice: Lattice, present: NDArray[np.int64], values: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], Mechanisms]:
    """Our own mechanisms, and the word of each one's sites that are also in `present`: uint64 [mechanisms]."""
    ours = reference(lattice.code, lattice.rounds, lattice.basis)
    there = np.zeros(lattice.sites + 1, dtype=np.bool_)
    there[present] = True
    there[-1] = False  # where those without a site were put
    kept = np.where(there[lattice.detector_sites], lattice.detector_sites, -1)
    return ours.xor(values[kept]), ours


def agreement(mechanisms: Mechanisms, sites: NDArray[np.int64], lattice: Lattice) -> float:
    """Share of the mechanisms' probability that our own experiment on `lattice` has mechanisms for, too."""
    values = random_words(lattice.sites)
    known, _ = known_by_sites(lattice, sites, values)
    seen = mechanisms.xor(values[sites])
    visible = seen != 0
    total = mechanisms.probability[visible].sum()
    return float(mechanisms.probability[visible & np.isin(seen, known)].sum() / total) if total else 0.0


def overlap(mechanisms: Mechanisms, sites: NDArray[np.int64], lattice: Lattice) -> float:
    """How far the probabilities of errors are those of our own experiment on `lattice`, but for one factor.

    Errors are taken for what one basis' checks see of them, so that models that know them only in such parts compare
    as well. The overlap is the Bhattacharyya coefficient: 1 where the distributions are the same, 0 where they have
    nothing in common.
    """
    values = random_words(lattice.sites)
    of_basis = np.zeros(lattice.sites, dtype=np.bool_)
    of_basis[lattice.check_sites(lattice.basis)] = True
    found, ours = [], []
    for kind in (of_basis, ~of_basis):
        present = np.where((sites >= 0) & kind[sites], sites, -1)
        found.append((mechanisms.xor(values[present]), mechanisms.probability))
        known, own = known_by_sites(lattice, present, values)
        ours.append((known, own.probability))
    return _coefficient(found, ours)


def same_problem(
    mechanisms: Mechanisms,
    first: tuple[NDArray[np.int64], Lattice],
    second: tuple[NDArray[np.int64], Lattice],
) -> bool:
    """Whether it makes no difference to a network in which of two ways an experiment is laid on lattices.

    It makes none if the errors of the experiment look the same either way; nor if our own do, so that a symmetry of
    what the network was trained on takes one way to the other.

    Parameters
    ----------
    first, second
        Site of each detector, int64 [detectors], -1 for none; and the lattice.
    """
    (sites, lattice), (other_sites, _) = first, second
    values = random_words(lattice.sites)
    seen = [[(mechanisms.xor(values[own]), mechanisms.probability)] for own in (sites, other_sites)]
    if _coefficient(*seen) > _SAME:
        return True
    of_detector = random_words(len(sites))[:-1]
    ours = []
    for own, whole in (first, second):
        by_site = np.zeros(whole.sites + 1, dtype=np.uint64)
        by_site[own] = of_detector
        by_site[-1] = 0  # where those without a site were put
        known, reference_errors = known_by_sites(whole, own, by_site)
        ours.append([(known, reference_errors.probability)])
    return _coefficient(*ours) > _SAME


_Errors = Sequence[tuple[NDArray[np.uint64], NDArray[np.float64]]]


def _coefficient(errors: _Errors, others: _Errors) -> float:
    """Bhattacharyya coefficient of two distributions of errors, each a word and a probability; words 0 are left out."""
    (words, p), (other_words, other_p) = _summed(errors), _summed(others)
    _, place, other_place = np.intersect1d(words, other_words, assume_unique=True, return_indices=True)
    total = p.sum() * other_p.sum()
    return float(np.sqrt(p[place] * other_p[other_place]).sum() / np.sqrt(total)) if total else 0.0


def _summed(errors: _Errors) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """The different words of errors, ascending, and the sum of the probabilities of each."""
    words, p = (np.concatenate(column) for column in zip(*errors, strict=True))
    distinct, which = np.unique(words[words != 0], return_inverse=True)
    return distinct, np.bincount(which, weights=p[words != 0], minlength=len(distinct)).astype(np.float64)


_STRONGEST = 0.1


def event_rate(mechanisms: Mechanisms, probability: NDArray[np.float64], detectors: NDArray[np.int64]) -> float:
    """Mean probability of an event over some detectors, were the mechanisms' probabilities these."""
    # P(odd) of independent flips: (1 - prod(1 - 2 p)) / 2.
    logs = np.log1p(-2 * np.minimum(probability, 0.499999))
    per_detector = np.bincount(mechanisms.detector, logs[mechanisms.owner], minlength=mechanisms.detectors)
    return float((1 - np.exp(per_detector[detectors])).mean() / 2) if len(detectors) else 0.0


def noise_strength(mechanisms: Mechanisms, sites: NDArray[np.int64], lattice: Lattice) -> float:
    """The p at which our own experiment under uniform depolarizing noise has as many detection events.

    `sites`, int64 [detectors], are those on `lattice`, -1 for detectors to be ignored.
    """
    ours = reference(lattice.code, lattice.rounds, lattice.basis)
    same = np.flatnonzero(np.isin(lattice.detector_sites, sites))
    wanted = event_rate(mechanisms, mechanisms.probability, np.flatnonzero(sites >= 0))
    low, high = 0.0, _STRONGEST
    for _ in range(40):
        middle = (low + high) / 2
        # Probabilities of mechanisms grow as p, but for terms that do not matter to a strength.
        if event_rate(ours, ours.probability * (middle / REFERENCE_NOISE), same) < wanted:
            low = middle
        else:
            high = middle
    return high if wanted else 0.0
