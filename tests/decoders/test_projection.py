"""A projected model is the model of a circuit that never had the other detectors."""

# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.decoders.projection import basis_detectors, mechanisms, project, without_decomposition
from cascade_qec.errors import CascadeError


def _experiment(name: str, basis: str, rounds: int = 3) -> stim.Circuit:
    noise = circuits.UniformDepolarizing(0.004)
    return circuits.memory(codes.get(name), rounds=rounds, basis=basis, noise=noise)


def _without_plane(circuit: stim.Circuit, plane: int) -> stim.Circuit:
    kept = stim.Circuit()
    for instruction in circuit.flattened():
        if instruction.name == "DETECTOR" and instruction.gate_args_copy()[3] == plane:
            continue
        kept.append(instruction)
    return kept


def _table(dem: stim.DetectorErrorModel) -> dict[tuple[str, ...], float]:
    return {tuple(sorted(str(t) for part in parts for t in part)): p for p, parts in mechanisms(dem)}


@pytest.mark.parametrize("name", ["surface_d3", "bb72"])
@pytest.mark.parametrize(("basis", "other_plane"), [("X", 1), ("Z", 0)])
def test_projection_to_the_basis_is_the_model_without_the_other_detectors(name, basis, other_plane):
    circuit = _experiment(name, basis)
    dem = circuit.detector_error_model()
    projected = project(dem, basis_detectors(dem))
    expected = _without_plane(circuit, other_plane).detector_error_model()
    assert projected.num_detectors == expected.num_detectors
    assert projected.num_observables == expected.num_observables
    assert projected.get_detector_coordinates() == expected.get_detector_coordinates()
    found, wanted = _table(projected), _table(expected)
    assert found.keys() == wanted.keys()
    np.testing.assert_allclose([found[key] for key in wanted], list(wanted.values()), rtol=1e-9)


def test_merging_by_hand():
    dem = stim.DetectorErrorModel("""
        error(0.1) D0 D1
        error(0.2) D0 D2 ^ D2 D3
        error(0.3) D1 D3
        error(0.25) D0 L1
        detector(7, 8) D0
        detector(9) D3
    """)
    projected = project(dem, np.array([3, 0]))
    # D0 D1 -> D1'; D0 D3 -> D0' D1'; D1 D3 -> D0'; D0 L1 -> D1' L1.
    assert _table(projected) == {
        ("D1",): pytest.approx(0.1),
        ("D0", "D1"): pytest.approx(0.2),
        ("D0",): pytest.approx(0.3),
        ("D1", "L1"): pytest.approx(0.25),
    }
    assert projected.get_detector_coordinates() == {0: [9.0], 1: [7.0, 8.0]}
    assert (projected.num_detectors, projected.num_observables) == (2, 2)
    merged = project(dem, np.array([0]))
    assert _table(merged) == {
        ("D0",): pytest.approx(0.1 * 0.8 + 0.2 * 0.9),
        ("D0", "L1"): pytest.approx(0.25),
    }


def test_parts_become_wholes():
    dem = stim.DetectorErrorModel("error(0.1) D0 D1 ^ D1 D2 L0\nerror(0.2) D0 D2 L0\nerror(0.3) D1")
    assert _table(without_decomposition(dem)) == {
        ("D0", "D2", "L0"): pytest.approx(0.1 * 0.8 + 0.2 * 0.9),
        ("D1",): pytest.approx(0.3),
    }
    whole = stim.DetectorErrorModel("error(0.1) D0 D1 D2")
    assert without_decomposition(whole) is whole


def test_repeat_blocks_and_shifts_are_followed():
    dem = stim.DetectorErrorModel("repeat 3 {\n error(0.1) D0 D1\n shift_detectors 1\n}\nerror(0.2) D0 L0")
    assert _table(project(dem, np.array([1, 3]))) == {
        ("D0",): pytest.approx(0.1 * 0.9 * 2),
        ("D1",): pytest.approx(0.1),
        ("D1", "L0"): pytest.approx(0.2),
    }


@pytest.mark.parametrize("detectors", [[0, 0], [-1], [2]])
def test_wrong_detectors_are_refused(detectors):
    dem = stim.DetectorErrorModel("error(0.1) D0 D1 L0")
    with pytest.raises(CascadeError, match=r"distinct detectors of 0\.\.1"):
        project(dem, np.array(detectors))


@pytest.mark.parametrize(("basis", "plane"), [("X", 0), ("Z", 1)])
def test_basis_detectors_are_those_of_the_readout_plane(basis, plane):
    dem = _experiment("surface_d3", basis).detector_error_model()
    coordinates = dem.get_detector_coordinates()
    assert list(basis_detectors(dem)) == [i for i in sorted(coordinates) if coordinates[i][3] == plane]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("error(0.1) D0", r"detector 0 has \(\)"),
        ("detector(0, 0, 0) D0", r"detector 0 has \(0\.0, 0\.0, 0\.0\)"),
        ("detector(0, 0, 0, 2) D0", "plane 0 for X checks"),
        ("detector(0, 0, 0, 0) D0\ndetector(0, 0, 0, 1) D1", "found two"),
        ("", "without any"),
    ],
)
def test_models_whose_basis_is_unknown_are_refused(text, message):
    with pytest.raises(CascadeError, match=message):
        basis_detectors(stim.DetectorErrorModel(text))
