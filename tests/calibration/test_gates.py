"""Families over two signals, single shots, images and calibrated levels: what is no such measurement, what is."""

import numpy as np
import pytest

from cascade_calibration import Measurement, diagnose
from cascade_qec.errors import CascadeError

X = np.linspace(0, 1, 40)
NOISE = np.random.default_rng(3).standard_normal((4, 40))


def line(axis, unit, y, **attributes):
    return Measurement.of({axis: (X, unit)}, {"signal": (y, "V")}, **attributes)


def pair(first, second, unit=""):
    return Measurement.of({"beta": (X, unit)}, {"first": (first, "V"), "second": (second, "V")})


@pytest.mark.parametrize("value", [0.0, 3e50])
@pytest.mark.parametrize(
    ("family", "measurement", "status"),
    [
        ("drag", lambda v: pair(np.full(40, v), np.full(40, v)), "NO_SIGNAL"),
        ("pinchoff", lambda v: line("gate", "V", np.full(40, v)), "NO_TRANSITION"),
        ("rabi_hw", lambda v: line("amplitude", "V", np.full(40, v)), "FIT_POOR"),
        ("pingpong", lambda v: line("pulses", "", np.full(40, v)), "SUCCESS or NO_EXCITATION"),
        ("mot_loading", lambda v: image(np.full((30, 30), v)), "NO_SIGNAL"),
        ("tweezer_array", lambda v: image(np.full((30, 30), v)), "ABERRATED"),
        ("ramsey_charge_tomography", lambda v: scans(np.full((30, 40), v)), "NO_COHERENCE"),
        ("cz_chevron", lambda v: chevron(np.full((30, 40), v)), "NO_SIGNAL"),
    ],
)
def test_constants_give_no_numbers(family, measurement, status, value):
    verdict = diagnose(measurement(value), family)
    assert verdict.status in status.split(" or ")
    assert not verdict.parameters


def image(values):
    side = np.arange(30.0)
    return Measurement.of({"y": (side, "px"), "x": (side, "px")}, {"intensity": (values, "")})


def chevron(values, unit="s"):
    axes = {"amplitude": (np.arange(30.0), "V"), "length": (X, unit)}
    return Measurement.of(axes, {"signal": (values, "V")})


def scans(values, unit="V"):
    axes = {"scan": (np.arange(30.0), ""), "bias": (X, unit)}
    return Measurement.of(axes, {"signal": (values, "V")})


@pytest.mark.parametrize(
    ("family", "measurement", "message"),
    [
        ("drag", line("beta", "", X), "two signals"),
        ("drag", pair(X, X, "Hz"), "units of"),
        ("drag", pair(X, np.full(40, np.nan)), "finite"),
        ("pingpong", line("pulses", "s", X), "units of"),
        ("pingpong", line("pulses", "", X, ground=1.0, excited=1.0), "two different levels"),
        ("pingpong", line("pulses", "", X, ground="low", excited=1.0), "numbers as the levels"),
        ("pinchoff", line("gate", "V", X + 1j), "whose zero"),
        ("pinchoff", line("gate", "Hz", X), "units of"),
        ("rabi_hw", line("amplitude", "Hz", X), "units of"),
        ("cz_benchmarking", line("gates", "", X), "two signals"),
        ("cz_benchmarking", pair(1e9 * X, X), "probabilities"),
        ("cz_benchmarking", pair(0 * X, 0 * X), "two constants"),
        ("pingpong", line("pulses", "", 1e9 * X, ground=0.0, excited=1.0), "near the levels"),
        ("gmm", Measurement.of({}, {"a": (1e200 * X.repeat(9), "V"), "b": (1e200 * X.repeat(9), "V")}), "differ"),
        ("gmm", line("delay", "s", X), "two preparations"),
        ("gmm", Measurement.of({}, {"a": (X, "V"), "b": (np.full(40, np.nan), "V")}), "finite shots"),
        ("gmm", Measurement.of({}, {"a": (np.zeros(99), "V"), "b": (np.zeros(99), "V")}), "differ"),
        ("mot_loading", line("x", "", X), "over two axes"),
        ("mot_loading", image(np.full((30, 30), np.nan)), "finite"),
        ("mot_loading", image(np.full((30, 30), 1e200)), "larger"),
        ("tweezer_array", line("x", "", X), "over two axes"),
        ("cz_chevron", line("length", "s", X), "two axes"),
        ("cz_chevron", chevron(np.zeros((30, 40)), "W"), "in units of s"),
        ("cz_chevron", chevron(np.full((30, 40), np.nan)), "finite"),
        ("ramsey_charge_tomography", line("bias", "V", X), "two axes"),
        ("ramsey_charge_tomography", scans(np.zeros((30, 40)), "Hz"), "one axis of voltages"),
        ("ramsey_charge_tomography", scans(np.full((30, 40), np.nan)), "finite"),
    ],
)
def test_what_is_no_such_measurement_is_said(family, measurement, message):
    with pytest.raises(CascadeError, match=message):
        diagnose(measurement, family)


def test_levels_tell_good_pulses_from_none():
    flat = 0.01 * NOISE[0]
    assert diagnose(line("pulses", "", flat, ground=-1.0, excited=1.0), "pingpong").status == "SUCCESS"
    assert diagnose(line("pulses", "", flat, ground=0.0, excited=1.0), "pingpong").status == "NO_EXCITATION"
    assert diagnose(line("pulses", "", flat), "pingpong").probability <= 0.6


def test_a_second_axis_repetitions_and_variables_all_make_a_pair():
    first, second = X - 0.5 + 0.02 * NOISE[0], 0.5 - X + 0.02 * NOISE[1]
    sequence = {"sequence": (np.arange(2.0), ""), "beta": (X, "")}
    forms = [
        pair(first, second),
        Measurement.of(sequence, {"signal": (np.stack([first, second]), "V")}),
        Measurement.of({"beta": (X, "")}, {"signal": (np.stack([first, second], axis=1), "V")}),
    ]
    for one in forms:
        verdict = diagnose(one, "drag")
        assert verdict.status == "SUCCESS"
        assert verdict.parameters["optimum"].value == pytest.approx(0.5, abs=0.03)


def test_a_sweep_that_falls_is_read_in_its_own_order():
    gate = np.linspace(0, -1, 60)
    current = 1 / (1 + np.exp((-0.5 - gate) / 0.02)) + 0.02 * np.random.default_rng(0).standard_normal(60)
    measurement = Measurement.of({"gate": (gate, "V")}, {"current": (current, "nA")})
    verdict = diagnose(measurement, "pinchoff")
    assert verdict.status == "SUCCESS"
    assert verdict.parameters["transition"].value == pytest.approx(-0.5, abs=0.02)


def test_shots_may_be_real_and_labelled_one_by_one():
    rng = np.random.default_rng(0)
    state = rng.integers(0, 2, 600)
    shots = 3 * state + rng.standard_normal(600)
    verdict = diagnose(Measurement.of({"state": (state, "")}, {"signal": (shots, "V")}), "gmm")
    assert verdict.status == "SUCCESS"
    assert verdict.parameters["separation"].value == pytest.approx(3, abs=0.4)
