import numpy as np
import pytest
import stim
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_qec import codes
from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import ABSENT, Lattice, memory_lattice

CODES = ["surface_d3", "surface_d5", "bb72"]


def expected_site(code, rounds: int, basis: str, detector: list[float]) -> int:
    """The site of a detector by its coordinates, worked out from the definition of the frame."""
    x, y, t, plane = map(int, detector)
    primary = "XZ"[plane] == basis
    if code.family == "surface":  # sorted by slice, row, column; the X frame is transposed
        places = sorted(
            (int(row), int(col)) if basis == "Z" else (int(col), int(row))
            for kind in "XZ"
            for row, col in code.check_coords(kind)
        )
        place = (y // 2, x // 2) if basis == "Z" else (x // 2, y // 2)
        return t * len(places) + places.index(place)
    if basis == "X":  # inverted in space and time
        x, y, t = -x % code.l, -y % code.m, rounds - t
    size = code.l * code.m
    return (0 if primary else (rounds + 1) * size) + t * size + x * code.m + y


def bare_circuit(coords: dict[int, list[float]], order: np.ndarray, observables: int = 1) -> stim.Circuit:
    """A circuit of nothing but detectors: those with these coordinates, in another order."""
    circuit = stim.Circuit()
    for detector in order:
        circuit.append("DETECTOR", [], coords[detector])
    circuit.append("OBSERVABLE_INCLUDE", [], observables - 1)
    return circuit


@given(
    name=st.sampled_from(CODES),
    basis=st.sampled_from("XZ"),
    rounds=st.integers(1, 8),
    shots=st.integers(0, 9),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=60)
def test_gather_undoes_scatter(name, basis, rounds, shots, seed):
    lattice = memory_lattice(codes.get(name), rounds, basis)
    events = np.random.default_rng(seed).random((shots, lattice.detectors)) < 0.3
    states = lattice.scatter(events)
    assert states.shape == (lattice.sites, shots)
    assert states.dtype == np.uint8
    back = lattice.gather(states)
    assert back.dtype == np.bool_
    np.testing.assert_array_equal(back, events)


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize(("name", "rounds"), [("surface_d3", 3), ("surface_d5", 1), ("bb72", 6), ("bb72", 1)])
def test_every_detector_has_the_site_of_its_coordinates(name, rounds, basis):
    code = codes.get(name)
    coords = memory(code, rounds=rounds, basis=basis).get_detector_coordinates()
    lattice = memory_lattice(code, rounds, basis)
    expected = [expected_site(code, rounds, basis, coords[i]) for i in range(len(coords))]
    assert lattice.detector_sites.tolist() == expected
    events = np.eye(lattice.detectors, dtype=bool)
    states = lattice.scatter(events)
    assert [np.flatnonzero(column == 1).tolist() for column in states.T] == [[site] for site in expected]


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("rounds", [1, 2, 3, 7])
@pytest.mark.parametrize("name", ["surface_d3", "bb72"])
def test_the_other_basis_is_absent_from_the_first_and_the_last_slice(name, rounds, basis):
    code = codes.get(name)
    lattice = memory_lattice(code, rounds, basis)
    plane, other = (0, code.check_coords("Z")) if basis == "X" else (1, code.check_coords("X"))
    xy = 2 * other[:, ::-1] if code.family == "surface" else other
    missing = [(x, y, t, 1 - plane) for t in (0, rounds) for x, y in xy]
    expected = np.zeros(lattice.sites, dtype=np.uint8)
    expected[[expected_site(code, rounds, basis, place) for place in missing]] = ABSENT

    silence = lattice.scatter(np.zeros((2, lattice.detectors), dtype=bool))
    np.testing.assert_array_equal(silence, np.stack([expected, expected], axis=1))


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize(("name", "rounds"), [("surface_d3", 1), ("surface_d3", 3), ("surface_d5", 9), ("bb72", 2)])
def test_lattice_is_read_off_circuits_and_error_models(name, rounds, basis):
    code = codes.get(name)
    circuit = memory(code, rounds=rounds, basis=basis, noise=UniformDepolarizing(0.002))
    expected = memory_lattice(code, rounds, basis)
    for source in (
        circuit,
        circuit.flattened(),
        circuit.detector_error_model(flatten_loops=True),
        circuit.detector_error_model(),
    ):
        found = Lattice.from_circuit(code, source)
        assert (found.rounds, found.basis, found.sites) == (rounds, basis, expected.sites)
        np.testing.assert_array_equal(found.detector_sites, expected.detector_sites)


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("name", ["surface_d3", "bb72"])
def test_order_of_the_detectors_is_the_circuits(name, basis):
    code = codes.get(name)
    ours = memory_lattice(code, 3, basis)
    rng = np.random.default_rng(5)
    order = rng.permutation(ours.detectors)
    coords = memory(code, rounds=3, basis=basis).get_detector_coordinates()
    theirs = Lattice.from_circuit(code, bare_circuit(coords, order))
    events = rng.random((20, ours.detectors)) < 0.2
    states = theirs.scatter(events[:, order])
    np.testing.assert_array_equal(states, ours.scatter(events))
    np.testing.assert_array_equal(theirs.gather(states), events[:, order])


def test_one_set_of_kinds_tells_planes_and_for_bicycle_codes_bases_apart():
    for name, kinds in (("surface_d3", {"Z": (0, 1), "X": (0, 1)}), ("bb72", {"Z": (0, 1), "X": (2, 3)})):
        for basis, (primary, secondary) in kinds.items():
            lattice = memory_lattice(codes.get(name), 3, basis)
            circuit = memory(lattice.code, rounds=3, basis=basis)
            planes = np.array([c[3] for c in circuit.get_detector_coordinates().values()])
            expected = np.where(planes == "XZ".index(basis), primary, secondary)
            np.testing.assert_array_equal(lattice.site_kind[lattice.detector_sites], expected)
            assert max(primary, secondary) < lattice.frame.kinds


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("name", ["surface_d5", "bb72"])
def test_logical_weights_are_a_mean_over_support_and_time(name, basis):
    lattice = memory_lattice(codes.get(name), 4, basis)
    weights = lattice.logical_weights
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    heavy = (weights > 0).sum(axis=1)
    np.testing.assert_array_equal(heavy, 5 * lattice.code.logicals(basis).sum(axis=1))
    np.testing.assert_allclose(weights.max(axis=1), 1 / heavy)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("surface_d3", "surface_d5"),
        ("surface_d5", "surface_d3"),
        ("bb144", "bb72"),
        ("bb72", "bb144"),
        ("surface_d5", "bb72"),
        ("bb72", "surface_d3"),
    ],
)
def test_circuit_of_another_code_is_refused(ours, theirs):
    # No shot is needed and so no logical either, whose search takes seconds for bb144.
    other = codes.get(theirs)
    coords = {}
    for t in range(4):
        for plane, basis in enumerate("XZ"):
            for i, j in other.check_coords(basis) if basis == "Z" or 0 < t < 3 else []:
                coords[len(coords)] = [2 * j, 2 * i, t, plane] if other.family == "surface" else [i, j, t, plane]
    circuit = bare_circuit(coords, np.arange(len(coords)))
    with pytest.raises(CascadeError, match=rf"(no check of {ours} in|detectors of {ours} with 3) rounds"):
        Lattice.from_circuit(codes.get(ours), circuit)


