import numpy as np
import pytest

from cascade_qec import codes
from cascade_qec.codes import BASES, RepetitionCode, RotatedSurfaceCode, UnrotatedSurfaceCode, gf2, opposite
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


PLANAR = {
    "surface_3x5": (15, 3, {"X": 3, "Z": 5}),
    "surface_4x4": (16, 4, {"X": 4, "Z": 4}),
    "surface_5x2": (10, 2, {"X": 5, "Z": 2}),
    "unrotated_d2": (5, 2, {"X": 2, "Z": 2}),
    "unrotated_d4": (25, 4, {"X": 4, "Z": 4}),
    "unrotated_4x3": (18, 3, {"X": 4, "Z": 3}),
    "repetition_d5": (5, 5, {"X": 5, "Z": 1}),
}


@pytest.mark.parametrize("name", PLANAR)
def test_planar_codes_of_other_shapes(name):
    code = codes.get(name)
    n, d, weights = PLANAR[name]
    assert (code.name, code.n, code.k, code.d) == (name, n, 1, d)
    assert not (code.hx.astype(int) @ code.hz.T % 2).any()
    for basis in BASES:
        lines, checks = code.operators(basis), code.checks(basis)
        assert set(lines.sum(axis=1).tolist()) == {weights[basis]}
        assert lines.sum(axis=0).max() == 1  # parallel
        assert not (lines.astype(int) @ code.checks(opposite(basis)).T % 2).any()
        assert (lines.astype(int) @ code.logicals(opposite(basis)).T % 2).all()
        assert gf2.rank(np.vstack([checks, lines])) == len(checks) + 1


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("surface_4x4", "surface_code:rotated_memory_z"),
        ("unrotated_d3", "surface_code:unrotated_memory_z"),
        ("unrotated_d4", "surface_code:unrotated_memory_x"),
        ("repetition_d5", "repetition_code:memory"),
    ],
)
def test_checks_and_detectors_are_where_stim_has_them(name, task):
    stim = pytest.importorskip("stim")
    code = codes.get(name)
    generated = stim.Circuit.generated(task, distance=code.d, rounds=2)
    *places, _ = zip(*generated.get_detector_coordinates().values(), strict=True)  # the last one is the time
    ours = np.concatenate([code.detector_coords(basis) for basis in BASES])
    assert not ours[:, len(places) :].any()
    assert {tuple(place) for place in ours[:, : len(places)]} == set(zip(*places, strict=True))
    # Data qubits are read out last.
    *_, last = (op for op in generated if op.name in ("M", "MX"))
    places = generated.get_final_qubit_coordinates()
    if places:
        data = {tuple(places[target.value]) for target in last.targets_copy()}
        assert {tuple(place) for place in code.qubit_positions} == data


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: RotatedSurfaceCode(3, 1), "at least 2, got 1"),
        (lambda: RotatedSurfaceCode(3, "4"), "as an integer, got '4'"),  # pyright: ignore[reportArgumentType]
        (lambda: UnrotatedSurfaceCode(1), "at least 2, got 1"),
        (lambda: UnrotatedSurfaceCode(200, 3), "at most 101, got 200"),
        (lambda: RepetitionCode(0), "at least 2, got 0"),
        (lambda: codes.get("surface_1x5"), "at least 2, got 1"),
    ],
)
def test_sizes_that_make_no_code_are_refused(make, said):
    with pytest.raises(CascadeError, match=said):
        make()


def test_a_square_has_one_name():
    assert codes.get("surface_5x5") is codes.get("surface_d5")
    assert codes.get("unrotated_3x3").name == "unrotated_d3"
