"""Laboratories: one guarded door, and a simulated one in which order matters."""

import numpy as np
import pytest

from cascade_calibration import diagnose
from cascade_calibration.laboratory import BROKEN, Guarded, Quantity, SimulatedLaboratory, open_laboratory
from cascade_qec.errors import CascadeError

SEED = 2
HERE = {"readout_frequency": "7 GHz", "qubit_frequency": "4.7 GHz", "pi_amplitude": "0.1 V"}


@pytest.fixture
def laboratory():
    return SimulatedLaboratory(SEED)


def in_tune(laboratory, target="q0"):
    """The settings of a qubit that is tuned up; pulses and readout do not change what these are."""
    told = {name: Quantity.of(text).value for name, text in HERE.items()}
    truth = laboratory.truth(target, told, laboratory.clock)
    return {name: Quantity(truth[name], Quantity.of(HERE[name]).unit) for name in HERE}


@pytest.mark.parametrize(
    ("experiment", "given", "message"),
    [
        ("t1", HERE | {"pi_amplitude": "1.1 V"}, "pi_amplitude: expected a value from 0 V to 1 V, got 1.1 V"),
        ("t1", HERE | {"pi_amplitude": "0.1 s"}, "expected a value in V, got 100 ms"),
        ("t1", HERE | {"pi_amplitude": 0.1}, "expected a value in V, got 0.1"),
        ("t1", HERE | {"pi_amplitude": float("nan")}, "finite"),
        ("t1", HERE | {"pi_amplitude": "nan V"}, "expected a number with its unit"),
        ("t1", HERE | {"pi_amplitude": "1e999 V"}, "finite"),
        ("t1", HERE | {"pi_amplitude": 10**400}, "finite"),
        ("t1", HERE | {"pi_amplitude": True}, "expected a number with its unit"),
        ("t1", HERE | {"shots": 100.5}, "shots: expected a whole number, got 100.5"),
        ("t1", HERE | {"delay_from": "20 us", "delay_to": "10 us"}, "a sweep of delay that goes up"),
        ("t1", HERE | {"voltage": "1 V"}, "unknown parameter of t1 'voltage'"),
        ("t1", {}, "expected a value for readout_frequency, got none"),
        ("t3", HERE, "unknown experiment 't3'"),
    ],
)
def test_what_is_not_allowed_never_reaches_the_laboratory(laboratory, monkeypatch, experiment, given, message):
    monkeypatch.setattr(laboratory, "run", lambda *_: pytest.fail("it was run"))
    with pytest.raises(CascadeError, match=message):
        Guarded(laboratory).run(experiment, "q0", given)
    with pytest.raises(CascadeError, match="unknown target"):
        Guarded(laboratory).run("t1", "q9", HERE)


def test_bounds_of_ones_own_are_narrower_never_wider(laboratory):
    bounds = {"pi_amplitude": (Quantity.of("0.2 V"), Quantity.of("10 V")), "shots": (Quantity(100), Quantity(600))}
    guarded = Guarded(laboratory, bounds)
    assert guarded.check("t1", "q0", HERE | {"pi_amplitude": "1 V"})["shots"] == Quantity(500)
    for given in ({"pi_amplitude": "0.15 V"}, {"pi_amplitude": "1.01 V"}, {"shots": 601}):
        with pytest.raises(CascadeError, match="expected a value from"):
            guarded.check("t1", "q0", HERE | {"pi_amplitude": "0.3 V"} | given)
    for wrong in ({"watts": bounds["shots"]}, {"shots": bounds["pi_amplitude"]}, {"shots": (Quantity(1), Quantity(2))}):
        with pytest.raises(CascadeError, match=r"unknown parameter|bounds in|bounds that overlap"):
            Guarded(laboratory, wrong)


def test_order_matters(laboratory):
    """What is measured depends on settings: in tune it succeeds; beside the resonator or the qubit nothing is seen."""
    good, guarded = in_tune(laboratory), Guarded(laboratory)
    sweep = {"amplitude_from": "0 V", "amplitude_to": "0.5 V"}
    told = {name: good[name] for name in ("readout_frequency", "qubit_frequency")}
    assert diagnose(guarded.run("rabi", "q0", told | sweep)).status == "SUCCESS"
    for name, far in (("readout_frequency", "100 MHz"), ("qubit_frequency", "400 MHz")):
        beside = told | {name: told[name] + Quantity.of(far)}
        assert diagnose(guarded.run("rabi", "q0", beside | sweep)).status == "NO_SIGNAL"
    assert diagnose(guarded.run("t1", "q0", good | {"delay_to": "200 us"})).status == "SUCCESS"
    no_pulse = good | {"pi_amplitude": Quantity(0, "V")}
    assert diagnose(guarded.run("t1", "q0", no_pulse | {"delay_to": "200 us"})).status != "SUCCESS"
    assert diagnose(guarded.run("readout", "q0", no_pulse)).status in ("NO_EXCITATION", "NO_RES_RESPONSE")


def test_seed_clock_and_question_decide_what_is_measured(laboratory):
    asked = ("echo", "q1", {name: one.value for name, one in Guarded(laboratory).check("echo", "q1", HERE).items()})
    first, second = (laboratory.run(*asked).dataset for _ in range(2))
    assert not np.array_equal(first["signal"], second["signal"])
    assert laboratory.clock == first.attrs["seconds"] + second.attrs["seconds"]
    later = open_laboratory(f"simulated:{SEED}", elapsed=first.attrs["seconds"])
    assert second.identical(later.run(*asked).dataset)


def test_qubits_drift(laboratory):
    told = {name: Quantity.of(text).value for name, text in HERE.items()}
    now, soon, tomorrow = (laboratory.truth("q0", told, clock) for clock in (0.0, 60.0, 86400.0))
    for name, size in (("qubit_frequency", 1e3), ("pi_amplitude", 1e-4), ("t1", 1e-7)):
        assert 0 < abs(soon[name] - now[name]) < size < abs(tomorrow[name] - now[name])


@pytest.mark.parametrize("element", BROKEN)
def test_broken_elements_are_seen(element):
    guarded = Guarded(open_laboratory(f"simulated:{SEED}?broken=q1.{element}"))
    settings = in_tune(SimulatedLaboratory(SEED), "q1")
    assert diagnose(guarded.run("t1", "q1", settings)).status != "SUCCESS"
    assert (diagnose(guarded.run("readout", "q1", settings)).status == "SUCCESS") == (element == "lossy")


@pytest.mark.parametrize(
    "name", ["real", "simulated:", "simulated:1?qubits=0", "simulated:1?hours=nan", "simulated:1?broken=q0.fridge"]
)
def test_other_names_are_refused(name):
    with pytest.raises(CascadeError, match=r"expected a laboratory such as|1 to 16 qubits|unknown broken element"):
        open_laboratory(name)
