# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

from functools import cache

import numpy as np
import pytest

from cascade_qec import codes
from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.codes import BivariateBicycleCode, CSSCode, Frame, LiftedProductCode, gf2
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import concatenate, convolution_tables, data_relations, memory_lattice, sums_over_time
from cascade_qec.lattice.relations import site_index


@cache
def code_named(name: str) -> CSSCode:
    match name:
        case "toric":  # polynomials of two terms on a torus that is not square
            return BivariateBicycleCode(4, 3, "1+x", "1+y")
        case "lifted":  # several orbits of checks
            return LiftedProductCode(7, [["1", "x", "x^3"], ["1", "x^2", "x^5"]], name=name)
        case "lopsided":  # and without a duality
            return LiftedProductCode((5, 3), [["1+x", "x+y"]], [["1+x*y"]], name=name)
        case _:
            return codes.get(name)


def frames_of(*names: str) -> list:
    return [pytest.param(name, basis, id=f"{name}-{basis}") for name in names for basis in "XZ"]


tori = frames_of("toric", "bb72", "bb90")
every_frame = frames_of("surface_d3", "surface_d5", "surface_3x4", "unrotated_d3", "unrotated_3x4", "colour_d5") + tori
every_frame += [
    *frames_of("lifted", "lopsided", "haah_3", "tt72"),
    pytest.param("repetition_d5", "Z", id="repetition_d5-Z"),
]


def read_once(table: np.ndarray, inputs: int) -> np.ndarray:
    """How often each output reads each input through any relation: int64 [outputs, inputs]."""
    times = np.zeros((len(table), inputs), dtype=np.int64)
    outputs, relations = np.nonzero(table >= 0)
    np.add.at(times, (outputs, table[outputs, relations]), 1)
    return times


def overlaps(frame: Frame) -> np.ndarray:
    """Which checks each data qubit reads, by place: int64 [data places, check places]."""
    # With a single slice sites are places, and the relations that lead to another slice are absent.
    return read_once(data_relations(frame, 1).table, sum(frame.plane_sizes))


def qubit_of_place(code: CSSCode, frame: Frame) -> np.ndarray:
    """The data qubit at each data place, recognised by the checks that it touches: int64 [n]."""
    places = np.concatenate([frame.check_place["X"], frame.check_place["Z"]])
    qubits = {tuple(column): qubit for qubit, column in enumerate(np.vstack([code.hx, code.hz]).T.tolist())}
    assert len(qubits) == code.n
    return np.array([qubits[tuple(row)] for row in overlaps(frame)[:, places].tolist()])


@pytest.mark.parametrize(("name", "basis"), every_frame)
def test_readout_reads_all_checks_that_touch_a_data_qubit_and_no_other(name, basis):
    # Every data place reads a set of checks that is some qubit's column of (hx, hz), and each column once.
    code = code_named(name)
    assert sorted(qubit_of_place(code, code.frame(basis))) == list(range(code.n))


@pytest.mark.parametrize(("name", "basis"), every_frame)
def test_primary_checks_are_those_of_the_basis(name, basis):
    code = code_named(name)
    frame = code.frame(basis)
    other = "X" if basis == "Z" else "Z"
    assert set(frame.place_kind[frame.check_place[basis]] % 2) == {0}
    assert set(frame.place_kind[frame.check_place[other]] % 2) == ({1} if len(code.checks(other)) else set())
    every_place = np.concatenate([frame.check_place[basis], frame.check_place[other]])
    assert sorted(every_place) == list(range(sum(frame.plane_sizes)))


@pytest.mark.parametrize(("name", "basis"), every_frame)
def test_each_place_has_the_data_qubit_of_its_checks(name, basis):
    code = code_named(name)
    frame = code.frame(basis)
    np.testing.assert_array_equal(frame.data_qubit, qubit_of_place(code, frame))


@pytest.mark.parametrize(("name", "basis"), every_frame)
def test_support_is_a_logical_of_the_frame(name, basis):
    code = code_named(name)
    frame = code.frame(basis)
    support = code.logicals(basis)[:, frame.data_qubit].astype(np.int64)
    primary = overlaps(frame)[:, frame.place_kind % 2 == 0].T
    secondary = overlaps(frame)[:, frame.place_kind % 2 == 1].T
    # Observables commute with the checks of the other kind, and are no product of those of their own.
    assert not (secondary @ support.T % 2).any()
    rank = gf2.rank(primary.astype(np.uint8))
    assert gf2.rank(np.vstack([primary, support]).astype(np.uint8)) == rank + len(support)


@pytest.mark.parametrize(("name", "basis"), tori + frames_of("lifted", "lopsided"))
def test_bipartite_steps_go_to_the_data_qubits_and_back(name, basis):
    frame = code_named(name).frame(basis)
    gather, spread = convolution_tables(frame, "bipartite", 1)
    np.testing.assert_array_equal(read_once(gather.table, gather.sites_in), overlaps(frame))
    np.testing.assert_array_equal(read_once(spread.table, spread.sites_in), overlaps(frame).T)


@pytest.mark.parametrize(("name", "basis"), every_frame)
def test_direct_convolution_reads_every_check_that_shares_a_qubit(name, basis):
    frame = code_named(name).frame(basis)
    (table,) = convolution_tables(frame, "direct", 1)
    shared = overlaps(frame).T @ overlaps(frame)
    np.testing.assert_array_equal(read_once(table.table, table.sites_in), shared > 0)


