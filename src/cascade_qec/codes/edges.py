"""Edge colourings of bipartite graphs: who may meet whom at the same time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def edge_colours(edges: Sequence[tuple[int, ...]]) -> NDArray[np.int64]:
    """Colour edges so that no two at one end have the same, by as few colours as can be (König).

    Parameters
    ----------
    edges
        (left end, right end) of each, and whatever else; two edges may have the same ends.

    Returns
    -------
    int64 [edges]
        From 0 to the most edges at an end, less one. Each edge takes the least colour that is free at both of its ends,
        where there is one.
    """
    ends = [((0, left), (1, right)) for left, right, *_ in edges]
    most = max(Counter(end for pair in ends for end in pair).values(), default=0)
    used: defaultdict[tuple[int, int], dict[int, int]] = defaultdict(dict)  # end -> colour -> edge
    colours = np.zeros(len(edges), dtype=np.int64)

    def give(edge: int, colour: int) -> None:
        colours[edge] = colour
        for end in ends[edge]:
            used[end][colour] = edge

    for edge, (left, right) in enumerate(ends):
        of_left, of_right = ([c for c in range(most) if c not in used[end]] for end in (left, right))
        both = [c for c in of_left if c in of_right]
        if not both:
            # Exchange two colours along the path from the right end, which does not come back to the left one.
            path, end, pair = [], right, (of_left[0], of_right[0])
            while pair[0] in used[end]:
                step = used[end][pair[0]]
                path.append((step, pair[1]))
                end = ends[step][end[0] == 0]
                pair = pair[::-1]
            for step, _ in path:
                for end in ends[step]:
                    del used[end][int(colours[step])]
            for step, colour in path:
                give(step, colour)
        give(edge, (both or of_left)[0])
    return colours
