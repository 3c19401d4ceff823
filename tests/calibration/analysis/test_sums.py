"""Sums of a product on a grid are those of its functions at each point of the grid."""

import numpy as np
import pytest

from cascade_calibration.analysis.sums import Product, sums_at


def wave(x: np.ndarray, turns: np.ndarray) -> np.ndarray:
    angle = turns[..., None] * x
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def fading(x: np.ndarray, rate: np.ndarray) -> np.ndarray:
    return np.exp(-rate[..., None] * x)


@pytest.mark.parametrize("parts", [(wave,), (wave, lambda x, power: x[:, None] ** power[..., None, None])])
def test_sums_of_a_product_on_a_grid(parts) -> None:
    rng = np.random.default_rng(0)
    x, y = np.linspace(0.1, 1.0, 17), rng.standard_normal(17)
    axes = [np.linspace(1.0, 9.0, 5), np.linspace(0.5, 2.0, 3)][: len(parts)]
    grid = (*axes, np.linspace(0.0, 3.0, 4))
    thetas = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, len(grid))
    product = Product(parts, fading)
    on_grid, at_each = product.sums(x, grid, y), sums_at(product, x, thetas, y)
    for part in ("functions", "products", "moments", "size"):
        np.testing.assert_allclose(getattr(on_grid, part), getattr(at_each, part), atol=1e-12)
