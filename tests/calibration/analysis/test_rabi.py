"""Distortions that a plain oscillation of another phase would hide, and trains of pulses that turn by nothing."""

import numpy as np

from cascade_calibration import Measurement, diagnose

RNG_SEED = 3


def test_a_drive_that_saturates_is_no_oscillation_of_another_phase():
    x = np.linspace(0, 1, 81)
    turns = 2.5 * x * (1 - 0.25 * x)
    noise = 0.1 * np.random.default_rng(RNG_SEED).standard_normal(len(x))
    measurement = Measurement.of({"amplitude": (x, "V")}, {"signal": (np.sin(np.pi * turns) ** 2 + noise, "V")})
    assert diagnose(measurement, "rabi").status == "FIT_POOR"


def test_good_trains_of_pulses_may_turn_by_nothing():
    """Of 20 intervals of 95 %, 15 or more hold nothing with probability 0.997."""
    held = 0
    for seed in range(20):
        noise = 0.25 * np.random.default_rng(seed).standard_normal(41)
        measurement = Measurement.of(
            {"pulses": (2.0 * np.arange(41), "")}, {"signal": (noise, "V")}, ground=-0.5, excited=0.5
        )
        error = diagnose(measurement, "pingpong").parameters["error per pulse"]
        held += error.low <= 0 <= error.high
    assert held >= 15
