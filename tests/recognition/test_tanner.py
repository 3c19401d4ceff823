import numpy as np
import pytest

from cascade_qec import codes
from cascade_qec.codes import CSSCode
from cascade_qec.codes.gf2 import Bits
from cascade_qec.recognition.tanner import TannerGraph, isomorphisms


def checks_of(code: CSSCode) -> tuple[Bits, np.ndarray]:
    """Supports, Z checks first, and which of them are of the Z basis."""
    return np.vstack([code.hz, code.hx]), np.arange(len(code.hz) + len(code.hx)) < len(code.hz)


def is_image(found: Bits, code: Bits, checks: np.ndarray) -> bool:
    """Whether the checks of `found`, sent to these of `code`, have the same data qubits in some order."""
    return sorted(found.T.tolist()) == sorted(code[checks].T.tolist())


# The rotated surface code has itself and its half turn; with one check held, the bicycle codes have what is not a
# translation: known numbers, times the size of the torus.
@pytest.mark.parametrize(
    ("name", "count"), [("surface_d3", 2), ("surface_d5", 2), ("surface_d7", 2), ("bb72", 12), ("bb144", 2)]
)
def test_symmetries_of_a_code_from_whatever_numbering(name, count):
    code = codes.get(name)
    supports, primary = checks_of(code)
    random = np.random.default_rng(4)
    rows, columns = random.permutation(len(supports)), random.permutation(code.n)
    permuted = supports[np.ix_(rows, columns)]
    graph, found = TannerGraph.of(supports, primary), TannerGraph.of(permuted, primary[rows])
    root = int(np.flatnonzero(primary[rows])[0])
    images = np.arange(1) if code.family == "bb" else np.flatnonzero(primary)
    ways = list(isomorphisms(found, graph, root=root, images=images))
    assert len(ways) == len({tuple(way) for way in ways}) == count
    for way in ways:
        assert sorted(way) == list(range(len(supports)))
        assert np.array_equal(primary[way], primary[rows])
        assert is_image(permuted, supports, way)
    if code.family == "surface":
        assert any(np.array_equal(way, rows) for way in ways)


def test_translations_take_a_check_to_every_other():
    code = codes.get("bb144")
    graph = TannerGraph.of(code.hz, np.ones(len(code.hz), dtype=bool))
    ways = list(isomorphisms(graph, graph, root=5, images=np.arange(72)))
    assert sorted(way[5] for way in ways) == sorted([*range(72)] * 2)


def test_checks_of_one_basis_alone_will_do():
    code = codes.get("surface_d5")
    graph = TannerGraph.of(code.hz, np.ones(len(code.hz), dtype=bool))
    assert graph.checks == 12
    assert graph.supports.shape[1] < code.n  # pairs at the boundary have the same check
    (itself, turned) = sorted(isomorphisms(graph, graph, root=0, images=np.arange(12)), key=lambda way: way[0])
    assert itself.tolist() == list(range(12))
    assert turned.tolist() == list(range(12))[::-1]


def test_what_is_no_image_is_not_taken_for_one():
    """Codes of the same numbers of checks, qubits and weights, and one with a single edge moved."""
    code = codes.get("bb72")
    supports, primary = checks_of(code)
    graph = TannerGraph.of(supports, primary)
    other = checks_of(codes.BivariateBicycleCode(6, 6, "1+y+y^2", "1+x+x^2"))[0]
    moved = supports.copy()
    moved[3, [np.flatnonzero(supports[3])[0], np.flatnonzero(supports[3] == 0)[0]]] = 0, 1
    surface = checks_of(codes.get("surface_d3"))
    for found in (TannerGraph.of(other, primary), TannerGraph.of(moved, primary), TannerGraph.of(*surface)):
        assert not list(isomorphisms(found, graph, root=0, images=np.arange(36)))


def test_a_check_of_one_basis_does_not_go_to_one_of_the_other():
    supports, primary = checks_of(codes.get("surface_d3"))
    graph = TannerGraph.of(supports, primary)
    assert not list(isomorphisms(graph, graph, root=0, images=np.flatnonzero(~primary)))
