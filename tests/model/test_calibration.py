"""What log-odds are worth: fitted maps find the truth again, and never turn the order of shots around."""

import numpy as np
import pytest
from pydantic import ValidationError

from cascade_qec.model import UNCHECKED, Calibration, calibrated
from cascade_qec.model.calibration import FEWEST

SHOTS = 60_000


def shots(worth, seed=1):
    """Log-odds as a network says them, and failures by what they are worth."""
    random = np.random.default_rng(seed)
    raw = random.gamma(2.0, 4.0, SHOTS).astype(np.float32)
    return raw, random.random(SHOTS) < 1 / (1 + np.exp(worth(raw)))


def fitted(raw, wrong) -> Calibration:
    found = calibrated(raw, wrong, noise=[0.003], shots=SHOTS)
    assert found is not None
    return found


@pytest.mark.parametrize("slope", [0.15, 0.5, 1.0])
def test_a_network_that_is_too_sure_is_taken_back(slope):
    """By one fixed seed; the tail has dozens of failures, so that log-odds are known within a fraction of one."""
    raw, wrong = shots(lambda raw: slope * raw + 0.5)
    found = fitted(raw, wrong)
    at = np.quantile(raw[wrong], [0.1, 0.5, 0.9])
    np.testing.assert_allclose(found(at), slope * at + 0.5, atol=0.4)
    claimed = (1 / (1 + np.exp(found(raw)))).sum()
    assert claimed == pytest.approx(wrong.sum(), rel=1e-3)  # which the constant sees to


def test_a_tail_that_bends_is_followed():
    raw, wrong = shots(lambda raw: np.minimum(raw, 3) + 0.1 * np.maximum(raw - 3, 0))
    sure = raw > 15
    found = fitted(raw, wrong)
    assert wrong[sure].sum() > 30
    assert (1 / (1 + np.exp(found(raw[sure])))).sum() == pytest.approx(wrong[sure].sum(), rel=0.25)


def test_order_is_kept_and_the_tail_goes_on():
    found = fitted(*shots(lambda raw: np.full_like(raw, 4.0)))  # says nothing at all
    at = np.array([-1e4, -3.0, 0.0, 1.0, 5.0, 20.0, 1e3, 1e6, np.inf])
    assert (np.diff(found(at)[:-1]) > 0).all()
    assert found(at)[-1] == np.inf


def test_never_surer_than_the_network_in_the_tail():
    raw, wrong = shots(lambda raw: np.where(raw > 4, 50.0, raw))
    assert fitted(raw, wrong).beyond <= 1


def test_few_failures_are_no_calibration():
    raw = np.arange(1000.0)
    assert calibrated(raw, raw < FEWEST - 1, noise=[0.003], shots=1000) is None
    assert calibrated(raw, raw < FEWEST, noise=[0.003], shots=1000) is not None


def test_what_is_unchecked_stays():
    at = np.array([-5.0, 0.0, 12.0])
    np.testing.assert_array_equal(UNCHECKED(at), at)


@pytest.mark.parametrize(
    "change", [{"beyond": 0.0}, {"beyond": 1.5}, {"raw": [2.0, 1.0]}, {"log_odds": [1.0]}, {"raw": [0.0, np.nan]}]
)
def test_maps_that_do_not_rise_are_refused(change):
    fields = {"raw": [0.0, 1.0], "log_odds": [0.0, 0.5], "before": 1.0, "beyond": 0.2, "noise": [], "shots": 0}
    with pytest.raises(ValidationError):
        Calibration.model_validate(fields | change)
