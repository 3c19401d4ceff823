"""How few faults of a circuit flip an observable unseen, as far as Stim finds out."""

from __future__ import annotations

import math
from itertools import islice

from cascade_qec.circuits.memory import memory
from cascade_qec.circuits.noise import UniformDepolarizing
from cascade_qec.codes import BASES, CSSCode, GroupCode


def best_order(
    code: GroupCode, orders: int, *, rounds: int = 3, size: int = 3, seed: int = 0
) -> tuple[GroupCode, int | None]:
    """The code with the schedule of the largest circuit distance, of its own and so many drawn at random.

    Of those with equal distances it is the one of least depth, and of these the first.

    Parameters
    ----------
    code
    orders
        How many are drawn: `GroupCode.orders`.
    rounds, size
        As `circuit_distance` has them.
    seed
        The same one draws the same schedules.

    Returns
    -------
    code : GroupCode
    distance : int or None
        As `circuit_distance` gives it; where it found no set of faults, that counts as the largest distance.
    """
    found = [
        (each, circuit_distance(each, rounds=rounds, size=size)) for each in (code, *islice(code.orders(seed), orders))
    ]
    return max(found, key=lambda one: (math.inf if one[1] is None else one[1], -one[0].schedule.depth))


def circuit_distance(code: CSSCode, *, rounds: int = 3, size: int = 4) -> int | None:
    """The fewest faults of a memory experiment, of either basis, that flip an observable and no detector.

    Of codes that matching decodes it is the shortest path in the graph of faults that flip two detectors of one basis
    at most, which is exact but for faults that only together look like such ones. Of others it is an upper bound.

    Parameters
    ----------
    code
    rounds
        Of the experiment. What ancillas spread is there from two rounds on.
    size
        Of other codes: how many events a fault, and how many a set of faults on the way to the observable, may cause;
        the more, the better the bound, and the longer it takes: seconds with 3, a minute with 4.

    Returns
    -------
    int or None
        None where no such set was found.
    """
    found: list[int] = []
    for basis in BASES:
        if not len(code.checks(basis)):
            continue
        circuit = memory(code, rounds=rounds, basis=basis, noise=UniformDepolarizing(0.001))
        if code.matchable:
            found.append(len(circuit.shortest_graphlike_error(ignore_ungraphlike_errors=True)))
            continue
        try:
            errors = circuit.search_for_undetectable_logical_errors(
                dont_explore_detection_event_sets_with_size_above=size,
                dont_explore_edges_with_degree_above=size,
                dont_explore_edges_increasing_symptom_degree=False,
            )
        except ValueError:  # Stim found none
            continue
        found.append(len(errors))
    return min(found, default=None)
