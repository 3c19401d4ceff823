"""Skeletons from circuits whose detectors' checks and times are known."""

# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import stim

from cascade_qec import codes
from cascade_qec.circuits import SI1000, UniformDepolarizing, memory
from cascade_qec.codes import CSSCode
from cascade_qec.errors import CascadeError
from cascade_qec.recognition.circuit_skeleton import circuit_skeleton
from cascade_qec.recognition.skeleton import Skeleton

RELAY = Path(__file__).parents[1] / "data" / "relay_bb72_z_r6_p0.003.stim"
BASES = pytest.mark.parametrize("basis", ["X", "Z"])
NOISE = {"CX": UniformDepolarizing(0.001), "CZ": SI1000(0.001)}


def truth(code: CSSCode, rounds: int, basis: str) -> tuple[np.ndarray, np.ndarray]:
    """Row in the X checks followed by the Z checks, and time, of the detectors of our own experiment."""
    kinds = {"X": np.arange(len(code.hx)), "Z": len(code.hx) + np.arange(len(code.hz))}
    slices = [
        np.concatenate([kinds[kind] for kind in "XZ" if kind == basis or 0 < t < rounds]) for t in range(rounds + 1)
    ]
    return np.concatenate(slices), np.repeat(np.arange(rounds + 1), [len(found) for found in slices])


def confirm(skeleton: Skeleton, code: CSSCode, check: np.ndarray, time: np.ndarray, basis: str) -> None:
    """Raise unless the skeleton is this one, up to the numbering of checks and of data qubits."""
    assert skeleton.rounds == time.max()
    assert np.array_equal(skeleton.time, time)
    pairs = set(zip(skeleton.check.tolist(), check.tolist(), strict=True))
    rows = [row for _, row in sorted(pairs)]
    assert [found for found, _ in sorted(pairs)] == list(range(len(skeleton.supports)))
    matrix = np.vstack([code.hx, code.hz])[rows]
    assert sorted(skeleton.supports.T.tolist()) == sorted(matrix.T.tolist())
    assert np.array_equal(skeleton.primary, (np.array(rows) < len(code.hx)) == (basis == "X"))
    assert (skeleton.check.dtype, skeleton.time.dtype, skeleton.supports.dtype) == (np.int64, np.int64, np.uint8)


@BASES
@pytest.mark.parametrize("native", ["CX", "CZ"])
@pytest.mark.parametrize(
    ("name", "rounds"),
    [("surface_d3", 1), ("surface_d3", 2), ("surface_d5", 1), ("surface_d5", 5), ("bb72", 1), ("bb72", 3)],
)
def test_our_own_circuits(name, rounds, native, basis):
    code = codes.get(name)
    circuit = memory(code, rounds=rounds, basis=basis, noise=NOISE[native])
    skeleton = circuit_skeleton(circuit)
    confirm(skeleton, code, *truth(code, rounds, basis), basis)
    # Between two rounds of a surface code with CZ, some data qubits of a check stand turned and others do not; with one
    # round only, what can be seen is that such hardware prepares and reads out in Z.
    if native == "CX" or (code.family == "bb" and rounds > 1):
        assert skeleton.basis == basis
    flattened = circuit_skeleton(circuit.flattened().without_noise())
    confirm(flattened, code, *truth(code, rounds, basis), basis)


@BASES
@pytest.mark.parametrize("native", ["CX", "CZ"])
@pytest.mark.parametrize(("name", "rounds"), [("surface_d3", 1), ("surface_d5", 3), ("bb72", 2)])
def test_one_qubit_after_the_other_without_ticks(draft_of, name, rounds, native, basis):
    code = codes.get(name)
    draft = draft_of(memory(code, rounds=rounds, basis=basis, noise=NOISE[native]))
    draft.shuffle(np.random.default_rng(8))
    draft.coordinates = [[] for _ in draft.detectors]
    confirm(circuit_skeleton(draft.circuit(ticks=False)), code, *truth(code, rounds, basis), basis)


