import numpy as np
import pytest

from cascade_qec.codes import RotatedSurfaceCode
from cascade_qec.errors import CascadeError


@pytest.mark.parametrize("d", [3, 5, 7, 11])
def test_places_are_those_of_stims_generated_circuit(d):
    stim = pytest.importorskip("stim")
    circuit = stim.Circuit.generated("surface_code:rotated_memory_z", distance=d, rounds=1)
    places = {qubit: tuple(place) for qubit, place in circuit.get_final_qubit_coordinates().items()}
    h_targets = {target.value for op in circuit if op.name == "H" for target in op.targets_copy()}
    measured = {target.value for op in circuit if op.name == "MR" for target in op.targets_copy()}
    code = RotatedSurfaceCode(d)
    for basis, expected in (("X", h_targets), ("Z", measured - h_targets)):
        found = [(2 * col, 2 * row) for row, col in code.check_coords(basis)]
        assert sorted(found) == sorted(places[qubit] for qubit in expected)
    data = [(2 * col + 1, 2 * row + 1) for _, row, col in code.qubit_coords]
    assert sorted(data) == sorted(places[qubit] for qubit in places if qubit not in measured)


@pytest.mark.parametrize("d", [3, 5, 9])
def test_slots_are_named_by_direction(d):
    code = RotatedSurfaceCode(d)
    for basis in ("X", "Z"):
        for (row, col), qubits in zip(code.check_coords(basis), code.neighbours(basis), strict=True):
            for qubit, (up, left) in zip(qubits, [(1, 0), (1, 1), (0, 0), (0, 1)], strict=True):
                place = (row - up, col - left)
                inside = min(place) >= 0 and max(place) < d
                assert tuple(code.qubit_coords[qubit, 1:]) == place if inside else qubit == -1


@pytest.mark.parametrize("d", [3, 5, 9])
def test_light_checks_lie_on_their_boundaries(d):
    code = RotatedSurfaceCode(d)
    for basis, axis in (("X", 0), ("Z", 1)):
        places = code.check_coords(basis)
        assert places.tolist() == sorted(places.tolist())
        light = (code.neighbours(basis) >= 0).sum(axis=1) == 2
        np.testing.assert_array_equal(light, np.isin(places[:, axis], [0, d]))
        assert light.sum() == d - 1


def test_logical_z_is_a_row_and_logical_x_a_column():
    code = RotatedSurfaceCode(5)
    assert np.unique(code.qubit_coords[code.logicals("Z")[0] == 1, 1]).size == 1
    assert np.unique(code.qubit_coords[code.logicals("X")[0] == 1, 2]).size == 1


@pytest.mark.parametrize("d", [4, 2, 1, 0, -3])
def test_even_or_small_distance_is_refused(d):
    with pytest.raises(CascadeError, match=f"odd distance of at least 3 .*, got {d}"):
        RotatedSurfaceCode(d)


@pytest.mark.parametrize("d", [3.0, "3", None])
def test_distance_that_is_no_integer_is_refused(d):
    with pytest.raises(CascadeError, match=f"as an integer, got {d!r}"):
        RotatedSurfaceCode(d)
