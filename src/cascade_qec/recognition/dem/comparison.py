"""Detectors without usable coordinates, by comparing the error model with those of known circuits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.codes import BASES, Basis, CSSCode, opposite
from cascade_qec.codes.gf2 import Bits
from cascade_qec.error_models import Mechanisms, error_model, random_words
from cascade_qec.errors import CascadeError
from cascade_qec.recognition.skeleton import Skeleton
from cascade_qec.recognition.tanner import TannerGraph, isomorphisms

_STRENGTH = 0.001  # of the noise, whose mechanisms are the same at any


def isomorphic_skeletons(mechanisms: Mechanisms, kept: NDArray[np.bool_], code: CSSCode) -> list[Skeleton]:
    """The skeletons of a model whose mechanisms flip the same sets of detectors as those of a circuit of ours.

    Our circuits are taken in either basis, with each order of the CNOTs that the code knows (`CSSCode.variants`), with
    all detectors and with those of the experiment's basis alone, under noise in which everything fails.

    Mechanisms and detectors kept are as :func:`~cascade_qec.recognition.dem.chains.distinct` gives them.

    Returns
    -------
    list of Skeleton
        One for each symmetry of the circuit's mechanisms but translations of the code, first those in which time runs
        with the detectors' numbers. There are two, of opposite times, but for one round of distance 3: it has more,
        which the model does not tell apart.

    Raises
    ------
    CascadeError
        If there is no such circuit.
    """
    numbers = np.flatnonzero(kept)
    symptoms, found = _symptoms(mechanisms, numbers), None
    for reference, skeleton, orbit in _references(code, len(numbers)):
        if reference.shape != symptoms.shape:
            continue
        theirs, found = _graph(reference), found or _graph(symptoms)
        colours, first, count = np.unique(found.colours[: len(numbers)], return_index=True, return_counts=True)
        rarest = int(np.argmin(count))
        images = np.flatnonzero(theirs.colours[: len(numbers)] == colours[rarest])
        images = images[np.unique(orbit[images], return_index=True)[1]]
        skeletons = []
        for image in isomorphisms(found, theirs, root=int(first[rarest]), images=images):
            check, time = np.full(len(kept), -1), np.zeros(len(kept), dtype=np.int64)
            check[numbers], time[numbers] = skeleton.check[image], skeleton.time[image]
            skeletons.append(replace(skeleton, check=check, time=time))
        if skeletons:
            return sorted(skeletons, key=lambda skeleton: -int(skeleton.time @ np.arange(len(kept))))
    raise CascadeError(
        f"expected detectors with the coordinates of {code.name}'s checks, or mechanisms that flip the same sets of "
        f"detectors as those of a memory experiment of this package, got {len(numbers)} detectors with neither"
    )


def _references(code: CSSCode, detectors: int) -> Iterator[tuple[Bits, Skeleton, NDArray[np.int64]]]:
    """Symptoms, uint8 [detectors, sets], of our experiments with that many detectors; what the detectors are; and a
    number of each, int64 [detectors], which those have in common that translations take to each other."""
    of_x, of_z = (code.check_translations(basis).min(axis=0) for basis in BASES)
    orbits = np.concatenate([of_x, len(code.hx) + of_z])
    for alone, basis in product((False, True), BASES):
        for rounds in experiment_rounds(
            len(code.checks(basis)), len(code.checks(opposite(basis))), detectors, alone=alone
        ):
            whole = _skeleton(code, rounds, basis)
            present = np.flatnonzero(whole.primary[whole.check]) if alone else np.arange(len(whole.check))
            orbit = orbits[whole.check[present]] + len(orbits) * whole.time[present]
            checks_present, check = np.unique(whole.check[present], return_inverse=True)
            skeleton = Skeleton(
                rounds=rounds,
                check=check.astype(np.int64),
                time=whole.time[present],
                supports=whole.supports[checks_present],
                primary=whole.primary[checks_present],
            )
            for variant in code.variants:
                circuit = memory(variant, rounds=rounds, basis=basis, noise=UniformDepolarizing(_STRENGTH))
                model = Mechanisms.of(error_model(circuit))
                yield _symptoms(model, present), skeleton, orbit


def experiment_rounds(own: int, others: int, detectors: int, *, alone: bool) -> list[int]:
    """The rounds, none or one, of an experiment with so many detectors: all, or those of its basis alone.

    Parameters
    ----------
    own, others
        Checks of the experiment's basis, and of the other one.
    """
    others = 0 if alone else others
    # Own checks have a detector more than there are rounds, others one less.
    rounds, rest = divmod(detectors - own + others, max(own + others, 1))
    return [rounds] if own and not rest and rounds > 0 else []


def _skeleton(code: CSSCode, rounds: int, basis: Basis) -> Skeleton:
    """Of `cascade_qec.circuits.memory`, whose detectors are ordered by time, X before Z, then as in the code."""
    primary = np.repeat([basis == "X", basis == "Z"], [len(code.hx), len(code.hz)])
    own, both = np.flatnonzero(primary), np.arange(len(primary))
    slices = [own if time in (0, rounds) else both for time in range(rounds + 1)]
    return Skeleton(
        rounds=rounds,
        check=np.concatenate(slices),
        time=np.repeat(np.arange(rounds + 1), [len(found) for found in slices]),
        supports=np.vstack([code.hx, code.hz]),
        primary=primary,
    )


def _symptoms(mechanisms: Mechanisms, detectors: NDArray[np.int64]) -> Bits:
    """The different sets of these detectors that mechanisms flip, the empty one left out: uint8 [detectors, sets]."""
    row = np.full(mechanisms.detectors, -1)
    row[detectors] = np.arange(len(detectors))
    known, first = np.unique(mechanisms.xor(random_words(len(detectors))[row]), return_index=True)
    column = np.full(len(mechanisms.probability), -1)
    column[first[known != 0]] = np.arange(np.count_nonzero(known))
    used = (column[mechanisms.owner] >= 0) & (row[mechanisms.detector] >= 0)
    sets = np.zeros((len(detectors), np.count_nonzero(known)), dtype=np.uint8)
    sets[row[mechanisms.detector[used]], column[mechanisms.owner[used]]] = 1
    return sets


def _graph(symptoms: Bits) -> TannerGraph:
    """Detectors as checks, sets as qubits."""
    return TannerGraph.of(symptoms, np.ones(len(symptoms), dtype=bool))
