"""Which translation of the torus suits an experiment's observables.

A code on a torus looks the same from every check, and so it does to the network. But the code's observables are fixed
lines on it: an experiment of its own, moved by a step, has sums of them. Of all translations the one is taken after
which the sums are shortest, so that an experiment of the code is known as such whatever its detectors' numbers.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from cascade_qec.codes import BASES, Basis, CSSCode, gf2
from cascade_qec.codes.gf2 import Bits
from cascade_qec.lattice import Lattice
from cascade_qec.recognition.observables import ObservableMap
from cascade_qec.recognition.placement import Placement


def best_translated(way: Placement, observables: ObservableMap, lattice: Lattice) -> Placement:
    """The placement moved so that the observables are sums of as few of the code's as can be; itself if they are.

    Parameters
    ----------
    way
        Where the detectors sit.
    observables
        The observables in that place.
    lattice
        The code's own experiment.
    """
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
