"""Errors of several kinds in one interval."""

import numpy as np
import pytest

from cascade_calibration.analysis.verdict import Estimate


def test_a_further_error_widens_an_interval_on_both_sides() -> None:
    one = Estimate(value=1.0, error=0.1, low=0.8, high=1.3, unit="V").with_error(0.2)
    assert one.error == pytest.approx(np.hypot(0.1, 0.2))
    assert one.low == pytest.approx(1 - np.hypot(0.2, 1.96 * 0.2))
    assert one.high == pytest.approx(1 + np.hypot(0.3, 1.96 * 0.2))
