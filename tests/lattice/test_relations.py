import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_qec import codes
from cascade_qec.codes import SpaceRelations
from cascade_qec.lattice import RelationTable, Span, concatenate, convolution_tables, data_relations, memory_lattice
from cascade_qec.lattice.relations import in_spacetime, segments, site_index

CONVOLUTIONS = [("surface_d3", "direct"), ("bb72", "bipartite"), ("bb72", "direct")]


def tables_of(name: str, style: str, basis: str, rounds: int) -> list[RelationTable]:
    lattice = memory_lattice(codes.get(name), rounds, basis)
    return [*convolution_tables(lattice.frame, style, lattice.slices), data_relations(lattice.frame, lattice.slices)]


@given(rounds=st.integers(1, 500), most=st.none() | st.integers(1, 40))
def test_segments_share_the_slices_evenly(rounds, most):
    found = segments(rounds, most)
    assert [one for start, stop in found for one in range(start, stop)] == list(range(rounds + 1))
    sizes = [stop - start for start, stop in found]
    assert max(sizes) - min(sizes) <= 1
    assert len(found) == (1 if most is None else -(-rounds // most))


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize(
    ("name", "style", "relations"),
    [("surface_d3", "direct", [27, 8]), ("bb72", "bipartite", [12, 12, 12]), ("bb72", "direct", [66, 12])],
)
def test_number_of_relations(name, style, relations, basis):
    assert [table.relations for table in tables_of(name, style, basis, 2)] == relations


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("rounds", [1, 3])
@pytest.mark.parametrize(("name", "style"), CONVOLUTIONS)
def test_a_relation_reads_each_input_once_and_the_inverse_inverts_it(name, style, rounds, basis):
    for table in tables_of(name, style, basis, rounds):
        assert table.table.shape == (table.sites_out, table.relations)
        assert table.inverse.shape == (table.sites_in, table.relations)
        for r in range(table.relations):
            pairs = {(s, read) for s, read in enumerate(table.table[:, r].tolist()) if read >= 0}
            assert len({read for _, read in pairs}) == len(pairs)
            assert {(s, read) for read, s in enumerate(table.inverse[:, r].tolist()) if s >= 0} == pairs


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize(("name", "style"), CONVOLUTIONS)
def test_a_relation_leads_from_one_plane_to_one_plane(name, style, basis):
    lattice = memory_lattice(codes.get(name), 2, basis)
    for table in convolution_tables(lattice.frame, style, lattice.slices):
        plane_in = np.concatenate([np.full(s.stop - s.start, s.plane) for s in table.spans_in])
        plane_out = np.concatenate([np.full(s.stop - s.start, s.plane) for s in table.spans_out])
        assert (len(plane_in), len(plane_out)) == (table.sites_in, table.sites_out)
        sites, relations = np.nonzero(table.table >= 0)
        readers = table.reader_planes[plane_in[table.table[sites, relations]], relations]
        np.testing.assert_array_equal(readers, plane_out[sites])


@given(
    slices=st.integers(1, 4),
    offsets=st.lists(st.integers(-2, 2), min_size=1, max_size=3, unique=True),
    planes=st.lists(st.integers(1, 3), min_size=1, max_size=2),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None, max_examples=60)
def test_space_becomes_spacetime(slices, offsets, planes, seed):
    places = sum(planes)
    rng = np.random.default_rng(seed)
    space = np.stack([np.where(rng.random(places) < 0.7, rng.permutation(places), -1) for _ in range(2)], axis=1)
    relations = SpaceRelations(space, tuple(offsets), read="checks", out="checks")
    found = in_spacetime(relations, slices=slices, planes_in=planes, planes_out=planes)
    site = site_index(planes, slices)
    for t in range(slices):
        for place in range(places):
            expected = [
                site[t + offset, read] if read >= 0 and 0 <= t + offset < slices else -1
                for offset in offsets
                for read in space[place]
            ]
            assert found.table[site[t, place]].tolist() == expected


def test_sites_are_numbered_by_plane_then_time_then_place():
    assert site_index([2, 1], 3).tolist() == [[0, 1, 6], [2, 3, 7], [4, 5, 8]]


def test_side_by_side_tables_do_not_touch():
    first = RelationTable(np.array([[1, -1], [0, 1]]), (Span(0, 2, 0),), (Span(0, 1, 0), Span(1, 2, 1)))
    second = RelationTable(np.array([[-1, 0]]), (Span(0, 1, 1),), (Span(0, 1, 0),))
    both = concatenate([first, second, first])
    assert both.table.tolist() == [[1, -1], [0, 1], [-1, 2], [4, -1], [3, 4]]
    assert both.spans_in == (Span(0, 2, 0), Span(2, 3, 1), Span(3, 5, 0))
    assert both.spans_out == (Span(0, 1, 0), Span(1, 2, 1), Span(2, 3, 0), Span(3, 4, 0), Span(4, 5, 1))
    assert (both.sites_in, both.sites_out, both.planes_out) == (5, 5, 2)
    assert both.inverse.tolist() == [[1, -1], [0, 1], [-1, 2], [4, -1], [3, 4]]


def test_tables_that_the_backward_pass_cannot_use_are_refused():
    twice = RelationTable(np.array([[0], [0]]), (Span(0, 1, 0),), (Span(0, 2, 0),))
    with pytest.raises(AssertionError, match="relation 0 reads an input site twice"):
        _ = twice.inverse
    forked = RelationTable(np.array([[0], [1]]), (Span(0, 2, 0),), (Span(0, 1, 0), Span(1, 2, 1)))
    with pytest.raises(AssertionError, match=r"relation 0 leads from plane 0 to planes \[0, 1\]"):
        _ = forked.reader_planes
