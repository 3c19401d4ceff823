"""What several rooms' tests share."""

import os
from pathlib import Path

import pytest
import torch

if not torch.cuda.is_available():  # read when a kernel is defined, so before anything imports one
    os.environ["TRITON_INTERPRET"] = "1"


@pytest.fixture(scope="session")
def device() -> torch.device:
    """Where Triton's kernels are tested: on a GPU where there is one, else on the CPU by Triton's interpreter."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File of an untrained network for surface_d3, small enough to decode in milliseconds."""
    from cascade_qec.decoders.cascade import CascadeDecoder

    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    CascadeDecoder.untrained("surface_d3", width=16, depth=2, seed=0).save(path)
    return path
