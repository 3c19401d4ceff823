"""Cosines and sines of many frequencies are what numpy's are, however the places lie."""

import numpy as np
import pytest

from cascade_calibration.analysis.waves import waves

_EVEN = np.linspace(0.0, 1.0, 201)


@pytest.mark.parametrize(
    "at",
    [
        _EVEN,
        _EVEN + 0.3,
        np.delete(_EVEN, [3, 4, 77, 200]),  # outliers left out
        np.repeat(_EVEN, 2),  # several points at a place
        np.sort(np.random.default_rng(0).random(50)),
        np.geomspace(1e-3, 1.0, 40),
        _EVEN[:1],
    ],
    ids=["even", "not from zero", "with gaps", "repeated", "anywhere", "geometric", "one"],
)
@pytest.mark.parametrize("shape", [(3,), (40,), (5, 4)])
def test_cosines_and_sines(at: np.ndarray, shape: tuple[int, ...]) -> None:
    periods = np.random.default_rng(1).uniform(0.1, 100.0, shape)
    angle = 2 * np.pi * periods[..., None] * at
    found = waves(periods, at)
    assert found.shape == (*shape, len(at), 2)
    np.testing.assert_allclose(found, np.stack([np.cos(angle), np.sin(angle)], axis=-1), atol=1e-11)
