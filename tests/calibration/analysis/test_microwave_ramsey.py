"""Shares of atoms are absolute: other numbers are refused, and a flat line has no fringe."""

import numpy as np
import pytest

from cascade_calibration import Measurement, diagnose
from cascade_qec.errors import CascadeError

DETUNINGS = np.linspace(-10, 10, 15)


@pytest.mark.parametrize(("values", "unit"), [(np.full(15, 0.5), "V"), (np.full(15, 30.0), "")])
def test_what_is_no_share_of_atoms_is_refused(values, unit):
    measurement = Measurement.of({"detuning": (DETUNINGS, "kHz")}, {"retention": (values, unit)})
    with pytest.raises(CascadeError, match="share of atoms"):
        diagnose(measurement, "microwave_ramsey")


@pytest.mark.parametrize(("level", "status"), [(0.9, "DETUNED"), (0.1, "LOW_CONTRAST")])
def test_a_flat_line_gets_no_number(level, status):
    measurement = Measurement.of({"detuning": (DETUNINGS, "kHz")}, {"retention": (np.full(15, level), "")})
    verdict = diagnose(measurement, "microwave_ramsey")
    assert (verdict.status, verdict.parameters) == (status, {})