@pytest.mark.parametrize("native", ["CX", "CZ"])
@pytest.mark.parametrize(("name", "rounds"), [("surface_d3", 3), ("surface_d5", 3), ("bb72", 2)])
def test_every_qubit_as_early_as_it_can(draft_of, name, rounds, native):
    """Rounds overlap: while one check begins the next, another has not finished."""
    code = codes.get(name)
    draft = draft_of(memory(code, rounds=rounds, noise=NOISE[native]))
    draft.layers = [[operation for layer in draft.layers for operation in layer]]
    draft.shuffle(np.random.default_rng(8))
    confirm(circuit_skeleton(draft.circuit()), code, *truth(code, rounds, "Z"), "Z")


@BASES
@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_circuits_of_stim(rounds, basis):
    """Its plaquettes are those of our code mirrored, and its detectors sorted otherwise: coordinates tell."""
    circuit = stim.Circuit.generated(f"surface_code:rotated_memory_{basis.lower()}", distance=5, rounds=rounds)
    skeleton = circuit_skeleton(circuit)
    table = np.array([place for _, place in sorted(circuit.get_detector_coordinates().items())])
    assert (skeleton.rounds, skeleton.basis) == (rounds, basis)
    assert np.array_equal(skeleton.time, table[:, 2])
    pairs = {(check, x, y) for check, (x, y, _) in zip(skeleton.check.tolist(), table.tolist(), strict=True)}
    assert len(pairs) == len(skeleton.supports) == (24 if rounds > 1 else 12)
    assert skeleton.primary.sum() == 12
    assert skeleton.supports.shape[1] == 25


def test_a_circuit_of_another_tool():
    skeleton = circuit_skeleton(stim.Circuit.from_file(RELAY))
    code = codes.get("bb72")
    assert (skeleton.rounds, skeleton.basis) == (6, "Z")
    assert skeleton.supports.shape == (72, 72)
    assert set(skeleton.supports.sum(axis=0)) == set(skeleton.supports.sum(axis=1)) == {6}
    assert skeleton.primary.sum() == len(code.hz)
    assert not (skeleton.supports[skeleton.primary].astype(int) @ skeleton.supports[~skeleton.primary].T % 2).any()


def products(code: CSSCode, rounds: int, basis: str) -> stim.Circuit:
    """Checks measured as products of Pauli operators, with neither ancillas nor coordinates."""
    circuit = stim.Circuit()
    data = range(code.n)
    circuit.append("RX" if basis == "X" else "R", data)
    checks = [(kind, np.flatnonzero(row)) for kind, h in (("X", code.hx), ("Z", code.hz)) for row in h]
    own = [index for index, (kind, _) in enumerate(checks) if kind == basis]
    for number in range(rounds):
        circuit.append("TICK", [])
        for kind, support in checks:
            target = stim.target_x if kind == "X" else stim.target_z
            circuit.append("MPP", stim.target_combined_paulis([target(qubit) for qubit in support]), 0.001)
        for index in range(len(checks)) if number else own:
            before = [index - 2 * len(checks)] if number else []
            circuit.append("DETECTOR", [stim.target_rec(o) for o in (index - len(checks), *before)])
    circuit.append("MX" if basis == "X" else "M", data)
    for index in own:
        outcomes = [index - len(checks) - code.n, *(checks[index][1] - code.n)]
        circuit.append("DETECTOR", [stim.target_rec(outcome) for outcome in outcomes])
    for number, row in enumerate(code.logicals(basis)):
        circuit.append("OBSERVABLE_INCLUDE", [stim.target_rec(o - code.n) for o in np.flatnonzero(row)], number)
    return circuit


