"""What several rooms' tests share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File of an untrained network for surface_d3, small enough to decode in milliseconds."""
    from cascade_qec.decoders.cascade import CascadeDecoder

    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    CascadeDecoder.untrained("surface_d3", width=16, depth=2, seed=0).save(path)
    return path
