# codes.get promises no more than a CSSCode.
# pyright: reportAttributeAccessIssue=false

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_qec import codes
from cascade_qec.codes import BivariateBicycleCode, gf2
from cascade_qec.codes.polynomial import parse_polynomial
from cascade_qec.errors import CascadeError


@st.composite
def bicycles(draw):
    """Arbitrary small codes. A and B of even weight have the root x = y = 1 in common, so that k > 0."""
    rows, columns = draw(st.integers(1, 7)), draw(st.integers(2, 7))
    cells = [(i, j) for i in range(rows) for j in range(columns)]
    sizes = st.sampled_from([size for size in (2, 4) if size <= len(cells)])
    terms = [
        draw(st.lists(st.sampled_from(cells), min_size=size, max_size=size, unique=True))
        for size in (draw(sizes), draw(sizes))
    ]
    a, b = ("+".join(f"x^{i}*y^{j}" for i, j in each) for each in terms)
    return BivariateBicycleCode(rows, columns, a, b)


def assert_dual(code):
    expected = code.dual_qubit[code.neighbours("X")]
    np.testing.assert_array_equal(code.neighbours("Z")[code.dual_check][:, code.dual_slot], expected)
    np.testing.assert_array_equal(code.dual_qubit[code.dual_qubit], np.arange(code.n))
    np.testing.assert_array_equal(code.dual_check[code.dual_check], np.arange(code.l * code.m))


def test_polynomials_are_where_the_matrices_say():
    code = codes.get("bb144")
    assert (code.l, code.m) == (12, 6)
    assert code.a_terms == ((3, 0), (0, 1), (0, 2))
    assert code.b_terms == ((0, 3), (1, 0), (2, 0))
    x = np.kron(np.roll(np.eye(12, dtype=int), 1, axis=1), np.eye(6, dtype=int))
    y = np.kron(np.eye(12, dtype=int), np.roll(np.eye(6, dtype=int), 1, axis=1))
    power = np.linalg.matrix_power
    a = power(x, 3) + y + power(y, 2)
    b = power(y, 3) + x + power(x, 2)
    np.testing.assert_array_equal(code.hx, np.hstack([a, b]))
    np.testing.assert_array_equal(code.hz, np.hstack([b.T, a.T]))


def test_slots_are_in_the_order_of_the_terms():
    code = codes.get("bb90")
    i, j = code.check_coords("X").T
    for slot, (di, dj) in enumerate(code.a_terms + code.b_terms):
        block = int(slot >= 3)
        places = np.stack([np.full_like(i, block), (i + di) % 15, (j + dj) % 3], axis=1)
        np.testing.assert_array_equal(code.qubit_coords[code.neighbours("X")[:, slot]], places)
    for slot, (di, dj) in enumerate(code.b_terms + code.a_terms):
        block = int(slot >= 3)
        places = np.stack([np.full_like(i, block), (i - di) % 15, (j - dj) % 3], axis=1)
        np.testing.assert_array_equal(code.qubit_coords[code.neighbours("Z")[:, slot]], places)


@pytest.mark.parametrize("name", ["bb72", "bb90", "bb108", "bb144", "bb288"])
def test_duality_exchanges_the_bases(name):
    code = codes.get(name)
    assert_dual(code)
    np.testing.assert_array_equal(code.logicals("Z"), code.logicals("X")[:, code.dual_qubit])


def test_numbers_of_terms_may_differ():
    code = BivariateBicycleCode(4, 4, "1+x", "1+y+x*y+x^2*y^3")
    assert code.neighbours("X").shape == (16, 6)
    assert_dual(code)


@settings(max_examples=40, deadline=None)
@given(bicycles())
def test_any_polynomials_give_a_code(code):
    assert not (code.hx.astype(int) @ code.hz.T % 2).any()
    assert code.k == code.n - 2 * gf2.rank(code.hx) > 0
    assert code.d is None
    assert_dual(code)


@settings(max_examples=10, deadline=None)
@given(bicycles())
def test_any_polynomials_have_logicals(code):
    x, z = code.logicals("X").astype(int), code.logicals("Z").astype(int)
    assert not (code.hz @ x.T % 2).any()
    assert not (code.hx @ z.T % 2).any()
    assert gf2.rank(x @ z.T % 2) == code.k
    assert (np.diff(x.sum(axis=1)) >= 0).all()


def test_toric_code_has_loops_for_logicals():
    code = BivariateBicycleCode(3, 5, "1+x", "1+y")
    assert (code.n, code.k) == (30, 2)
    assert code.logicals("X").sum(axis=1).tolist() == [3, 5]
    assert repr(code) == "BivariateBicycleCode bb_3x5_1+x_1+y [[30, 2, ?]]"