@BASES
@pytest.mark.parametrize(("name", "rounds"), [("surface_d3", 1), ("surface_d3", 3), ("bb72", 2)])
def test_one_check_after_the_other_with_one_ancilla(name, rounds, basis):
    """A slice of the check that comes last is later than most of the next one of the check that comes first."""
    code = codes.get(name)
    circuit = stim.Circuit()
    for instruction in products(code, rounds, basis):
        if instruction.name != "MPP":
            circuit.append(instruction)
            continue
        for product in instruction.target_groups():
            pairs = [q for t in product if not t.is_combiner for q in (code.n, t.value)]
            circuit.append("RX", code.n)
            circuit.append("CX" if product[0].is_x_target else "CZ", pairs)
            circuit.append("MX", code.n)
    confirm(circuit_skeleton(circuit), code, *truth(code, rounds, basis), basis)


@BASES
@pytest.mark.parametrize(("name", "rounds"), [("surface_d3", 1), ("surface_d3", 3), ("bb72", 2)])
def test_checks_measured_as_products(name, rounds, basis):
    code = codes.get(name)
    confirm(circuit_skeleton(products(code, rounds, basis)), code, *truth(code, rounds, basis), basis)


@pytest.mark.parametrize("native", ["CX", "CZ"])
@pytest.mark.parametrize("name", ["surface_d3", "bb72"])
def test_doubles_are_ignored_and_missing_detectors_do_not_matter(draft_of, name, native):
    code = codes.get(name)
    draft = draft_of(memory(code, rounds=4, noise=NOISE[native]))
    check, time = truth(code, 4, "Z")
    order = np.random.default_rng(6).permutation(len(check))[2:]
    doubled = [*order, *order[:3]]
    draft.take(doubled)
    skeleton = circuit_skeleton(draft.circuit())
    assert (skeleton.check[-3:] == -1).all()
    assert np.array_equal(skeleton.time, time[doubled])
    whole = Skeleton(
        skeleton.rounds, skeleton.check[:-3], skeleton.time[:-3], skeleton.supports, skeleton.primary, skeleton.basis
    )
    confirm(whole, code, check[order], time[order], "Z")


def test_detectors_of_one_basis_alone(draft_of):
    code = codes.get("surface_d5")
    draft = draft_of(memory(code, rounds=3, noise=NOISE["CX"]))
    check, time = truth(code, 3, "Z")
    order = np.flatnonzero(check >= len(code.hx))
    draft.take(order)
    skeleton = circuit_skeleton(draft.circuit())
    confirm(skeleton, code, check[order], time[order], "Z")
    assert skeleton.primary.all()


def test_overlapping_rounds_keep_the_order_of_each_checks_detectors(draft_of):
    draft = draft_of(memory(codes.get("surface_d5"), rounds=6, noise=NOISE["CX"]))
    draft.shuffle(np.random.default_rng(1))
    skeleton = circuit_skeleton(draft.circuit(ticks=False))
    for check in range(len(skeleton.supports)):
        times = skeleton.time[skeleton.check == check].tolist()
        assert all(a < b for a, b in pairwise(times))


@pytest.mark.parametrize(
    ("circuit", "message"),
    [
        ("R 0\nM 0", "expected a circuit with detectors, got one without any"),
        (
            "RX 0\nM 0\nDETECTOR rec[-1]",
            "detectors and observables that are certain without noise, got D0 that are random",
        ),
        (
            "R 0 1\nCX 0 1\nM 1\nDETECTOR rec[-1]\nR 1\nM 1 0\nDETECTOR rec[-2]",
            "detector D1 watches no data qubit; expected it to watch a check of the code",
        ),
        (
            "R 0 1 2\nCX 0 2\nCX 1 2\nMR 2\nMR 2\nM 0 1\nDETECTOR rec[-1] rec[-2] rec[-4]",
            "expected at least one round of syndrome extraction, got checks that are measured once only",
        ),
    ],
    ids=["no detectors", "random", "no data", "once"],
)
def test_refusals(circuit, message):
    with pytest.raises(CascadeError, match=message):
        circuit_skeleton(stim.Circuit(circuit))
