"""The two boundaries of a graph that is matched, which tell apart the two logical classes of its solutions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Boundaries(NamedTuple):
    """What tells two logical classes apart.

    Attributes
    ----------
    far : bool [components]
        Which lead to the far boundary.
    between : bool [k]
        The observables that are flipped on the way from one boundary to the other: in one class, not in the other.
    """

    far: NDArray[np.bool_]
    between: NDArray[np.bool_]


def boundaries(ends: NDArray[np.int64], paired: NDArray[np.bool_], observables: NDArray[np.bool_]) -> Boundaries | None:
    """Find two boundaries such that the components that lead to the far one tell what a solution flips.

    On a planar code no ring of components flips an observable. Observables may then be counted anew so that nothing
    inside flips any, and of what leads out one part flips all that are flipped: that part leads to the far boundary.
    Solutions of the same events flip the same if, and only if, as many of their components lead there, modulo 2.

    Parameters
    ----------
    ends : int64 [components, 2]
        The detectors that each flips, the one twice if it is one.
    paired : bool [components]
        Whether it is two.
    observables : bool [components, k]

    Returns
    -------
    Boundaries or None
        None where there are more than two classes: on a torus, say, or of several codes side by side.
    """
    flips = [int.from_bytes(bits.tobytes(), "big") for bits in np.packbits(observables, axis=1)]
    edges = list(zip(ends.tolist(), flips, paired.tolist(), strict=True))
    inside: dict[int, list[tuple[int, int]]] = {end: [] for (end, _), _, _ in edges}
    for (a, b), flip, two in edges:
        if two:
            inside[a].append((b, flip))
            inside.setdefault(b, []).append((a, flip))
    # what a way from the first detector of its piece flips
    way: dict[int, int] = {}
    piece: dict[int, int] = {}
    for first in inside:
        reached = [] if first in way else [first]
        way.setdefault(first, 0)
        for a in reached:
            piece[a] = first
            for b, flip in inside[a]:
                if b not in way:
                    way[b] = way[a] ^ flip
                    reached.append(b)
    near: dict[int, int] = {}  # what a way from there to the near boundary flips
    far = np.zeros(len(flips), dtype=np.bool_)
    classes = {0}
    for number, ((a, b), flip, two) in enumerate(edges):
        flipped = way[a] ^ flip ^ (way[b] if two else near.setdefault(piece[a], way[a] ^ flip))
        if two and flipped:
            return None
        far[number] = flipped != 0
        classes.add(flipped)
    if len(classes) > 2:
        return None
    k = observables.shape[1]
    bits = np.frombuffer(max(classes).to_bytes(-(-k // 8), "big"), dtype=np.uint8)
    return Boundaries(far, np.unpackbits(bits, count=k).astype(np.bool_))