def test_unknown_distance_is_searched_for():
    code = BivariateBicycleCode(6, 6, "x^3+y+y^2", "y^3+x+x^2")
    assert code.logicals("Z").sum(axis=1).tolist() == [6] * 12


def test_search_repeats_itself():
    first, second = (BivariateBicycleCode(12, 6, "x^3+y+y^2", "y^3+x+x^2", d=12) for _ in range(2))
    np.testing.assert_array_equal(first.logicals("X"), second.logicals("X"))


@pytest.mark.parametrize(("name", "weights"), [("bb72", {6: 84}), ("bb108", {10: 54, 12: 3132}), ("bb144", {12: 1884})])
@pytest.mark.parametrize("basis", ["X", "Z"])
def test_all_light_logicals_are_found(name, weights, basis):
    code = codes.get(name)
    lightest, opposite = code.light_logicals(basis), "Z" if basis == "X" else "X"
    assert dict(zip(*np.unique(lightest.sum(axis=1), return_counts=True), strict=True)) == weights
    assert len(np.unique(lightest, axis=0)) == len(lightest)
    checks = code.hz if basis == "X" else code.hx
    assert not (lightest @ checks.T % 2).any()  # they commute with the checks
    assert (lightest @ code.logicals(opposite).T % 2).any(axis=1).all()  # and are no product of checks
    known = {row.tobytes() for row in lightest}
    assert {row.tobytes() for row in np.ascontiguousarray(code.logicals(basis))} <= known
    shifted = np.roll(lightest.reshape(-1, 2, code.l, code.m), (1, 2), axis=(2, 3)).reshape(lightest.shape)
    assert {row.tobytes() for row in np.ascontiguousarray(shifted)} == known
    np.testing.assert_array_equal(codes.get(name).light_logicals(basis), lightest)


def test_logicals_of_the_next_weight():
    light = codes.get("bb72").light_logicals("Z", heavier=2)
    assert dict(zip(*np.unique(light.sum(axis=1), return_counts=True), strict=True)) == {6: 84, 8: 990}


def test_light_logicals_of_the_toric_code_are_its_loops():
    code = BivariateBicycleCode(4, 4, "1+x", "1+y")
    assert len(code.light_logicals("Z")) == 8  # of weight 4: four along each axis


def test_distance_that_is_not_there_is_refused():
    code = BivariateBicycleCode(6, 6, "x^3+y+y^2", "y^3+x+x^2", name="mine", d=4)
    with pytest.raises(CascadeError, match="mine: expected distance 4, the lightest logical found weighs 6"):
        code.logicals("Z")


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("1", ((0, 0),)),
        ("x^3+y+y^2", ((3, 0), (0, 1), (0, 2))),
        (" x^13*y + 1 ", ((1, 1), (0, 0))),
        ("xy^2 + x y", ((1, 2), (1, 1))),
        ("y^-1 + x^-2*y^-7", ((0, 5), (10, 5))),
        ("x*x", ((2, 0),)),
    ],
)
def test_polynomials_are_read(text, terms):
    assert parse_polynomial(text, (12, 6)) == terms


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"term 1 \(''\)"),
        ("x+", r"term 2 \(''\)"),
        ("x++y", r"term 2 \(''\)"),
        ("x+z^2", r"term 2 \('z\^2'\)"),
        ("x+2*y", r"term 2 \('2\*y'\)"),
        ("1+x+x^", r"term 3 \('x\^'\)"),
        ("x^1.5", r"term 1 \('x\^1\.5'\)"),
        ("x-y", r"term 1 \('x-y'\)"),
        ("x+y+x", r"term 3 \('x'\) .*each term once, but modulo x\^12 = y\^6 = 1 it is term 1"),
        ("1+x^12", r"term 2 \('x\^12'\) .*it is term 1"),
        (3, "polynomial as text .*, got 3"),
    ],
)
def test_invalid_polynomials_are_refused(text, said):
    with pytest.raises(CascadeError, match=said):
        BivariateBicycleCode(12, 6, "1+x+y", text)


@pytest.mark.parametrize(
    ("l", "m", "said"),
    [
        (0, 6, "expected x to be of order 1 at least, got 0"),
        (6, -1, "expected y to be of order 1 at least, got -1"),
        (6, 2.0, "expected the order of y as an integer, got 2.0"),
    ],
)
def test_invalid_sizes_are_refused(l, m, said):  # noqa: E741
    with pytest.raises(CascadeError, match=said):
        BivariateBicycleCode(l, m, "1+x", "1+y")


def test_code_without_logical_qubits_is_refused():
    with pytest.raises(CascadeError, match=r"logical qubits, but group \[3, 3\], A='1', B='1\+x' gives k = 0"):
        BivariateBicycleCode(3, 3, "1", "1+x")
