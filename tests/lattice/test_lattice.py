import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_qec import codes
from cascade_qec.circuits import memory
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


@given(
    name=st.sampled_from(CODES),
    basis=st.sampled_from("XZ"),
    rounds=st.integers(1, 8),
    shots=st.integers(0, 9),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=60)
def test_every_event_is_at_its_detectors_site(name, basis, rounds, shots, seed):
    lattice = memory_lattice(codes.get(name), rounds, basis)
    events = np.random.default_rng(seed).random((shots, lattice.detectors)) < 0.3
    states = lattice.scatter(events)
    assert states.shape == (lattice.sites, shots)
    assert states.dtype == np.uint8
    np.testing.assert_array_equal(states[lattice.detector_sites].T, events)


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
@pytest.mark.parametrize("name", ["surface_d3", "bb72"])
def test_check_sites_are_those_of_the_detectors(name, basis):
    code, rounds = codes.get(name), 3
    lattice = memory_lattice(code, rounds, basis)
    for plane, kind in enumerate("XZ"):
        sites = lattice.check_sites(kind)
        assert sites.shape == (rounds + 1, len(code.check_coords(kind)))
        expected = [
            [
                expected_site(code, rounds, basis, [2 * j, 2 * i, t, plane] if name != "bb72" else [i, j, t, plane])
                for i, j in code.check_coords(kind)
            ]
            for t in range(rounds + 1)
        ]
        assert sites.tolist() == expected
    both = np.concatenate([lattice.check_sites(kind).ravel() for kind in "XZ"])
    assert sorted(both.tolist()) == list(range(lattice.sites))


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("name", ["surface_d3", "bb72"])
def test_detectors_may_come_in_any_order_be_ignored_or_be_missing(name, basis):
    code = codes.get(name)
    ours = memory_lattice(code, 3, basis)
    rng = np.random.default_rng(5)
    order = rng.permutation(ours.detectors)
    kept, ignored = order[:-4], order[-4:-2]
    # Two detectors double others and are ignored; two are missing.
    sites = np.concatenate([ours.detector_sites[kept], [-1, -1]])
    theirs = Lattice(code, rounds=3, basis=basis, detector_sites=sites)
    assert theirs.detectors == ours.detectors - 2
    events = rng.random((20, ours.detectors)) < 0.3
    states = theirs.scatter(events[:, np.concatenate([kept, ignored])])
    seen = events.copy()
    seen[:, order[-4:]] = False
    # Where a detector is ignored or missing the site is silent, as one that the network knows, not absent.
    np.testing.assert_array_equal(states, ours.scatter(seen))


def test_sites_that_no_detectors_can_have_are_refused():
    ours = memory_lattice(codes.get("surface_d3"), 3, "Z")
    absent = np.setdiff1d(np.arange(ours.sites), ours.detector_sites)[0]
    for sites in ([ours.detector_sites[0]] * 2, [ours.sites], [absent]):
        with pytest.raises(CascadeError, match="every detector at a site of its own where the experiment has one"):
            Lattice(ours.code, rounds=3, basis="Z", detector_sites=np.array(sites))


def test_one_set_of_kinds_tells_planes_and_for_bicycle_codes_bases_apart():
    for name, kinds in (("surface_d3", {"Z": (0, 1), "X": (0, 1)}), ("bb72", {"Z": (0, 1), "X": (2, 3)})):
        for basis, (primary, secondary) in kinds.items():
            lattice = memory_lattice(codes.get(name), 3, basis)
            circuit = memory(lattice.code, rounds=3, basis=basis)
            planes = np.array([c[3] for c in circuit.get_detector_coordinates().values()])
            expected = np.where(planes == "XZ".index(basis), primary, secondary)
            np.testing.assert_array_equal(lattice.site_kind[lattice.detector_sites], expected)
            assert max(primary, secondary) < lattice.frame.kinds


@pytest.mark.parametrize("shape", [(5, 23), (5, 25), (24,), (5, 24, 1)])
def test_wrong_shapes_are_refused(shape):
    lattice = memory_lattice(codes.get("surface_d3"), 3, "Z")
    with pytest.raises(CascadeError, match=rf"\[shots, 24\] \(surface_d3, 3 .* Z\), got \[{shape[0]}"):
        lattice.scatter(np.zeros(shape, dtype=bool))


@pytest.mark.parametrize("rounds", [0, -1, 2.0, "3"])
def test_impossible_rounds_are_refused(rounds):
    with pytest.raises(CascadeError, match=f"at least 1 round, got {rounds!r}"):
        Lattice(codes.get("surface_d3"), rounds=rounds, basis="Z")


def test_rounds_may_be_any_integer():
    assert Lattice(codes.get("surface_d3"), rounds=np.int64(3), basis="Z").sites == 32
