"""A recipe that trains in seconds, and variations of it."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from cascade_qec.training import Recipe

_TINY = {
    "name": "tiny",
    "code": "surface_d3",
    "rounds": 3,
    "bases": ["Z", "X"],
    "seed": 7,
    "network": {"width": 8, "depth": 1, "convolution": "direct"},
    "noise": {"model": "uniform", "p": 0.006, "start": 0.002, "hold_steps": 3, "ramp_steps": 4},
    "optimizer": {"steps": 30, "muon_lr": 0.02, "lion_lr": 0.002, "warmup_steps": 2, "ema": 0.9},
    "batch": {"shots": 8, "micro_batches": 1},
    "validation": {"p": [0.003, 0.005], "shots": 16, "every": 10, "statistics_batches": 2},
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """What the subprocesses of these tests use as well; sums depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=["cpu", "cuda:0"] if torch.cuda.is_available() else ["cpu"])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Every device there is."""
    return torch.device(request.param)


@pytest.fixture(scope="session")
def tiny_data() -> Callable[..., dict[str, Any]]:
    """Fields of the tiny recipe, with changes: ``tiny_data(seed=1, optimizer={"steps": 5})``."""

    def make(**changes: Any) -> dict[str, Any]:
        data = copy.deepcopy(_TINY)
        for field, value in changes.items():
            data[field] = data[field] | value if isinstance(value, dict) else value
        return data

    return make


@pytest.fixture(scope="session")
def tiny(tiny_data: Callable[..., dict[str, Any]]) -> Callable[..., Recipe]:
    """The tiny recipe, with changes."""
    return lambda **changes: Recipe.model_validate(tiny_data(**changes))


@pytest.fixture
def tiny_file(tiny_data: Callable[..., dict[str, Any]], tmp_path: Path) -> Callable[..., Path]:
    """The tiny recipe as a TOML file, with changes; a field that is None is left out."""

    def make(**changes: Any) -> Path:
        data = tiny_data(**changes)
        sections = {key: value for key, value in data.items() if isinstance(value, dict)}
        lines = _fields({key: value for key, value in data.items() if key not in sections})
        for name, section in sections.items():
            lines += [f"[{name}]", *_fields(section)]
        path = tmp_path / "tiny.toml"
        path.write_text("\n".join(lines) + "\n")
        return path

    return make


def _fields(values: dict[str, Any]) -> list[str]:
    # Of the values in use, JSON's spelling is TOML's; but for nan and inf.
    return [f"{key} = {json.dumps(value)}".replace("NaN", "nan") for key, value in values.items() if value is not None]
