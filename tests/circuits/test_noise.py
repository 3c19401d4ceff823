from dataclasses import FrozenInstanceError, asdict, replace

import pytest

from cascade_qec import codes
from cascade_qec.circuits import SI1000, DataDepolarizing, NoiseModel, UniformDepolarizing, memory, noise_model
from cascade_qec.error_models import error_model
from cascade_qec.errors import CascadeError


def test_named_models_are_what_the_factories_make():
    assert noise_model("uniform", 0.003) == UniformDepolarizing(0.003)
    assert noise_model("si1000", 0.003) == SI1000(0.003)
    assert noise_model("data", 0.003) == DataDepolarizing(0.003)


@pytest.mark.parametrize("name", ["uniform", "si1000", "data"])
def test_model_survives_the_way_through_a_dictionary(name):
    model = noise_model(name, 0.002)
    assert (model.name, model.p) == (name, 0.002)
    assert NoiseModel(**asdict(model)) == model


def test_si1000_ratios():
    model = SI1000(0.01)
    assert model.two_qubit == 0.01
    assert model.idle == pytest.approx(0.001)
    assert model.idle_during_measurement == model.reset == 0.02
    assert model.measurement == 0.05
    assert model.single_qubit == pytest.approx(0.001)
    assert model.native == "CZ"


def test_model_is_immutable():
    with pytest.raises(FrozenInstanceError):
        UniformDepolarizing(0.1).p = 0.2  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("p", [-0.001, 0.76, float("nan"), "0.1", None, True])
@pytest.mark.parametrize("name", ["uniform", "si1000", "data"])
def test_strength_out_of_range(name, p):
    with pytest.raises(CascadeError, match="p must be a number between 0 and"):
        noise_model(name, p)


def test_channel_out_of_range_is_named():
    with pytest.raises(CascadeError, match="two_qubit must be a number between 0 and"):
        NoiseModel(two_qubit=0.95)


def test_unknown_gates_are_refused():
    with pytest.raises(CascadeError, match="native must be 'CX' or 'CZ', got 'ISWAP'"):
        NoiseModel(native="ISWAP")  # pyright: ignore[reportArgumentType]


def test_unknown_name():
    with pytest.raises(CascadeError, match="'bitflip': expected one of uniform, si1000, data"):
        noise_model("bitflip", 0.001)


@pytest.mark.parametrize("native", ["CX", "CZ"])
def test_strengths_by_place_are_those_of_one_for_all_where_they_are_equal(native):
    code = codes.get("surface_d3")
    everyone = range(17)
    pairs = {(a, d): 0.003 for a in range(9, 17) for d in range(9)}
    one = NoiseModel(native=native, two_qubit=0.003, idle=0.001, reset=0.002, measurement=0.004, single_qubit=0.0005)
    by_place = replace(
        one,
        two_qubit=pairs,
        idle=dict.fromkeys(everyone, (0.001 / 3, 0.001 / 3, 0.001 / 3)),
        idle_during_single_qubit=dict.fromkeys(everyone, 0.001),
        idle_during_reset=0.0,
        **{name: dict.fromkeys(everyone, getattr(one, name)) for name in ("reset", "measurement", "single_qubit")},
    )
    models = [error_model(memory(code, rounds=3, noise=noise)) for noise in (one, by_place)]
    assert models[0].approx_equals(models[1], atol=1e-6)


def test_a_place_without_a_strength_is_named():
    with pytest.raises(CascadeError, match="with a strength for qubits 9 and 1, got one for 1 others"):
        memory(codes.get("surface_d3"), rounds=2, noise=NoiseModel(two_qubit={(0, 9): 0.1}))
    with pytest.raises(CascadeError, match=r"two_qubit of \(0, 9\) must be a number between 0 and 0.9375, got 2"):
        NoiseModel(two_qubit={(0, 9): 2})
    with pytest.raises(CascadeError, match=r"idle of 3 must be a number between 0 and 1, got 1\.2"):
        NoiseModel(idle={3: (0.4, 0.4, 0.4)})
