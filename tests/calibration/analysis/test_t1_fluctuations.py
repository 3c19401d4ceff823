"""Series that are none of T1 are refused."""

import numpy as np
import pytest

from cascade_calibration import Measurement, diagnose
from cascade_qec.errors import CascadeError

STEPS = np.arange(40.0)


@pytest.mark.parametrize(
    ("values", "unit", "message"),
    [
        (np.full(40, 30.0), "us", "scatter"),
        (np.zeros(40), "us", "above zero"),
        (1 + 0.1 * np.sin(STEPS**2), "V", "in seconds"),
        (np.where(STEPS < 9, 30.0, np.nan), "us", "finite"),
    ],
)
def test_what_is_no_series_of_t1_is_refused(values, unit, message):
    measurement = Measurement.of({"step": (STEPS, "")}, {"T1": (values, unit)})
    with pytest.raises(CascadeError, match=message):
        diagnose(measurement, "t1_fluctuations")


def test_single_far_values_are_no_level():
    values = 30 + np.random.default_rng(0).standard_normal(40)
    values[[7, 21]] = 90, 2
    verdict = diagnose(Measurement.of({"step": (STEPS, "")}, {"T1": (values, "us")}), "t1_fluctuations")
    assert verdict.status == "STABLE"
    assert verdict.parameters["mean T1"].low < 30e-6 < verdict.parameters["mean T1"].high
