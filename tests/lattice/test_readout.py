import numpy as np
import pytest

from cascade_qec import codes
from cascade_qec.lattice import frame_of, readout


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("name", ["bb72", "bb108", "surface_d3"])
def test_operators_are_the_sums_that_they_are_said_to_be(name, basis):
    code = codes.get(name)
    operators = readout(code, basis)
    stabilizers = code.hx if basis == "X" else code.hz
    sums = (operators.logicals @ code.logicals(basis) + operators.checks @ stabilizers) % 2
    # The frame only renames qubits: one permutation takes all sums to their supports.
    frame = frame_of(code, basis)
    place = {tuple(column): i for i, column in enumerate(np.vstack([frame.support, operators.support]).T.tolist())}
    own = np.vstack([code.logicals(basis), sums]).astype(bool).T.tolist()
    assert sorted(map(tuple, own)) == sorted(map(tuple, np.vstack([frame.support, operators.support]).T.tolist()))
    if name != "surface_d3":  # whose corners no logical operator tells apart
        assert len(place) == code.n


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_a_torus_has_the_translations_of_every_observable_once(basis):
    code = codes.get("bb72")
    operators = readout(code, basis)
    support = operators.support
    assert len(np.unique(support, axis=0)) == len(support)
    assert (support.sum(axis=1) == code.d).all()
    known = {row.tobytes() for row in support}
    shifted = np.roll(support.reshape(-1, 2, code.l, code.m), (2, 5), axis=(2, 3)).reshape(support.shape)
    assert {row.tobytes() for row in np.ascontiguousarray(shifted)} == known
    assert {row.tobytes() for row in frame_of(code, basis).support} <= known


def test_a_surface_code_has_its_observable_alone():
    operators = readout(codes.get("surface_d5"), "X")
    assert operators.support.shape == (1, 25)
    assert operators.logicals.tolist() == [[1]]
    assert not operators.checks.any()
