"""Recipes that are measured in a moment."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from cascade_qec.training import Recipe


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
