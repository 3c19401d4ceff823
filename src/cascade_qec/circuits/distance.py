"""How few faults of a circuit flip an observable unseen, as far as Stim finds out."""

from __future__ import annotations

from cascade_qec.circuits.memory import memory
from cascade_qec.circuits.noise import UniformDepolarizing
from cascade_qec.codes import BASES, CSSCode


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
