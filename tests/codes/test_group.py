"""Codes over a group: what their polynomials say, and what follows from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_qec import codes
from cascade_qec.codes import BASES, GroupCode, LiftedProductCode, TwoBlockCode, gf2, opposite
from cascade_qec.codes.edges import edge_colours
from cascade_qec.errors import CascadeError

CODES = {
    "toric": TwoBlockCode((3, 4), "1+x^-1", "1+y^-1", name="toric", family="t"),
    "cyclic": TwoBlockCode(15, "1+x^2+x^8", "1+x+x^4", name="cyclic", family="t"),
    "lifted": LiftedProductCode(7, [["1", "x", "x^3"], ["1", "x^2", "x^5"]], name="lifted"),
    "cubic": TwoBlockCode((3, 3, 3), "1+x+y+z", "1+x*y+y*z+x*z", name="cubic", family="t"),
    "tricycle": codes.get("tt72"),
    # One row of X checks and two of Z checks: there is no duality.
    "lopsided": LiftedProductCode((3, 2), [["1+x", "x+y"]], [["1+x*y"]], name="lopsided"),
}


@pytest.fixture(params=CODES)
def code(request) -> GroupCode:
    return CODES[request.param]


def shifts(l: int, m: int, *terms: tuple[int, int]) -> np.ndarray:  # noqa: E741
    """The matrix of a polynomial: row g has ones at g x^i y^j."""
    return sum(np.kron(np.roll(np.eye(l, dtype=int), i, 1), np.roll(np.eye(m, dtype=int), j, 1)) for i, j in terms) % 2


def test_checks_are_the_polynomials_matrices():
    nothing, one = shifts(7, 1) * np.zeros((7, 7), dtype=int), shifts(7, 1, (0, 0))
    a = [[one, shifts(7, 1, (1, 0)), shifts(7, 1, (3, 0))], [one, shifts(7, 1, (2, 0)), shifts(7, 1, (5, 0))]]
    left = [[part if k == q else nothing for part in row for q in range(3)] for row in a for k in range(3)]
    adjoint = [[a[i][j].T for i in range(2)] for j in range(3)]
    right = [[part if i == j else nothing for j in range(2) for part in row] for i in range(2) for row in adjoint]
    np.testing.assert_array_equal(CODES["lifted"].hx, np.block([[*x, *y] for x, y in zip(left, right, strict=True)]))


def test_checks_commute(code):
    assert not (code.hx.astype(int) @ code.hz.T % 2).any()
    assert code.k == code.n - gf2.rank(code.hx) - gf2.rank(code.hz)


@pytest.mark.parametrize("basis", BASES)
def test_slots_meet_every_qubit_of_a_check_once(code, basis):
    slots = code.neighbours(basis)
    for row, qubits in zip(code.checks(basis), slots, strict=True):
        assert sorted(qubits[qubits >= 0]) == np.flatnonzero(row).tolist()
    for column in slots.T:
        met = column[column >= 0]
        assert len(np.unique(met)) == len(met)


@pytest.mark.parametrize("basis", BASES)
def test_translations_are_symmetries(code, basis):
    for qubits, checks in zip(code.translations, code.check_translations(basis), strict=True):
        np.testing.assert_array_equal(code.checks(basis)[np.ix_(checks, qubits)], code.checks(basis))
    assert len(np.unique(code.translations, axis=0)) == np.prod(code.group)


def test_a_duality_exchanges_the_bases():
    for name in ("toric", "cyclic", "lifted", "cubic"):
        code = CODES[name]
        for basis in BASES:
            moved = code.checks(opposite(basis))[np.ix_(code.duality.check[basis], code.duality.qubit)]
            np.testing.assert_array_equal(moved, code.checks(basis))
    assert CODES["lopsided"].duality is CODES["tricycle"].duality is None


@pytest.mark.parametrize("basis", BASES)
def test_logicals_are_found_with_and_without_a_duality(code, basis):
    found, other = code.logicals(basis), code.checks(opposite(basis))
    assert not (found.astype(int) @ other.T % 2).any()
    assert gf2.rank(np.vstack([code.checks(basis), found])) == gf2.rank(code.checks(basis)) + code.k
    assert len(code.light_logicals(basis)) >= code.k


def test_places_are_distinct(code):
    for places in (
        np.concatenate([code.check_coords("X")]),
        np.concatenate([code.detector_coords(basis) for basis in BASES]),
        np.concatenate([code.qubit_positions, *(code.check_positions(basis) for basis in BASES)]),
    ):
        assert len(np.unique(places, axis=0)) == len(places)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5)), max_size=40))
def test_edges_are_coloured_by_as_few_colours_as_can_be(edges):
    colours = edge_colours(edges).tolist()
    degree = max((sum(edge[side] == end for edge in edges) for side in (0, 1) for end in range(7)), default=0)
    assert max(colours, default=-1) == degree - 1
    for side in (0, 1):
        met = {(edge[side], colour) for edge, colour in zip(edges, colours, strict=True)}
        assert len(met) == len(edges)


@pytest.mark.parametrize(
    ("x", "z", "said"),
    [
        ([["1+x", "1+y"]], [["1+x", "1+y"]], "checks that commute, but X row 0 and Z row 0 do not"),
        ([["1+x", "1+y"]], [["1+y^-1"]], "as many columns, got 2 of X and 1 of Z"),
        ([["1+x"], ["1", "y"]], [["1+x^-1"]], r"rows of one length, got rows of lengths \[1, 2\]"),
        ([], [["1+x^-1"]], r"matrix of polynomials, .*, got rows of lengths \[\]"),
        ([["1", "0"]], [["0", "1"]], "logical qubits, but mine gives k = 0"),
        ([["1+w", "1+y"]], [["1", "1"]], r"term 2 \('w'\)"),
    ],
)
def test_matrices_that_make_no_code_are_refused(x, z, said):
    with pytest.raises(CascadeError, match=said):
        GroupCode((3, 3), x, z, name="mine", family="mine")
