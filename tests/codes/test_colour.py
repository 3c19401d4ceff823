import numpy as np
import pytest

from cascade_qec.circuits import UniformDepolarizing, circuit_distance, memory
from cascade_qec.codes import BASES, ColourCode, gf2
from cascade_qec.errors import CascadeError


@pytest.mark.parametrize("d", [3, 5, 7, 9, 11])
def test_a_triangle_of_the_honeycomb(d):
    code = ColourCode(d)
    assert (code.n, code.k, code.d, code.name) == ((3 * d * d + 1) // 4, 1, d, f"colour_d{d}")
    np.testing.assert_array_equal(code.hx, code.hz)
    assert set(code.hx.sum(axis=1).tolist()) == ({4} if d == 3 else {4, 6})
    colour = code.planes("X")
    touching = code.hx.astype(int) @ code.hx.T > 0
    np.testing.assert_array_equal(touching & (colour[:, None] == colour), np.eye(len(colour), dtype=bool))
    np.testing.assert_array_equal(code.planes("Z"), colour + 3)
    sides = code.operators("X")
    assert sides.sum(axis=1).tolist() == [d] * 3
    assert gf2.rank(np.vstack([code.hx, sides])) == len(code.hx) + 1  # of one class, and none is trivial


def test_no_logical_operator_is_lighter_than_the_distance():
    """All 2^10 representatives of d = 5, up to checks."""
    code = ColourCode(5)
    combinations = np.indices((2,) * len(code.hx)).reshape(len(code.hx), -1).T
    assert ((combinations @ code.hx + code.logicals("Z")[0]) % 2).sum(axis=1).min() == 5


@pytest.mark.parametrize("d", [3, 5])
def test_circuits_keep_the_distance(d):
    assert circuit_distance(ColourCode(d), size=3) == d


def test_rounds_touch_each_data_qubit_once_for_each_check():
    code = ColourCode(5)
    neighbours = {basis: code.neighbours(basis) for basis in BASES}
    plan = code.schedule
    layers = plan.layers(neighbours, {"X": range(100, 109), "Z": range(200, 209)})
    assert len(layers) == plan.depth == 8
    assert layers[0] == layers[-1] == [(100 + face, 200 + face) for face in range(9)]
    for layer in layers:
        qubits = [qubit for pair in layer for qubit in pair]
        assert len(set(qubits)) == len(qubits)
    for first, ancilla in ((1, 1), (4, 0)):  # Z checks, then X checks; the position of ancillas in a pair
        met = [(pair[ancilla] % 100, pair[1 - ancilla]) for layer in layers[first : first + 3] for pair in layer]
        assert sorted(met) == sorted(zip(*map(np.ndarray.tolist, np.nonzero(code.hx)), strict=True))


def test_chromobius_decodes_our_circuits():
    classical = pytest.importorskip("cascade_qec.decoders.classical")
    circuit = memory(ColourCode(3), rounds=3, noise=UniformDepolarizing(0.003))
    events, truth = circuit.compile_detector_sampler(seed=1).sample(4000, separate_observables=True)
    wrong = (classical.get("chromobius").bind(circuit).decode_batch(events).observables != truth).sum()
    # Measured: 3.1 % of shots, and 20 % of observables are flipped; five deviations away from 180 of 4000.
    assert wrong < 180 < 500 < truth.sum()


@pytest.mark.parametrize("d", [4, 1, 0])
def test_even_or_small_distance_is_refused(d):
    with pytest.raises(CascadeError, match=f"odd distance of at least 3 for a colour code, got {d}"):
        ColourCode(d)
