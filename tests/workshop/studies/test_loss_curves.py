"""What the study of loss curves calls the same curve."""

import numpy as np
import pytest

from workshop.studies.loss_curves import within_noise


@pytest.mark.parametrize(
    ("error", "same"),
    [
        (lambda noise: 0.3 * noise, True),  # roundings that grew
        (lambda noise: np.full(50, 0.02), False),  # small in each block, but always there
        (lambda noise: np.eye(50)[7], False),  # once, and large
        (lambda noise: np.full(50, np.nan), False),
    ],
    ids=["noise", "bias", "jump", "not finite"],
)
def test_curves_agree_within_the_noise_between_seeds(error, same):
    rng = np.random.default_rng(0)
    curve = np.linspace(0.69, 0.1, 50)
    stock, other = (curve + 0.02 * rng.standard_normal(50) for _ in range(2))
    assert within_noise(stock, stock + error(0.02 * rng.standard_normal(50)), other) == same
