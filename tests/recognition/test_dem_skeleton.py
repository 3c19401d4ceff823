"""Skeletons from error models whose detectors' checks and times are known."""

# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import stim

from cascade_qec import codes
from cascade_qec.circuits import SI1000, DataDepolarizing, NoiseModel, UniformDepolarizing, memory
from cascade_qec.codes import Schedule
from cascade_qec.errors import CascadeError
from cascade_qec.recognition import recognise
from cascade_qec.recognition.dem.skeletons import dem_skeletons
from cascade_qec.recognition.skeleton import Skeleton

Coordinates = Callable[[float, float, float, float], list[float]]
UNIFORM = UniformDepolarizing(0.001)


def written(x: float, y: float, t: float, plane: float) -> list[float]:
    return [x, y, t, plane]


def none(x: float, y: float, t: float, plane: float) -> list[float]:
    return []


class Experiment:
    """A model with detectors renumbered at random and other coordinates, and the truth about it."""

    def __init__(
        self,
        circuit: stim.Circuit,
        code: codes.CSSCode,
        coordinates: Coordinates,
        *,
        primary_only: bool = False,
        double: bool = False,
    ) -> None:
        model = circuit.detector_error_model(flatten_loops=True)
        table = np.array([found for _, found in sorted(model.get_detector_coordinates().items())])
        plane, self.time = table[:, 3].astype(int), table[:, 2].astype(int)
        xy = [[2 * j, 2 * i] if code.family == "surface" else [i, j] for b in "XZ" for i, j in code.check_coords(b)]
        row_of = {(*place, index >= len(code.hx)): index for index, place in enumerate(map(tuple, xy))}
        self.check = np.array([row_of[(x, y, p == 1)] for x, y, _, p in table])
        self.matrix = np.vstack([code.hx, code.hz])

        shown = np.flatnonzero((plane == plane[self.time == 0][0]) | (not primary_only))
        shown = np.random.default_rng(5).permutation(shown)
        self.doubles = 3 if double else 0
        old = np.concatenate([shown, shown[: self.doubles]])  # of each new detector
        new = {d: np.flatnonzero(old == d).tolist() for d in range(len(plane))}
        lines = []
        for line in str(model).splitlines():
            if line.startswith("error"):
                head, *targets = line.split(" ")
                flipped = [f"D{d}" for t in targets if t[0] == "D" for d in new[int(t[1:])]]
                flipped += [t for t in targets if t[0] == "L"]
                if flipped:
                    lines.append(" ".join([head, *flipped]))
        for d, was in enumerate(old):
            place = ", ".join(map(str, coordinates(*table[was])))
            lines.append(f"detector({place}) D{d}" if place else f"detector D{d}")
        self.model = stim.DetectorErrorModel("\n".join(lines))
        self.time, self.check = self.time[shown], self.check[shown]
        self.rounds = self.time.max()

    def confirm(self, skeleton: Skeleton) -> None:
        """Raise unless the skeleton is right, up to the numbering of checks and qubits and the direction of time."""
        assert (skeleton.check >= 0).sum() == len(self.check)
        assert len(skeleton.check) == len(skeleton.time) == len(self.check) + self.doubles
        assert (skeleton.check[len(self.check) :] == -1).all()
        check, time = skeleton.check[: len(self.check)], skeleton.time[: len(self.check)]
        assert skeleton.rounds == self.rounds
        assert np.array_equal(time, self.time) or np.array_equal(self.rounds - time, self.time)
        truth = dict(zip(check.tolist(), self.check.tolist(), strict=True))
        assert sorted(truth) == list(range(len(skeleton.supports)))
        assert len(set(zip(check.tolist(), self.check.tolist(), strict=True))) == len(set(truth.values())) == len(truth)
        rows = [truth[index] for index in range(len(truth))]
        assert np.array_equal(skeleton.primary, np.isin(rows, self.check[self.time == 0]))
        assert sorted(skeleton.supports.T.tolist()) == sorted(self.matrix[rows].T.tolist())


def confirm(
    name: str, rounds: int, basis: str, *, noise: NoiseModel = UNIFORM, coordinates: Coordinates = written, **options
) -> None:
    code = codes.get(name)
    experiment = Experiment(memory(code, rounds=rounds, basis=basis, noise=noise), code, coordinates, **options)
    skeleton, *others = dem_skeletons(experiment.model, code)
    assert not others or (code.family == "surface" and coordinates is not written)
    assert skeleton.check.dtype == skeleton.time.dtype == np.int64
    assert skeleton.supports.dtype == np.uint8
    assert skeleton.primary.dtype == np.bool_
    assert skeleton.basis is None
    experiment.confirm(skeleton)