@pytest.mark.parametrize("name", ["surface_d3", "unrotated_d3", "colour_d5", "bb72", "lifted", "lopsided"])
def test_both_frames_share_weights(name):
    """Side by side, as in training, no relation leads from one plane to two, nor reads a site twice."""
    frames = [code_named(name).frame(basis) for basis in "XZ"]
    steps = [
        zip(*(convolution_tables(frame, style, 2) for frame in frames), strict=True) for style in frames[0].convolutions
    ]
    for tables in [*(pair for step in steps for pair in step), [sums_over_time(frame)[1] for frame in frames]]:
        both = concatenate(tables)
        assert both.inverse.shape == (both.sites_in, both.relations)
        assert (both.reader_planes < both.planes_out).all()


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_bipartite_convolution_reaches_what_the_direct_one_reaches(basis):
    frame = code_named("bb72").frame(basis)
    gather, spread = (read_once(t.table, t.sites_in) for t in convolution_tables(frame, "bipartite", 4))
    (direct,) = convolution_tables(frame, "direct", 4)
    np.testing.assert_array_equal(spread @ gather > 0, read_once(direct.table, direct.sites_in) > 0)


@pytest.mark.parametrize(("name", "basis"), frames_of("surface_d3", "surface_d5") + tori)
def test_a_readout_relation_reads_one_kind_of_check_and_the_same_in_both_bases(name, basis):
    # (kind of check read through each relation) by plane of data qubit; 0 is primary.
    frame = code_named(name).frame(basis)
    table = data_relations(frame, 1)
    found = []
    for span in table.spans_out:
        read = table.table[span.start : span.stop]
        kinds = [frame.place_kind[column[column >= 0]] % 2 for column in read.T]
        assert all(len(set(kind.tolist())) <= 1 for kind in kinds)
        found.append([int(kind[0]) if len(kind) else None for kind in kinds])
    none = [None] * (table.relations // 2)  # relations to the next slice, of which there is none
    terms = table.relations // 4
    expected = {
        "surface": [[1, 0, 0, 1, *none], [0, 1, 1, 0, *none]],
        "bb": [[1] * terms + [0] * terms + none, [0] * terms + [1] * terms + none],
    }
    assert found == expected[code_named(name).family]


def grid_of(code: CSSCode, frame: Frame, basis: str) -> np.ndarray:
    """(row, column) of every check place of a surface frame: int64 [places, 2]."""
    grid = np.empty((sum(frame.plane_sizes), 2), dtype=np.int64)
    for kind in ("X", "Z"):
        coords = code.check_coords(kind)
        grid[frame.check_place[kind]] = coords[:, ::-1] if basis == "X" else coords
    return grid


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_surface_relations_are_fixed_offsets_of_the_frame(basis):
    code = codes.get("surface_d5")
    frame = code.frame(basis)
    grid, slices = grid_of(code, frame, basis), 3
    (table,) = convolution_tables(frame, "direct", slices)
    place_and_time = np.empty((table.sites_in, 3), dtype=np.int64)
    for t, sites in enumerate(site_index(frame.plane_sizes, slices)):
        place_and_time[sites] = np.column_stack([np.full(len(grid), t), grid])
    offsets = [(dt, dr, dc) for dt in (-1, 0, 1) for dr in (-1, 0, 1) for dc in (-1, 0, 1)]
    known = {tuple(place): site for site, place in enumerate(place_and_time.tolist())}
    expected = [[known.get(tuple(place), -1) for place in (here + offsets).tolist()] for here in place_and_time]
    assert table.table.tolist() == expected


def bulk_mechanisms(basis: str) -> dict[tuple, float]:
    """Probability of each error mechanism of the bulk, by its detectors' relative (t, row, col, kind)."""
    # Detectors of one fault lie at most two steps apart: those three steps inside the boundary belong to
    # faults that the boundary does not cut, and d = 9 leaves room for all of them.
    d, rounds = 9, 6
    code = codes.get(f"surface_d{d}")
    circuit = memory(code, rounds=rounds, basis=basis, noise=UniformDepolarizing(0.003))
    lattice = memory_lattice(code, rounds, basis)
    grid = grid_of(code, lattice.frame, basis)
    place_of = np.empty((lattice.sites, 4), dtype=np.int64)
    for t, sites in enumerate(site_index(lattice.frame.plane_sizes, lattice.slices)):
        place_of[sites] = np.column_stack([np.full(len(grid), t), grid, lattice.frame.place_kind])
    low, high = np.array([2, 3, 3]), np.array([rounds - 2, d - 3, d - 3])
    found: dict[tuple, float] = {}
    for error in circuit.detector_error_model(flatten_loops=True):
        if error.type != "error":
            continue
        detectors = [target.val for target in error.targets_copy() if target.is_relative_detector_id()]
        places = place_of[lattice.detector_sites[detectors]]
        if ((places[:, :3] >= low) & (places[:, :3] <= high)).all():
            places[:, :3] -= places[:, :3].min(axis=0)
            key = tuple(sorted(map(tuple, places.tolist())))
            probability = error.args_copy()[0]
            assert found.setdefault(key, probability) == pytest.approx(probability)
    return found


def test_both_surface_frames_show_the_same_physics():
    z, x = bulk_mechanisms("Z"), bulk_mechanisms("X")
    assert len(z) > 20
    assert x == pytest.approx(z)


def test_what_has_no_frame_is_refused():
    surface, bicycle = codes.get("surface_d3"), codes.get("bb72")
    with pytest.raises(CascadeError, match='expected basis "X" or "Z", got \'Y\''):
        surface.frame("Y")
    with pytest.raises(CascadeError, match="expected convolution 'direct', got 'bipartite'"):
        surface.frame("Z").convolution("bipartite")
    with pytest.raises(CascadeError, match="expected convolution 'bipartite' or 'direct', got 'conv'"):
        bicycle.frame("Z").convolution("conv")