@pytest.mark.parametrize(
    ("circuit", "message"),
    [
        (
            stim.Circuit.generated("surface_code:rotated_memory_z", distance=3, rounds=3),
            r"expected .* \(x, y, t, plane\), got coordinates of lengths \[3\]",
        ),
        (stim.Circuit("M 0"), r"expected .* \(x, y, t, plane\), got coordinates of lengths \[\]"),
        (stim.Circuit("M 0\nDETECTOR rec[-1]"), r"got coordinates of lengths \[0\]"),
        (
            stim.Circuit("DETECTOR(0, 4, 0, 1)\nDETECTOR(2, 0, 0, 0)"),
            r"one plane .* got planes \[0\.0, 1\.0\]",
        ),
        (stim.Circuit("DETECTOR(0, 4, 0, 3)"), r"one plane .* got planes \[3\.0\]"),
        (stim.Circuit("DETECTOR(0, 4, 1, 1)"), r"one plane .* at t = 0, got planes \[\]"),
        (
            stim.Circuit("DETECTOR(0, 4, 0, 1)\nDETECTOR(2, 0, 1, 1)"),
            r"D1 at .* = \(2\.0, 0\.0, 1\.0, 1\.0\) is no check of surface_d3 in rounds 0\.\.1",
        ),
        (
            stim.Circuit("DETECTOR(0, 4, 0, 1)\nDETECTOR(0, 4, 0.5, 1)\nDETECTOR(0, 4, 1, 1)"),
            r"D1 at .* = \(0\.0, 4\.0, 0\.5, 1\.0\) is no check of surface_d3 in rounds 0\.\.1",
        ),
        (
            stim.Circuit("DETECTOR(0, 4, 0, 1)\nDETECTOR(0, 4, 0, 1)"),
            "expected every detector at a place and time of its own, got two",
        ),
        (
            stim.Circuit("DETECTOR(0, 4, 0, 1)\nDETECTOR(0, 4, 3, 1)"),
            "expected the 24 detectors of surface_d3 with 3 rounds in basis Z, got 2",
        ),
    ],
)
def test_other_detectors_are_refused(circuit, message):
    with pytest.raises(CascadeError, match=message):
        Lattice.from_circuit(codes.get("surface_d3"), circuit)


@pytest.mark.parametrize("shape", [(5, 23), (5, 25), (24,), (5, 24, 1)])
def test_wrong_shapes_are_refused(shape):
    lattice = memory_lattice(codes.get("surface_d3"), 3, "Z")
    with pytest.raises(CascadeError, match=rf"\[shots, 24\] \(surface_d3, 3 .* Z\), got \[{shape[0]}"):
        lattice.scatter(np.zeros(shape, dtype=bool))
    with pytest.raises(CascadeError, match=rf"\[32, shots\], got \[{shape[0]}"):
        lattice.gather(np.zeros(shape, dtype=np.uint8))


@pytest.mark.parametrize("rounds", [0, -1, 2.0, "3"])
def test_impossible_rounds_are_refused(rounds):
    with pytest.raises(CascadeError, match=f"at least 1 round, got {rounds!r}"):
        Lattice(codes.get("surface_d3"), rounds=rounds, basis="Z")


def test_rounds_may_be_any_integer():
    assert Lattice(codes.get("surface_d3"), rounds=np.int64(3), basis="Z").sites == 32