@pytest.mark.parametrize("basis", "XZ")
@pytest.mark.parametrize(("name", "rounds"), [("bb72", 1), ("bb72", 2), ("bb72", 3), ("bb144", 1)])
def test_bicycle_code_without_coordinates(name, rounds, basis):
    confirm(name, rounds, basis, coordinates=none)


@pytest.mark.parametrize("options", [{"primary_only": True}, {"double": True}, {"noise": SI1000(0.002)}], ids=str)
def test_bicycle_code_with_other_detectors_or_noise(options):
    confirm("bb72", 4, "X", coordinates=none, **options)


@pytest.mark.parametrize(
    ("x", "z"),
    [
        ((0, 1, 2, 3, 4, 5, *(None,) * 6), (*(None,) * 6, 0, 1, 2, 3, 4, 5)),
        ((*(None,) * 6, 0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0, *(None,) * 6)),
    ],
)
@pytest.mark.parametrize("rounds", [2, 3])
def test_bicycle_code_with_one_basis_after_the_other(monkeypatch, x, z, rounds):
    monkeypatch.setattr(codes.BivariateBicycleCode, "schedule", Schedule(x=x, z=z))
    confirm("bb72", rounds, "Z", coordinates=none)


@pytest.mark.parametrize("basis", "XZ")
@pytest.mark.parametrize("rounds", [1, 2, 3, 5])
@pytest.mark.parametrize("name", ["surface_d3", "surface_d5", "surface_d7"])
def test_surface_code(name, rounds, basis):
    confirm(name, rounds, basis)


@pytest.mark.parametrize("options", [{"primary_only": True}, {"double": True}, {"noise": SI1000(0.002)}], ids=str)
def test_surface_code_with_other_detectors_or_noise(options):
    confirm("surface_d5", 4, "X", **options)
    confirm("surface_d3", 3, "Z", coordinates=none, **options)


@pytest.mark.parametrize(
    "coordinates",
    [
        lambda x, y, t, plane: [x, y],
        lambda x, y, t, plane: [t, x, y],
        lambda x, y, t, plane: [plane, -y, t, x / 4 + 0.5],
        lambda x, y, t, plane: [x + y, x - y, 2 * t + 7],
        lambda x, y, t, plane: [0.3 * (y - x) + 1, 0.3 * (x + y), 0],
        lambda x, y, t, plane: [x, 3 * plane + (x + y) % 3, y, t % 2],
    ],
)
@pytest.mark.parametrize("primary_only", [False, True])
def test_surface_code_with_other_coordinates(coordinates, primary_only):
    for basis in "XZ":
        confirm("surface_d5", 3, basis, coordinates=coordinates, primary_only=primary_only)


@pytest.mark.parametrize("basis", "XZ")
@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_surface_code_without_coordinates(rounds, basis):
    confirm("surface_d5", rounds, basis, coordinates=none)
    confirm("surface_d3", rounds + 1, basis, coordinates=lambda x, y, t, plane: [100 * x + 10 * y + t])


def test_one_round_of_distance_3_has_symmetries_of_its_own():
    code = codes.get("surface_d3")
    experiment = Experiment(memory(code, rounds=1, noise=UNIFORM), code, none)
    skeletons = dem_skeletons(experiment.model, code)
    assert len(skeletons) == 16
    assert len({(*s.check.tolist(), *s.time.tolist()) for s in skeletons}) == 16
    right = [s for s in skeletons if np.array_equal(s.time, experiment.time)]
    assert right
    for skeleton in right:
        experiment.confirm(skeleton)


@pytest.mark.parametrize("basis", "xz")
def test_circuits_of_stim(basis):
    strengths = dict.fromkeys(
        (
            "after_clifford_depolarization",
            "before_measure_flip_probability",
            "after_reset_flip_probability",
            "before_round_data_depolarization",
        ),
        0.001,
    )
    circuit = stim.Circuit.generated(f"surface_code:rotated_memory_{basis}", distance=5, rounds=4, **strengths)
    for source in (circuit, circuit.flattened()):
        (skeleton,) = dem_skeletons(source.detector_error_model(flatten_loops=False), codes.get("surface_d5"))
        coordinates = source.get_detector_coordinates()
        table = np.array([coordinates[d] for d in range(circuit.num_detectors)])
        assert np.array_equal(skeleton.time, table[:, 2]) or np.array_equal(4 - skeleton.time, table[:, 2])
        pairs = {(check, x, y) for check, (x, y, _) in zip(skeleton.check.tolist(), table.tolist(), strict=True)}
        assert len(pairs) == 24


