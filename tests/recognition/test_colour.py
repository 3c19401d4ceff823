"""Circuits and error models of colour codes: two checks on the same data qubits, of ours and of others."""

import numpy as np
import pytest
import stim

from cascade_qec import codes
from cascade_qec.circuits import SI1000, UniformDepolarizing, memory
from cascade_qec.codes import BASES, Basis
from cascade_qec.lattice import memory_lattice
from cascade_qec.recognition import recognise_any

EACH_BASIS = pytest.mark.parametrize("basis", BASES)


@EACH_BASIS
@pytest.mark.parametrize("noise", [UniformDepolarizing(0.003), SI1000(0.003)])
def test_our_circuits(basis, noise):
    code = codes.get("colour_d5")
    found = recognise_any(memory(code, rounds=3, basis=basis, noise=noise))
    assert (found.lattice.code, found.lattice.rounds, found.lattice.basis) == (code, 3, basis)
    assert found.observables.is_identity
    assert (found.missing, found.ignored, found.ambiguous) == (0, 0, False)
    assert np.array_equal(found.lattice.detector_sites, memory_lattice(code, 3, basis).detector_sites)


@EACH_BASIS
@pytest.mark.parametrize("coordinates", [True, False])
def test_our_error_models(basis, coordinates):
    model = memory(codes.get("colour_d3"), rounds=3, basis=basis, noise=UniformDepolarizing(0.003))
    model = model.detector_error_model(flatten_loops=True)
    if not coordinates:
        model = stim.DetectorErrorModel("\n".join(line for line in str(model).split("\n") if line.startswith("error")))
    found = recognise_any(model)
    assert (found.lattice.code.name, found.lattice.rounds, found.missing) == ("colour_d3", 3, 0)
    assert found.agreement == pytest.approx(1)


def one_ancilla_a_face(basis: Basis, rounds: int, p: float = 0.002) -> stim.Circuit:
    """Of distance 5, by another tool: an ancilla for each face measures its Z check and then, reset, its X check."""
    code = codes.get("colour_d5")
    order = np.random.default_rng(3).permutation(code.n + len(code.hx))  # where each qubit went
    data, ancillas = order[: code.n].tolist(), order[code.n :].tolist()
    faces = list(zip(ancillas, code.neighbours("Z").tolist(), strict=True))
    checks = len(ancillas)
    circuit = stim.Circuit()
    circuit.append("R" if basis == "Z" else "RX", data)
    for t in range(rounds + 1):
        for half, kind in enumerate("ZX"):
            if t < rounds:
                circuit.append("R" if kind == "Z" else "RX", ancillas)
                for slot in range(6):
                    pairs = [(data[row[slot]], ancilla) for ancilla, row in faces if row[slot] >= 0]
                    cnots = [qubit for pair in pairs for qubit in (pair if kind == "Z" else pair[::-1])]
                    circuit.append("CX", cnots)
                    circuit.append("DEPOLARIZE2", cnots, p)
                    circuit.append("TICK", [])
                circuit.append("M" if kind == "Z" else "MX", ancillas, p)
                if t > 0 or kind == basis:
                    for check in range(checks):
                        back = [check - checks] + [check - 3 * checks] * (t > 0)
                        circuit.append("DETECTOR", [stim.target_rec(at) for at in back], (check, t, half))
    circuit.append("M" if basis == "Z" else "MX", data)
    ago = code.n + (2 if basis == "Z" else 1) * checks
    for check, (_, row) in enumerate(faces):
        back = [qubit - code.n for qubit in row if qubit >= 0] + [check - ago]
        circuit.append("DETECTOR", [stim.target_rec(at) for at in back], (check, rounds, "ZX".index(basis)))
    line = np.flatnonzero(code.logicals(basis)[0]) - code.n
    circuit.append("OBSERVABLE_INCLUDE", [stim.target_rec(int(at)) for at in line], 0)
    return circuit


@EACH_BASIS
def test_a_circuit_of_another_tool(basis):
    found = recognise_any(one_ancilla_a_face(basis, 4))
    assert (found.lattice.code.name, found.lattice.rounds, found.basis) == ("colour_d5", 4, basis)
    assert (found.missing, found.ignored) == (0, 0)
    assert len(found.observables.logicals) == 1
