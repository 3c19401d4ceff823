"""Every family has a simulator of its statuses, and nothing that is no such measurement makes it sure of anything."""

import numpy as np
import pytest

from cascade_calibration import Measurement, analysis, diagnose, simulation
from cascade_qec.errors import CascadeError
from tests.calibration.families import check_family

FAMILIES = analysis.names()
AXES = {
    "t1": ("delay", "s"),
    "echo": ("delay", "s"),
    "ramsey_t2star": ("delay", "s"),
    "ramsey_freq_cal": ("delay", "s"),
    "rydberg_ramsey": ("time", "s"),
    "rb": ("length", ""),
    "rabi": ("amplitude", "V"),
    "res_spec": ("frequency", "Hz"),
    "qubit_spectroscopy": ("frequency", "Hz"),
    "rydberg_spectroscopy": ("detuning", "Hz"),
}
"""Families over one axis: its name and units."""
NOTHING = {
    "ramsey_t2star": "NO_DETUNING",
    "ramsey_freq_cal": "NO_DETUNING",
    "rydberg_ramsey": "UNDERSAMPLED",
    "rydberg_spectroscopy": "LOW_CONTRAST",
}
"""What families without NO_SIGNAL say of a signal that does not change."""
MAPS = {
    "qubit_spectroscopy_power_frequency": "amplitude",
    "qubit_flux_spectroscopy": "flux",
    "coupler_flux": "flux",
}
"""Families over frequency and another axis, in V."""


@pytest.mark.parametrize("name", FAMILIES)
def test_the_simulator_shows_every_status_of_the_list(name):
    assert set(simulation.get(name).modes.values()) == set(analysis.get(name).statuses)


@pytest.mark.parametrize("name", FAMILIES)
def test_verdicts_on_simulated_measurements(name):
    check_family(name, shots=2)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_same_seed_gives_the_same_measurement(name):
    mode = next(iter(simulation.get(name).modes))
    one, other = (simulation.get(name).draw(mode, 10, np.random.default_rng(5)).measurement for _ in range(2))
    assert one.dataset.identical(other.dataset)


@pytest.mark.parametrize("name", AXES)
@pytest.mark.parametrize(
    ("y", "doubtful"),
    [
        (np.zeros(40), "NO_SIGNAL"),
        (np.full(40, 3e300), "NO_SIGNAL"),
        (np.where(np.arange(40) == 20, 1e9, 1e-9 * np.cos(7.7 * np.arange(40) ** 2)), "NO_SIGNAL"),
        (np.full(40, np.nan), None),
        (np.where(np.arange(40) < 4, 1.0, np.nan), None),
        (np.full(40, np.inf), None),
    ],
)
def test_what_is_no_measurement_gets_no_number(name, y, doubtful):
    axis, unit = AXES[name]
    measurement = Measurement.of({axis: (np.linspace(0, 1, 40), unit)}, {"signal": (y, "V")})
    if doubtful is None:
        with pytest.raises(CascadeError, match="finite"):
            diagnose(measurement, name)
    else:
        verdict = diagnose(measurement, name)
        assert verdict.status == NOTHING.get(name, doubtful)
        assert not verdict.parameters


@pytest.mark.parametrize(("x", "y"), [(1, 1e300), (1, 1e-300), (1e300, 1), (1e-300, 1)])
def test_values_whose_squares_overflow_or_vanish_are_refused(x, y):
    axis, waves = np.linspace(0, 1, 40), np.cos(np.arange(40))
    measurement = Measurement.of({"amplitude": (x * axis, "V")}, {"signal": (y * waves, "V")}, family="rabi")
    with pytest.raises(CascadeError, match=f"^{'signal' if x == 1 else 'amplitude'}: expected values that differ by"):
        diagnose(measurement)


@pytest.mark.parametrize("name", MAPS)
def test_maps_of_nothing_get_no_number(name):
    f, x = np.linspace(4e9, 5e9, 40), np.linspace(0, 1, 20)
    ripple = np.cos(7.7 * np.arange(800) ** 2).reshape(20, 40)
    for z in (np.zeros((20, 40)), np.full((20, 40), 3e300), np.where(ripple > 0.9999, 1e9, 1e-9 * ripple)):
        measurement = Measurement.of({MAPS[name]: (x, "V"), "frequency": (f, "Hz")}, {"signal": (z, "V")})
        verdict = diagnose(measurement, name)
        assert verdict.status != analysis.get(name).success
        assert not verdict.parameters
    axes = {MAPS[name]: (x, "V"), "frequency": (f, "Hz")}
    with pytest.raises(CascadeError, match="finite"):
        diagnose(Measurement.of(axes, {"signal": (np.full((20, 40), np.nan), "V")}), name)
    with pytest.raises(CascadeError, match="units of"):
        diagnose(Measurement.of({"delay": (x, "s"), "frequency": (f, "Hz")}, {"signal": (ripple, "V")}), name)
    with pytest.raises(CascadeError, match="two axes"):
        diagnose(Measurement.of({"frequency": (f, "Hz")}, {"signal": (ripple[0], "V")}), name)


@pytest.mark.parametrize("name", AXES)
def test_wrong_units_and_too_many_axes_are_refused(name):
    axis, unit = AXES[name]
    x, y = np.linspace(0, 1, 40), np.linspace(1, 0, 40)
    with pytest.raises(CascadeError, match="units of"):
        diagnose(Measurement.of({axis: (x, "W")}, {"signal": (y, "V")}), name)
    grid = Measurement.of({axis: (x, unit), "flux": (x, "V")}, {"signal": (np.outer(y, y), "V")})
    with pytest.raises(CascadeError, match="one axis"):
        diagnose(grid, name)


def test_the_name_tells_the_family_where_the_file_does_not():
    x = np.linspace(0, 5e-5, 41)
    data = {"signal": (np.exp(-x / 1e-5) + 0.02 * np.random.default_rng(0).standard_normal(41), "V")}
    assert diagnose(Measurement.of({"delay": (x, "s")}, data, name="T1_QL")).family == "t1"
    with pytest.raises(CascadeError, match="name one of"):
        diagnose(Measurement.of({"delay": (x, "s")}, data, name="something"))
    with pytest.raises(CascadeError, match="unknown family"):
        diagnose(Measurement.of({"delay": (x, "s")}, data), "t3")
