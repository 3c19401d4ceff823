# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

import pytest
import stim

from cascade_qec import codes
from cascade_qec.circuits import NoiseModel, UniformDepolarizing, memory
from cascade_qec.codes import RotatedSurfaceCode, Schedule


def mechanisms_by_place(circuit: stim.Circuit, place) -> dict[tuple, float]:
    """Probability of each mechanism by the set of its detectors, each named by `place(coordinates)`."""
    coords = circuit.get_detector_coordinates()
    found: dict[tuple, float] = {}
    for instruction in circuit.detector_error_model(flatten_loops=True):
        if instruction.type == "error":
            targets = instruction.targets_copy()
            key = tuple(sorted(place(coords[t.val]) for t in targets if t.is_relative_detector_id()))
            assert key not in found
            found[key] = instruction.args_copy()[0]
    return found


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("d", [3, 5])
def test_circuit_distance_is_the_code_distance(d, basis):
    circuit = memory(codes.get(f"surface_d{d}"), rounds=d, basis=basis, noise=UniformDepolarizing(0.001))
    assert len(circuit.shortest_graphlike_error()) == d


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_no_undetectable_error_of_two_faults(basis):
    circuit = memory(codes.get("surface_d3"), rounds=3, basis=basis, noise=UniformDepolarizing(0.001))
    error = circuit.search_for_undetectable_logical_errors(
        dont_explore_detection_event_sets_with_size_above=6,
        dont_explore_edges_with_degree_above=9,
        dont_explore_edges_increasing_symptom_degree=False,
    )
    assert len(error) == 3


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("d", [3, 5])
def test_same_mechanisms_as_stims_generated_circuit(d, basis):
    # Only the channels that both circuits have: Stim adds Hadamard noise and lets no qubit idle.
    generated = stim.Circuit.generated(
        f"surface_code:rotated_memory_{basis.lower()}",
        distance=d,
        rounds=d,
        before_round_data_depolarization=0.004,
        before_measure_flip_probability=0.003,
        after_reset_flip_probability=0.002,
    )
    noise = NoiseModel(data_before_round=0.004, measurement=0.003, reset=0.002)
    ours = memory(codes.get(f"surface_d{d}"), rounds=d, basis=basis, noise=noise)
    # Stim's observable is an equivalent line of qubits, so that only detectors are compared.
    expected = mechanisms_by_place(generated, lambda c: tuple(c[:3]))
    found = mechanisms_by_place(ours, lambda c: tuple(c[:3]))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_same_two_qubit_faults_as_stims_generated_circuit(basis):
    # Without Hadamards' own noise, Stim's circuit differs from ours only in that noise.
    text = str(
        stim.Circuit.generated(
            f"surface_code:rotated_memory_{basis.lower()}",
            distance=5,
            rounds=5,
            after_clifford_depolarization=0.004,
        )
    )
    two_qubit_only = stim.Circuit("\n".join(line for line in text.splitlines() if "DEPOLARIZE1" not in line))
    ours = memory(codes.get("surface_d5"), rounds=5, basis=basis, noise=NoiseModel(two_qubit=0.004))
    expected = mechanisms_by_place(two_qubit_only, lambda c: tuple(c[:3]))
    found = mechanisms_by_place(ours, lambda c: tuple(c[:3]))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("d", [3, 5])
def test_x_memory_is_the_z_memory_turned_by_a_quarter(d, monkeypatch):
    # A quarter turn takes X checks to Z checks but the schedule to another one, so the schedule is turned as
    # well; the two standard memories differ by a few mechanisms at the corners.
    code = codes.get(f"surface_d{d}")
    z_memory = memory(code, rounds=d, basis="Z", noise=UniformDepolarizing(0.003))
    turned = Schedule(x=(3, 2, 1, 0), z=(3, 1, 2, 0))
    monkeypatch.setattr(RotatedSurfaceCode, "schedule", turned)
    x_memory = memory(code, rounds=d, basis="X", noise=UniformDepolarizing(0.003))

    expected = mechanisms_by_place(z_memory, lambda c: (2 * d - c[1], c[0], c[2], 1 - c[3]))
    found = mechanisms_by_place(x_memory, tuple)
    assert found == pytest.approx(expected)
