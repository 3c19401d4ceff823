# codes.get promises no more than a CSSCode.
# pyright: reportAttributeAccessIssue=false

import numpy as np
import pytest

from cascade_qec import codes
from cascade_qec.lattice import logical_operators


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("asked", ["observables", "translations", "lightest", "light"])
@pytest.mark.parametrize("name", ["bb72", "bb108", "surface_d3"])
def test_operators_are_the_sums_that_they_are_said_to_be(name, asked, basis):
    code = codes.get(name)
    operators = logical_operators(code, basis, asked)
    stabilizers = code.hx if basis == "X" else code.hz
    sums = (operators.logicals @ code.logicals(basis) + operators.checks @ stabilizers) % 2
    # The frame only renames qubits.
    np.testing.assert_array_equal(operators.support, sums[:, code.frame(basis).data_qubit].astype(bool))


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_a_torus_has_the_translations_of_every_observable_once(basis):
    code = codes.get("bb72")
    operators = logical_operators(code, basis)
    support = operators.support
    assert len(np.unique(support, axis=0)) == len(support)
    assert (support.sum(axis=1) == code.d).all()
    known = {row.tobytes() for row in support}
    shifted = np.roll(support.reshape(-1, 2, code.l, code.m), (2, 5), axis=(2, 3)).reshape(support.shape)
    assert {row.tobytes() for row in np.ascontiguousarray(shifted)} == known
    assert {row.tobytes() for row in logical_operators(code, basis, "observables").support} <= known


@pytest.mark.parametrize(
    ("name", "translations", "operators", "lightest"),
    [
        ("bb72", 84, "lightest", 84),
        ("bb72", 84, "light", 1074),
        ("bb108", 63, "lightest", 3186),
        ("bb144", 144, "lightest", 1884),
    ],
)
def test_the_light_ones_have_the_translations_among_them(name, translations, operators, lightest):
    code = codes.get(name)
    some, more = logical_operators(code, "X", "translations").support, logical_operators(code, "X", operators).support
    assert (len(some), len(more)) == (translations, lightest)
    assert {row.tobytes() for row in some} <= {row.tobytes() for row in more}


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_a_surface_code_has_its_parallel_lines(basis):
    code = codes.get("surface_d5")
    operators = logical_operators(code, basis)
    assert operators.support.shape == (5, 25)
    assert (operators.support.sum(axis=0) == 1).all()  # together they are the whole code
    assert operators.logicals.tolist() == [[1]] * 5
    # Two checks for every two data qubits between a line and the middle one, boundary included.
    assert sorted(operators.checks.sum(axis=1)) == [0, 3, 3, 6, 6]


@pytest.mark.parametrize("name", ["surface_d3", "bb72"])
def test_the_observables_alone_are_themselves(name):
    code = codes.get(name)
    operators = logical_operators(code, "Z", "observables")
    np.testing.assert_array_equal(operators.logicals, np.eye(code.k))
    assert not operators.checks.any()
