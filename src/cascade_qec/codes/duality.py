"""Symmetries that exchange X with Z, found in the matrices of a code over a group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes.abelian import AbelianGroup
from cascade_qec.codes.basis import BASES, Basis, opposite
from cascade_qec.codes.css import frozen

Edges = list[tuple[int, int, int]]
"""(row, column, group element) of each term of a matrix, in the order written."""

_Labels = Sequence[Sequence[tuple[int, ...]]]
"""Terms in each entry of a matrix, ascending."""


@dataclass(frozen=True, eq=False)
class Duality:
    """A symmetry that exchanges X with Z.

    Attributes
    ----------
    check : dict
        Basis -> int64 [checks]: the check of the other basis that each check of that basis becomes.
    qubit : int64 [n]
        The data qubit that each data qubit becomes.
    """

    check: dict[Basis, NDArray[np.int64]]
    qubit: NDArray[np.int64]


def duality_of(
    group: AbelianGroup, edges: Mapping[Basis, Edges], rows: Mapping[Basis, int], columns: int
) -> Duality | None:
    """One that permutes rows and columns of the matrices, and inverts the group or leaves it alone; None without any.

    Parameters
    ----------
    edges
        The terms of the matrices of X and of Z checks.
    rows, columns
        The sizes of the matrices.
    """
    same = np.arange(group.size)
    plain = {basis: _labels(edges[basis], rows[basis], columns, same) for basis in BASES}
    for turn in (group.inverse, same):
        turned = {basis: _labels(edges[basis], rows[basis], columns, turn) for basis in BASES}
        pairs = [(turned[basis], plain[opposite(basis)]) for basis in BASES]
        column_map = _column_map(pairs, columns, [])
        if column_map is not None:
            checks = [_moved_orbits(_row_map(*pair, column_map), turn) for pair in pairs]
            return Duality(dict(zip(BASES, checks, strict=True)), _moved_orbits(column_map, turn))
    return None


def _labels(edges: Edges, rows: int, columns: int, turn: NDArray[np.int64]) -> _Labels:
    labels: list[list[tuple[int, ...]]] = [[()] * columns for _ in range(rows)]
    for row, column, term in edges:
        labels[row][column] = tuple(sorted((*labels[row][column], int(turn[term]))))
    return labels


def _moved_orbits(orbits: Sequence[int], turn: NDArray[np.int64]) -> NDArray[np.int64]:
    return frozen(np.concatenate([orbit * len(turn) + turn for orbit in orbits]), np.int64)


def _column_map(pairs: Sequence[tuple[_Labels, _Labels]], columns: int, chosen: list[int]) -> list[int] | None:
    """Columns of the second matrices that those of the first ones become, if only their rows are permuted, too."""
    for first, second in pairs:
        ours = Counter(tuple(row[: len(chosen)]) for row in first)
        if ours != Counter(tuple(row[column] for column in chosen) for row in second):
            return None
    if len(chosen) == columns:
        return chosen
    for column in reversed(range(columns)):
        if column not in chosen:
            found = _column_map(pairs, columns, [*chosen, column])
            if found is not None:
                return found
    return None


def _row_map(first: _Labels, second: _Labels, columns: Sequence[int]) -> list[int]:
    """The row of the second matrix, its columns chosen so, that each row of the first one is."""
    left = [[row[column] for column in columns] for row in second]
    found = []
    for row in first:
        found.append(left.index(list(row)))
        left[found[-1]] = []
    return found
