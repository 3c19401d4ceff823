"""Linear algebra over GF(2) on rows packed 64 bits to a word.

Matrices at the door are ``uint8`` of zeros and ones; inside, a row is a run of machine words, so that adding
two rows of a few hundred columns is a handful of XORs.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_qec.errors import CascadeError

Bits = NDArray[np.uint8]
Words = NDArray[np.uint64]


def as_bits(matrix: ArrayLike) -> Bits:
    """Check that ``matrix`` is two-dimensional and of zeros and ones; return it as ``uint8``.

    Raises
    ------
    CascadeError
        If it has another number of dimensions or another entry.
    """
    array = np.asarray(matrix)
    if array.ndim != 2:
        raise CascadeError(f"expected a matrix over GF(2) with 2 dimensions, got an array of shape {array.shape}")
    if not np.all((array == 0) | (array == 1)):
        raise CascadeError("expected a matrix over GF(2), of zeros and ones only; got other entries")
    return array.astype(np.uint8)


def pack(matrix: Bits) -> Words:
    """Pack ``uint8 [rows, columns]`` into ``uint64 [rows, ceil(columns / 64)]``, at least one word a row.

    Column c is bit c % 8 of byte c // 8 of its row, whatever the byte order of the machine.
    """
    rows, columns = matrix.shape
    packed = np.zeros((rows, 8 * max(1, -(-columns // 64))), dtype=np.uint8)
    packed[:, : -(-columns // 8)] = np.packbits(matrix, axis=1, bitorder="little")
    return packed.view(np.uint64)


def unpack(words: Words, columns: int) -> Bits:
    """Invert :func:`pack`: ``uint8 [rows, columns]``."""
    packed = np.ascontiguousarray(words).view(np.uint8)
    return np.unpackbits(packed, axis=1, bitorder="little", count=columns)


def reduce_words(words: Words, columns: Iterable[int]) -> list[int]:
    """Bring packed rows into reduced row echelon form, in place, taking pivots in the order of ``columns``.

    Returns
    -------
    list of int
        The pivot columns: row r, for r below the rank, is the only one with a one in column ``pivots[r]``.
        The rows after those are zero in all of ``columns``.
    """
    octets = words.view(np.uint8)
    pivots: list[int] = []
    for column in columns:
        rank = len(pivots)
        if rank == len(words):
            break
        (holders,) = (octets[:, column >> 3] & (1 << (column & 7))).nonzero()
        first = int(holders.searchsorted(rank))
        if first == len(holders):
            continue
        pivot = holders[first]
        row = words[pivot].copy()
        words[holders] ^= row  # clears the pivot row too, which leaves room for the swap
        words[pivot] = words[rank]
        words[rank] = row
        pivots.append(column)
    return pivots


def row_reduce(matrix: ArrayLike) -> tuple[Bits, list[int]]:
    """Reduced row echelon form.

    Parameters
    ----------
    matrix
        Zeros and ones, ``[rows, columns]``.

    Returns
    -------
    reduced : uint8 [rank, columns]
        The nonzero rows.
    pivots : list of int
        The pivot column of each row, ascending.
    """
    bits = as_bits(matrix)
    words = pack(bits)
    pivots = reduce_words(words, range(bits.shape[1]))
    return unpack(words[: len(pivots)], bits.shape[1]), pivots


def rank(matrix: ArrayLike) -> int:
    """Rank over GF(2)."""
    return len(row_reduce(matrix)[1])


def nullspace(matrix: ArrayLike) -> Bits:
    """Basis of all v with ``matrix @ v = 0``: ``uint8 [columns - rank, columns]``."""
    reduced, pivots = row_reduce(matrix)
    columns = reduced.shape[1]
    free = np.setdiff1d(np.arange(columns), pivots)
    basis = np.zeros((len(free), columns), dtype=np.uint8)
    basis[np.arange(len(free)), free] = 1
    basis[:, pivots] = reduced[:, free].T
    return basis


def solve(matrix: ArrayLike, target: ArrayLike) -> Bits | None:
    """Find one v with ``matrix @ v = target``.

    Parameters
    ----------
    matrix
        Zeros and ones, ``[rows, columns]``.
    target
        Zeros and ones, ``[rows]``.

    Returns
    -------
    uint8 [columns] or None
        None where there is no solution.

    Raises
    ------
    CascadeError
        If the numbers of rows differ.
    """
    bits = as_bits(matrix)
    side = as_bits(np.asarray(target)[..., None])
    if len(side) != len(bits):
        raise CascadeError(f"expected a target with one entry for each of {len(bits)} rows, got {len(side)}")
    reduced, pivots = row_reduce(np.hstack([bits, side]))
    columns = bits.shape[1]
    if columns in pivots:
        return None
    solution = np.zeros(columns, dtype=np.uint8)
    solution[pivots] = reduced[:, columns]
    return solution


def combinations(rows: ArrayLike, of: ArrayLike) -> Bits:
    """Write rows as sums of others: c with ``c @ of = rows``.

    Parameters
    ----------
    rows
        Zeros and ones, ``[rows, columns]``.
    of
        Zeros and ones, ``[others, columns]``. Where they depend on each other, those that come first are used.

    Returns
    -------
    uint8 [rows, others]

    Raises
    ------
    CascadeError
        If a row is no sum of the others.
    """
    known, wanted = as_bits(of), as_bits(rows)
    reduced, pivots = row_reduce(np.hstack([known.T, wanted.T]))
    if pivots and pivots[-1] >= len(known):
        raise CascadeError(f"expected sums of {len(known)} rows, got one that is none: row {pivots[-1] - len(known)}")
    sums = np.zeros((len(known), len(wanted)), dtype=np.uint8)
    sums[pivots] = reduced[:, len(known) :]
    return sums.T


def independent_rows(matrix: ArrayLike) -> NDArray[np.int64]:
    """Indices of the rows that do not depend on the rows before them: ``int64 [rank]``, ascending."""
    words = pack(as_bits(matrix))
    octets = words.view(np.uint8)
    chosen: list[int] = []
    while (left := words.any(axis=1)).any():  # one step for each row chosen: there may be many more of them
        first = int(left.argmax())
        row = words[first].copy()
        byte = int(octets[first].nonzero()[0][0])
        lowest = int(octets[first, byte]) & -int(octets[first, byte])
        words[(octets[:, byte] & lowest).nonzero()] ^= row
        chosen.append(first)
    return np.array(chosen, dtype=np.int64)


def parities(
    chosen: NDArray[np.bool_], start: NDArray[np.int64], column: NDArray[np.int64], columns: int
) -> NDArray[np.bool_]:
    """Sums of chosen rows of a sparse matrix over GF(2): bool [sums, columns].

    Parameters
    ----------
    chosen : bool [sums, rows]
    start : int64 [rows + 1]
    column : int64 [entries]
        Row r has ones in the columns ``column[start[r]:start[r + 1]]``.
    """
    sum_of, row = np.nonzero(chosen)
    weight = np.diff(start)[row]
    entry = np.repeat(start[row] - np.cumsum(weight) + weight, weight) + np.arange(weight.sum())
    at = np.repeat(sum_of, weight) * columns + column[entry]
    return (np.bincount(at, minlength=len(chosen) * columns) % 2 > 0).reshape(len(chosen), columns)
