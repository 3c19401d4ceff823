"""What several rooms' tests share."""

import os
from pathlib import Path

import pytest
import torch

if not torch.cuda.is_available():  # read when a kernel is defined, so before anything imports one
    os.environ["TRITON_INTERPRET"] = "1"

# There is no such folder: what somebody has fetched is not tested, and tests that fetch have homes of their own.
os.environ["CASCADE_HOME"] = str(Path(__file__).parent / "no_home")
for name in ("CASCADE_INDEX", "CASCADE_OFFLINE"):
    os.environ.pop(name, None)


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


@pytest.fixture(scope="session")
def measured_card(tiny_model: Path) -> str:
    """The tiny model's card as JSON: 4000 shots of its own and PyMatching's at each of two noise rates."""
    from cascade_qec.decoders.cascade import load
    from cascade_qec.evaluation.model_card import make_card, measure

    decoder = load(tiny_model, device="cpu")
    made = decoder.description
    recipe = made.model_dump(include={"name", "code", "rounds", "bases"}) | {
        "network": made.network.model_dump(),
        "noise": {"model": made.noise_model, "p": made.noise_p},
    }
    facts = {"recipe": recipe, "seed": 0, "shots": 0, "hardware": "", "hours": 0.0, "commit": "", "versions": {}}
    rows = measure(decoder, {"pymatching": 1e9}, ps=[0.008, 0.01], failures=1, seed=0)
    return make_card(decoder, facts, rows).model_dump_json()


@pytest.fixture
def measured_model(tiny_model: Path, measured_card: str, tmp_path: Path) -> Path:
    """A copy of the tiny model with its card beside it."""
    path = tmp_path / "measured.safetensors"
    path.write_bytes(tiny_model.read_bytes())
    path.with_suffix(".json").write_text(measured_card)
    return path
