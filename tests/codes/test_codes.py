"""What holds for every code, whatever its family."""

import numpy as np
import pytest

from cascade_qec import codes
from cascade_qec.codes import gf2
from cascade_qec.errors import CascadeError

PUBLISHED = {
    "surface_d3": (9, 1, 3),
    "surface_d5": (25, 1, 5),
    "surface_d7": (49, 1, 7),
    "surface_d21": (441, 1, 21),
    "colour_d5": (19, 1, 5),
    "colour_d11": (91, 1, 11),
    "bb72": (72, 12, 6),
    "bb90": (90, 8, 10),
    "bb108": (108, 8, 10),
    "bb144": (144, 12, 12),
    "bb288": (288, 12, 18),
}


@pytest.fixture(params=PUBLISHED)
def code(request):
    return codes.get(request.param)


@pytest.fixture(params=["X", "Z"])
def basis(request):
    return request.param


def test_parameters_are_the_published_ones(code):
    assert (code.n, code.k, code.d) == PUBLISHED[code.name]
    assert code.n - gf2.rank(code.hx) - gf2.rank(code.hz) == code.k


def test_checks_commute(code):
    assert code.hx.dtype == code.hz.dtype == np.uint8
    assert not (code.hx.astype(int) @ code.hz.T % 2).any()


def test_neighbours_are_the_supports_of_the_checks(code, basis):
    for row, qubits in zip(code.hx if basis == "X" else code.hz, code.neighbours(basis), strict=True):
        assert sorted(qubits[qubits >= 0]) == np.flatnonzero(row).tolist()


def test_places_are_distinct(code, basis):
    assert code.qubit_coords.shape == (code.n, 3)
    assert code.check_coords(basis).shape == (len(code.neighbours(basis)), 2)
    for places in (code.qubit_coords, code.check_coords(basis)):
        assert places.dtype == np.int64
        assert len(np.unique(places, axis=0)) == len(places)


def test_logicals_have_minimum_weight(code, basis):
    weights = code.logicals(basis).sum(axis=1).tolist()
    # The X (or Z) operators of weight 10 of bb108, 54 in number, span only four of its eight logical qubits.
    assert weights == ([10] * 4 + [12] * 4 if code.name == "bb108" else [code.d] * code.k)


def test_logicals_commute_with_the_checks(code, basis):
    logicals = code.logicals(basis)
    assert logicals.dtype == np.uint8
    assert logicals.shape == (code.k, code.n)
    other = code.hz if basis == "X" else code.hx
    assert not (other.astype(int) @ logicals.T % 2).any()


def test_logicals_are_independent_modulo_stabilizers(code, basis):
    checks = code.hx if basis == "X" else code.hz
    assert gf2.rank(np.vstack([checks, code.logicals(basis)])) == gf2.rank(checks) + code.k


def test_logicals_of_the_two_bases_pair_up(code):
    assert gf2.rank(code.logicals("X").astype(int) @ code.logicals("Z").T % 2) == code.k


def test_logicals_are_computed_once(code, basis):
    assert code.logicals(basis) is code.logicals(basis)


def test_arrays_are_read_only(code, basis):
    arrays = [code.hx, code.hz, code.qubit_coords]
    arrays += [code.neighbours(basis), code.check_coords(basis), code.logicals(basis)]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


@pytest.mark.parametrize("method", ["logicals", "neighbours", "check_coords"])
def test_another_basis_is_refused(code, method):
    with pytest.raises(CascadeError, match=r"expected basis \"X\" or \"Z\", got 'Y'"):
        getattr(code, method)("Y")
