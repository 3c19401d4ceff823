# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

import pytest
import stim

from cascade_qec import codes
from cascade_qec.circuits import DataDepolarizing, NoiseModel, UniformDepolarizing, memory
from cascade_qec.errors import CascadeError

NAMES = ["surface_d3", "surface_d5", "bb72"]


def mechanisms(circuit: stim.Circuit) -> list[tuple[float, tuple[int, ...]]]:
    """(probability, detectors) of every error mechanism.

    Loops are flattened: mechanisms that reach across the seams of a REPEAT block would be listed in parts.
    """
    return [
        (
            instruction.args_copy()[0],
            tuple(t.val for t in instruction.targets_copy() if t.is_relative_detector_id()),
        )
        for instruction in circuit.detector_error_model(flatten_loops=True)
        if instruction.type == "error"
    ]


def expected_coordinates(code: codes.CSSCode, rounds: int, basis: str) -> list[list[float]]:
    coords = []
    for t in range(rounds + 1):
        for plane, kind in enumerate("XZ"):
            if kind == basis or 0 < t < rounds:
                for u, v in code.check_coords(kind).tolist():
                    x, y = (2 * v, 2 * u) if code.family == "surface" else (u, v)
                    coords.append([x, y, t, plane])
    return coords


@pytest.mark.parametrize("rounds", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("name", NAMES)
def test_detectors_stand_where_the_convention_says(name, basis, rounds):
    code = codes.get(name)
    circuit = memory(code, rounds=rounds, basis=basis, noise=UniformDepolarizing(0.001))
    expected = expected_coordinates(code, rounds, basis)
    assert circuit.num_detectors == len(expected)
    assert circuit.num_observables == code.k
    coords = circuit.get_detector_coordinates()
    assert [coords[d] for d in range(len(expected))] == expected


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("name", [*NAMES, "bb90"])
def test_without_noise_nothing_ever_clicks(name, basis):
    code = codes.get(name)
    perfect = memory(code, rounds=4, basis=basis)
    assert perfect == memory(code, rounds=4, basis=basis, noise=UniformDepolarizing(0))
    detectors, observables = perfect.compile_detector_sampler(seed=5).sample(64, separate_observables=True)
    assert not detectors.any()
    assert not observables.any()
    # Raises if a detector or an observable is random.
    assert perfect.detector_error_model().num_errors == 0
    noisy = memory(code, rounds=4, basis=basis, noise=UniformDepolarizing(0.001))
    assert noisy.without_noise() == perfect
    assert noisy.detector_error_model().num_errors > 0


def test_every_qubit_has_a_place_of_its_own():
    for name in NAMES:
        coords = memory(codes.get(name), rounds=1).get_final_qubit_coordinates()
        assert len({tuple(place) for place in coords.values()}) == len(coords)


@pytest.mark.parametrize("name", ["surface_d3", "bb72"])
def test_text_does_not_grow_with_rounds(name):
    code = codes.get(name)
    short, long = (memory(code, rounds=r, noise=UniformDepolarizing(0.001)) for r in (5, 1000))
    assert len(str(long)) < len(str(short)) + 10
    assert long.num_detectors == 1000 * (len(code.hx) + len(code.hz)) - len(code.hx) + len(code.hz)


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("name", NAMES)
def test_data_noise_clicks_in_one_round_only(name, basis):
    code = codes.get(name)
    rounds = 4
    circuit = memory(code, rounds=rounds, basis=basis, noise=DataDepolarizing(0.03))
    time_of = {d: c[2] for d, c in circuit.get_detector_coordinates().items()}
    found = mechanisms(circuit)
    assert all(len({time_of[d] for d in detectors}) == 1 for _, detectors in found)
    assert {time_of[d] for _, detectors in found for d in detectors} == set(range(rounds))
    # Before the first round only the Paulis that flip the prepared basis matter, later all three. Some data
    # qubits on a surface code's boundary share their check of one kind: their errors are then one mechanism.
    if code.family == "bb":
        assert len(found) == code.n * (1 + 3 * (rounds - 1))
    else:
        signatures = {tuple(column) for column in (code.hx if basis == "X" else code.hz).T}
        both = {(*hx, *hz) for hx, hz in zip(code.hx.T, code.hz.T, strict=True)}
        only = {tuple(column) for column in code.hx.T}, {tuple(column) for column in code.hz.T}
        per_round = len(only[0]) + len(only[1]) + len(both)
        assert len(found) == len(signatures) + (rounds - 1) * per_round


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rounds": 0}, "rounds must be an integer of at least 1, got 0"),
        ({"rounds": 2.0}, "rounds must be an integer of at least 1, got 2.0"),
        ({"rounds": True}, "rounds must be an integer of at least 1, got True"),
        ({"rounds": 2, "basis": "Y"}, "basis must be 'X' or 'Z', got 'Y'"),
        ({"rounds": 2, "noise": 0.001}, "noise must be a NoiseModel or None, got float"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(CascadeError, match=message):
        memory(codes.get("surface_d3"), **arguments)


def test_a_basis_without_checks_is_refused():
    assert memory(codes.get("repetition_d3"), rounds=2, basis="Z").num_detectors == 6
    with pytest.raises(CascadeError, match="a basis in which repetition_d3 has checks, got 'X'"):
        memory(codes.get("repetition_d3"), rounds=2, basis="X")


def test_name_in_place_of_a_code():
    with pytest.raises(CascadeError, match="code must be a CSSCode, got str"):
        memory("bb72", rounds=2)  # pyright: ignore[reportArgumentType]


def test_channels_of_strength_zero_are_not_written():
    circuit = memory(codes.get("surface_d3"), rounds=3, noise=NoiseModel(measurement=0.01)).flattened()
    assert not {i.name for i in circuit} & {"X_ERROR", "Z_ERROR", "DEPOLARIZE1", "DEPOLARIZE2"}
    assert {tuple(i.gate_args_copy()) for i in circuit if i.name in ("M", "MX")} == {(0.01,)}
