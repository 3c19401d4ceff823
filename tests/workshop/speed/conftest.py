"""Recipes that are measured in a moment."""

from collections.abc import Callable
from typing import Any

import pytest

from cascade_qec.training import Recipe


@pytest.fixture
def tiny() -> Callable[..., Recipe]:
    """A tiny recipe; keywords change fields of any section."""

    def make(**changes: Any) -> Recipe:
        fields = {
            "name": "tiny",
            "code": "surface_d3",
            "rounds": 2,
            "seed": 7,
            "network": {"width": 8, "depth": 1, "convolution": "direct"},
            "noise": {"p": 0.006, "start": 0.002},
            "optimizer": {"steps": 30},
            "batch": {"shots": 8},
        }
        for field, value in changes.items():
            fields[field] = fields[field] | value if isinstance(value, dict) else value
        return Recipe.model_validate(fields)

    return make
