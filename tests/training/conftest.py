"""What the tests of training share: every device, the tiny recipe as a file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch


@pytest.fixture(params=["cpu", "cuda:0"] if torch.cuda.is_available() else ["cpu"])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Every device there is."""
    return torch.device(request.param)


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
