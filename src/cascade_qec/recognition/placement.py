"""Where a skeleton's detectors sit on a code's lattice.

The checks fit onto the code in as many ways as the code has symmetries, and time may run either way. All ways give
valid decoding problems, but the network has learnt one order of the CNOTs: of all ways the one is taken in which most
error mechanisms are also mechanisms of the experiment that the network was trained on, and of those the one in which
they are about as likely.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import BASES, Basis, CSSCode, opposite
from cascade_qec.error_models import Mechanisms
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import memory_lattice
from cascade_qec.recognition.likeness import agreement, overlap
from cascade_qec.recognition.skeleton import Skeleton
from cascade_qec.recognition.tanner import TannerGraph, isomorphisms


@dataclass(frozen=True, eq=False)
class Placement:
    """A way to lay an experiment's detectors onto a lattice.

    Attributes
    ----------
    basis : Basis
        Which memory experiment of the code it becomes.
    sites : int64 [detectors]
        Site of each detector, -1 for those to be ignored.
    likeness : tuple of float
        How much the experiment is like our own then, the more the better, what counts most first: the share of its
        errors that ours has, too; that share of the errors of a circuit that fails everywhere; and how far their
        probabilities overlap with ours. Rounded, so that what is as good is equal.
    """

    basis: Basis
    sites: NDArray[np.int64]
    likeness: tuple[float, ...]


def placements(
    skeleton: Skeleton, own: Mechanisms, probe: Mechanisms, code: CSSCode, bases: Sequence[Basis] = BASES
) -> list[Placement]:
    """Ways that differ by more than a translation of the lattice, the best first.

    Parameters
    ----------
    own, probe
        Of the experiment, and of it when everything fails; the same one of an error model.

    Raises
    ------
    CascadeError
        If the checks are not those of the code.
    """
    found: list[Placement] = []
    for basis in sorted(bases, key=lambda basis: basis != (skeleton.basis or "Z")):
        if skeleton.basis is not None and any(way.likeness[1] == 1 for way in found):
            break  # the circuit says its basis, and it fits
        lattice = memory_lattice(code, skeleton.rounds, basis)
        for sites in _ways(skeleton, code, basis):
            shares = [agreement(errors, sites, lattice) for errors in (own, probe)]
            likeness = [round(part, 6) for part in (*shares, overlap(own, sites, lattice))]
            found.append(Placement(basis, sites, tuple(likeness)))
    if not found:
        raise CascadeError(
            f"expected the checks of {code.name}, {_expected(code)}; got {described(skeleton)}{_hint(skeleton, code)}"
        )
    # Of equally good ways the first stays first: the basis that the circuit says, and time as it runs.
    return sorted(found, key=lambda way: way.likeness, reverse=True)


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
    of_detector = np.zeros(lattice.sites, dtype=np.bool_)
    of_detector[lattice.detector_sites] = True
    for time in (skeleton.time, skeleton.rounds - skeleton.time):
        for checks in symmetric:
            sites = np.where(skeleton.check >= 0, site_of[time, checks[skeleton.check]], -1)
            if of_detector[sites[sites >= 0]].all():
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
