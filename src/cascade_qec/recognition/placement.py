"""Where a skeleton's detectors sit on a code's lattice.

The checks fit onto the code in as many ways as the code has symmetries, and time may run either way. All ways give
valid decoding problems, but the network has learnt one order of the CNOTs: of all ways the one is taken in which most
error mechanisms are also mechanisms of the experiment that the network was trained on. That one also measures how
strong the noise is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cascade_qec import circuits
from cascade_qec.codes import BASES, Basis, CSSCode, opposite
from cascade_qec.error_models import Mechanisms, error_model, random_words
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import Lattice, memory_lattice
from cascade_qec.recognition.skeleton import Skeleton
from cascade_qec.recognition.tanner import TannerGraph, isomorphisms

REFERENCE_NOISE = 0.001

_COMPLETE = 1 - 1e-6
"""Agreement beyond which no better way is looked for."""


@dataclass(frozen=True, eq=False)
class Placement:
    """A way to lay an experiment's detectors onto a lattice.

    Attributes
    ----------
    basis : Basis
        Which memory experiment of the code it becomes.
    sites : int64 [detectors]
        Site of each detector, -1 for those to be ignored.
    agreement : float
        Share of the mechanisms' probability that is in mechanisms of our own experiment, too.
    """

    basis: Basis
    sites: NDArray[np.int64]
    agreement: float


def placements(
    skeleton: Skeleton, mechanisms: Mechanisms, code: CSSCode, bases: Sequence[Basis] = BASES
) -> list[Placement]:
    """Ways that differ by more than a translation of the lattice, the best first.

    Raises
    ------
    CascadeError
        If the checks are not those of the code.
    """
    found: list[Placement] = []
    for basis in sorted(bases, key=lambda basis: basis != (skeleton.basis or "Z")):
        if max((way.agreement for way in found), default=0) > _COMPLETE:
            break
        for sites in _ways(skeleton, code, basis):
            share = agreement(mechanisms, sites, memory_lattice(code, skeleton.rounds, basis))
            found.append(Placement(basis, sites, share))
    if not found:
        raise CascadeError(
            f"expected the checks of {code.name}, {_expected(code)}; got {described(skeleton)}{_hint(skeleton, code)}"
        )
    # Of equally good ways the first stays first: the basis that the circuit says, and time as it runs.
    return sorted(found, key=lambda way: -round(way.agreement, 6))


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
    kept = np.where(np.isin(lattice.detector_sites, present), lattice.detector_sites, -1)
    return ours.xor(values[kept]), ours


def agreement(mechanisms: Mechanisms, sites: NDArray[np.int64], lattice: Lattice) -> float:
    """Share of the mechanisms' probability that our own experiment on `lattice` has mechanisms for, too."""
    values = random_words(lattice.sites)
    known, _ = known_by_sites(lattice, sites, values)
    seen = mechanisms.xor(values[sites])
    visible = seen != 0
    total = mechanisms.probability[visible].sum()
    return float(mechanisms.probability[visible & np.isin(seen, known)].sum() / total) if total else 0.0


def _ways(skeleton: Skeleton, code: CSSCode, basis: Basis) -> Iterator[NDArray[np.int64]]:
    """Sites of the detectors, int64 [detectors], for each isomorphism and direction of time."""
    other = opposite(basis)
    own, rest = code.checks(basis), code.checks(other)
    if skeleton.primary.all():
        rest = rest[:0]
    graph = TannerGraph.of(np.vstack([own, rest]), np.arange(len(own) + len(rest)) < len(own))
    found = TannerGraph.of(skeleton.supports, skeleton.primary)
    # One check of those that translations take to each other: they are left to `cascade_qec.recognition.observables`.
    images = np.unique(code.check_translations(basis).min(axis=0))
    root = int(np.flatnonzero(skeleton.primary)[0])
    lattice = memory_lattice(code, skeleton.rounds, basis)
    site_of = np.concatenate([lattice.check_sites(basis), lattice.check_sites(other)], axis=1)
    symmetric = list(isomorphisms(found, graph, root=root, images=images))
    for time in (skeleton.time, skeleton.rounds - skeleton.time):
        for checks in symmetric:
            sites = np.where(skeleton.check >= 0, site_of[time, checks[skeleton.check]], -1)
            if np.isin(sites[sites >= 0], lattice.detector_sites).all():
                yield sites


def _expected(code: CSSCode) -> str:
    return f"{len(code.hx)} of X and {len(code.hz)} of Z on {code.n} data qubits, weights {_listed(code.hx, code.hz)}"


def _hint(skeleton: Skeleton, code: CSSCode) -> str:
    own, others = int(skeleton.primary.sum()), int((~skeleton.primary).sum())
    if skeleton.supports.shape[1] != code.n:
        return ""
    if own < len(code.hx) or 0 < others < len(code.hx):
        return ": the network needs detectors of every check, also of those that follow from others"
    if own > len(code.hx) or others > len(code.hx):
        return ": leave out the detectors of checks that the code has not, such as products of others"
    return ""


def described(skeleton: Skeleton) -> str:
    """What was found, for a message that tells why it will not do."""
    own = int(skeleton.primary.sum())
    return (
        f"{own} checks of the experiment's basis and {len(skeleton.primary) - own} others on "
        f"{skeleton.supports.shape[1]} data qubits, weights {_listed(skeleton.supports)}, {skeleton.rounds} rounds"
    )


def _listed(*supports: np.ndarray) -> str:
    return " and ".join(map(str, sorted({int(w) for matrix in supports for w in matrix.sum(axis=1)})))


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