@pytest.mark.parametrize(("name", "rounds"), [("bb72", 1), ("bb72", 3), ("surface_d5", 1), ("surface_d5", 4)])
def test_faults_of_very_different_strengths(name, rounds):
    code = codes.get(name)
    circuit = stim.Circuit()
    random = np.random.default_rng(3)
    for operation in memory(code, rounds=rounds, noise=UNIFORM).flattened():
        noise = operation.name.startswith("DEPOLARIZE") or operation.name.endswith("ERROR")
        for targets in operation.target_groups() if noise else [operation.targets_copy()]:
            strength = [0.001 * random.uniform(0.3, 3)] if noise else operation.gate_args_copy()
            circuit.append(operation.name, targets, strength)
    experiment = Experiment(circuit, code, written)
    experiment.confirm(dem_skeletons(experiment.model, code)[0])


def test_noise_between_rounds_and_of_measurements_alone():
    noise = NoiseModel(data_before_round=0.01, measurement=0.01)
    confirm("bb72", 4, "Z", noise=noise)
    confirm("surface_d3", 4, "Z", noise=noise)


SMALL = codes.BivariateBicycleCode(3, 3, "1 + x + y", "1 + y + x^2*y")  # [[18, 4, 4]]


@pytest.mark.parametrize("shown", [True, False], ids=["coordinates", "none"])
@pytest.mark.parametrize(
    ("code", "basis"), [(SMALL, "Z"), (SMALL.with_layers((6, 0, 2, 5, 1, 3)), "X")], ids=["published", "other"]
)
def test_torus_on_which_faults_of_ancillas_look_like_errors_of_data_qubits(code, basis, shown, confirm_map):
    model = memory(code, rounds=2, basis=basis, noise=UNIFORM).detector_error_model(flatten_loops=True)
    model = model if shown else without_coordinates(model)
    confirm_map(recognise(model, code), model)


def test_checks_of_both_bases_at_one_place(confirm_map):
    """Of data errors alone nothing tells the times but the numbers of the detectors at each place."""
    model = model_of("bb72", noise=DataDepolarizing(0.01))
    confirm_map(recognise(model, codes.get("bb72")), model)


def without_coordinates(model: stim.DetectorErrorModel) -> stim.DetectorErrorModel:
    return stim.DetectorErrorModel(re.sub(r"detector\(.*?\)", "detector", str(model)))


def refused(model: stim.DetectorErrorModel, name: str, message: str) -> None:
    with pytest.raises(CascadeError, match=message):
        dem_skeletons(model, codes.get(name))


def model_of(name: str, rounds: int = 3, noise: NoiseModel = UNIFORM) -> stim.DetectorErrorModel:
    return memory(codes.get(name), rounds=rounds, noise=noise).detector_error_model(flatten_loops=True)


def test_refusals():
    empty = stim.DetectorErrorModel()
    for name in ("bb72", "surface_d3"):
        refused(empty, name, f"expected an error model of {name}, got one without errors that flip detectors")
    refused(model_of("bb72"), "bb144", "expected detectors of bb144 in 72 chains.*got 36 of 4, 36 of 2")
    refused(
        without_coordinates(model_of("bb72", noise=DataDepolarizing(0.01))),
        "bb72",
        "expected measurement errors of bb72, .* give the circuit",
    )
    refused(model_of("surface_d3"), "surface_d5", "expected detectors with the coordinates.*got 24 detectors")
    refused(model_of("surface_d5"), "bb72", "expected measurement errors of bb72 to connect")
    cut = stim.DetectorErrorModel("\n".join(str(model_of("bb72")).splitlines()[1000:]))
    refused(cut, "bb72", "expected")


def test_translations_are_no_candidates_of_their_own():
    model = memory(SMALL, rounds=2, noise=UNIFORM).detector_error_model(flatten_loops=True)
    assert len(dem_skeletons(without_coordinates(model), SMALL)) == 1  # and not nine, one for each translation
