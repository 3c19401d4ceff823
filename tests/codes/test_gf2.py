import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_qec.codes import gf2
from cascade_qec.errors import CascadeError


@st.composite
def matrices(draw, min_rows=0):
    """Matrices of odd sizes, some of many columns, of every density and rank."""
    rows, columns = draw(st.integers(min_rows, 12)), draw(st.sampled_from([1, 2, 7, 8, 9, 63, 64, 65, 130]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    inner = draw(st.integers(0, 8))
    return (rng.integers(0, 2, (rows, inner)) @ rng.integers(0, 2, (inner, columns)) % 2).astype(np.uint8)


def span(matrix):
    """Every sum of rows of a matrix of few rows."""
    coefficients = (np.arange(2 ** len(matrix))[:, None] >> np.arange(len(matrix))) & 1
    return {word.tobytes() for word in (coefficients @ matrix % 2).astype(np.uint8)}


@settings(deadline=None)
@given(matrices())
def test_packing_is_undone(matrix):
    np.testing.assert_array_equal(gf2.unpack(gf2.pack(matrix), matrix.shape[1]), matrix)


@settings(deadline=None)
@given(matrices())
def test_rank_counts_the_span(matrix):
    assert 2 ** gf2.rank(matrix) == len(span(matrix))
    assert gf2.rank(matrix) == gf2.rank(matrix.T)


@settings(deadline=None)
@given(matrices())
def test_reduced_rows_span_the_same_space(matrix):
    reduced, pivots = gf2.row_reduce(matrix)
    assert span(reduced) == span(matrix)
    assert pivots == sorted(pivots)
    np.testing.assert_array_equal(reduced[:, pivots], np.eye(len(pivots)))
    np.testing.assert_array_equal(reduced.argmax(axis=1), pivots)


@settings(deadline=None)
@given(matrices(min_rows=1), st.randoms(use_true_random=False))
def test_pivots_follow_the_order_asked_for(matrix, random):
    order = list(range(matrix.shape[1]))
    random.shuffle(order)
    words = gf2.pack(matrix)
    pivots = gf2.reduce_words(words, order)
    by_order = gf2.row_reduce(matrix[:, order])
    assert [order[column] for column in by_order[1]] == pivots
    reduced = gf2.unpack(words, matrix.shape[1])
    np.testing.assert_array_equal(reduced[: len(pivots), order], by_order[0])
    assert not reduced[len(pivots) :].any()


@settings(deadline=None)
@given(matrices())
def test_nullspace_is_all_that_the_matrix_kills(matrix):
    kernel = gf2.nullspace(matrix)
    assert kernel.shape == (matrix.shape[1] - gf2.rank(matrix), matrix.shape[1])
    assert gf2.rank(kernel) == len(kernel)
    assert not (matrix @ kernel.T % 2).any()


@settings(deadline=None)
@given(matrices(), st.integers(0, 2**32 - 1))
def test_solve_reaches_what_the_columns_span(matrix, seed):
    target = matrix @ np.random.default_rng(seed).integers(0, 2, matrix.shape[1]) % 2
    solution = gf2.solve(matrix, target)
    assert solution is not None
    np.testing.assert_array_equal(matrix @ solution % 2, target)


@settings(deadline=None)
@given(matrices(min_rows=1), st.integers(0, 2**32 - 1))
def test_solve_finds_nothing_outside_the_span(matrix, seed):
    target = np.random.default_rng(seed).integers(0, 2, len(matrix), dtype=np.uint8)
    reachable = gf2.rank(np.column_stack([matrix, target])) == gf2.rank(matrix)
    assert (gf2.solve(matrix, target) is not None) == reachable


@settings(deadline=None)
@given(matrices())
def test_independent_rows_are_the_first_ones(matrix):
    rows = gf2.independent_rows(matrix)
    ranks = [gf2.rank(matrix[:stop]) for stop in range(len(matrix) + 1)]
    np.testing.assert_array_equal(rows, np.flatnonzero(np.diff(ranks)))


@pytest.mark.parametrize(
    ("matrix", "said"),
    [([1, 0], r"2 dimensions, got an array of shape \(2,\)"), ([[2, 0]], "zeros and ones only")],
)
def test_other_matrices_are_refused(matrix, said):
    with pytest.raises(CascadeError, match=said):
        gf2.rank(matrix)


def test_target_of_another_length_is_refused():
    with pytest.raises(CascadeError, match="each of 2 rows, got 3"):
        gf2.solve(np.eye(2), [1, 0, 1])


def test_combinations_are_the_sums_that_they_say():
    random = np.random.default_rng(3)
    others = random.integers(0, 2, size=(6, 9), dtype=np.uint8)
    others[4] = others[0] ^ others[2]
    rows = (random.integers(0, 2, size=(5, 6)) @ others % 2).astype(np.uint8)
    sums = gf2.combinations(rows, of=others)
    assert sums.dtype == np.uint8
    np.testing.assert_array_equal(sums @ others % 2, rows)
    assert not sums[:, 4].any()
    with pytest.raises(CascadeError, match="expected sums of 1 rows, got one that is none: row 1"):
        gf2.combinations([[1, 1, 0], [0, 0, 1]], of=[[1, 1, 0]])
