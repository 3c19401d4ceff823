"""Kasai's codes, of affine permutations i -> a i + b modulo P, are codes over the cyclic group of gcd(P, all a - 1).

H_X has the permutations f[l - j] and g[l - j] at row j and column l of its halves, H_Z the inverses of g[j - l] and
f[j - l]; each f commutes with each g (Komoto & Kasai, arXiv:2412.21171).
"""

from __future__ import annotations

from itertools import product
from math import gcd

import numpy as np
import pytest
from numpy.typing import NDArray

from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.codes import GroupCode, TwoBlockCode, gf2

Affine = tuple[int, int]
"""a and b."""

ROWS, HALF = 2, 3


def inverse(f: Affine, p: int) -> Affine:
    a = pow(f[0], -1, p)
    return a, -a * f[1] % p


def arrays(f: list[Affine], g: list[Affine], p: int) -> dict[str, list[list[Affine]]]:
    """The permutation in each block of both matrices."""
    x = [[of[(column - row) % HALF] for of in (f, g) for column in range(HALF)] for row in range(ROWS)]
    z = [[inverse(of[(row - column) % HALF], p) for of in (g, f) for column in range(HALF)] for row in range(ROWS)]
    return {"X": x, "Z": z}


def dense(blocks: list[list[Affine]], p: int) -> NDArray[np.uint8]:
    """Row i of a block has its one at a i + b."""
    i = np.arange(p)
    return np.block([[np.eye(p, dtype=np.uint8)[(a * i + b) % p] for a, b in row] for row in blocks])


def over_group(blocks: list[list[Affine]], p: int, q: int) -> list[list[str]]:
    """The same as polynomials in x with x^q = 1: a block falls apart into p / q orbits, i = orbit + p / q element."""
    orbits = p // q
    matrix = [["0"] * (len(row) * orbits) for row in blocks for _ in range(orbits)]
    for (j, row), orbit in product(enumerate(blocks), range(orbits)):
        for column, (a, b) in enumerate(row):
            element, to = divmod((a * orbit + b) % p, orbits)
            matrix[j * orbits + orbit][column * orbits + to] = f"x^{element}"
    return matrix


def in_orbits(matrix: NDArray[np.uint8], p: int, q: int) -> NDArray[np.uint8]:
    """Rows and columns of dense blocks in the order of a code over a group."""
    rows, columns = (np.arange(n).reshape(-1, q, p // q).swapaxes(1, 2).ravel() for n in matrix.shape)
    return matrix[np.ix_(rows, columns)]


# Of a - 1 the greatest common divisor with P is 4 in the first, 2 in the second, and P itself in the last.
@pytest.mark.parametrize(
    ("p", "f", "g", "q"),
    [
        (12, [(5, 0), (5, 3), (1, 6)], [(1, 3), (1, 6), (1, 0)], 4),
        (8, [(3, 0), (3, 4), (7, 0)], [(5, 4), (1, 4), (5, 0)], 2),
        (7, [(1, 0), (1, 2), (1, 5)], [(1, 1), (1, 3), (1, 4)], 7),
    ],
)
def test_an_affine_permutation_code_is_one_over_a_smaller_group(p, f, g, q):
    for (a, b), (c, d) in product(f, g):
        assert (a * d + b - c * b - d) % p == 0
    assert gcd(p, *(a - 1 for a, _ in f + g)) == q
    blocks = arrays(f, g, p)
    hx, hz = (dense(blocks[basis], p) for basis in "XZ")
    code = GroupCode(q, *(over_group(blocks[basis], p, q) for basis in "XZ"), name="affine", family="mine")
    np.testing.assert_array_equal(code.hx, in_orbits(hx, p, q))
    np.testing.assert_array_equal(code.hz, in_orbits(hz, p, q))
    assert code.k == code.n - gf2.rank(hx) - gf2.rank(hz)
    assert memory(code, rounds=1, noise=UniformDepolarizing(0.001)).num_observables == code.k


def test_with_all_rows_and_circulants_alone_it_is_a_two_block_code(monkeypatch):
    monkeypatch.setattr(f"{__name__}.ROWS", HALF)
    p, f, g = 7, [0, 2, 5], [1, 3, 4]
    blocks = arrays([(1, b) for b in f], [(1, b) for b in g], p)
    polynomials = ["+".join(f"x^{column}*y^{b}" for column, b in enumerate(of)) for of in (f, g)]
    code = TwoBlockCode((HALF, p), *polynomials, name="circulants", family="mine")
    np.testing.assert_array_equal(code.hx, dense(blocks["X"], p))
    np.testing.assert_array_equal(code.hz, dense(blocks["Z"], p))
