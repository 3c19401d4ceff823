"""What several rooms' tests share."""

from __future__ import annotations

import copy
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from jaxtyping import install_import_hook

from tests.warm import warm_programs

if TYPE_CHECKING:
    from cascade_qec.training import Recipe

gc.disable()  # until everything is imported
if not torch.cuda.is_available():  # read when a kernel is defined, so before anything imports one
    os.environ["TRITON_INTERPRET"] = "1"

# The shapes and types that annotations promise are checked at every call; before anything imports these rooms.
install_import_hook(["cascade_qec.nn", "cascade_qec.lattice.relations"], "beartype.beartype")

# There is no such folder: what somebody has fetched is not tested, and tests that fetch have homes of their own.
os.environ["CASCADE_HOME"] = str(Path(__file__).parent / "no_home")
os.environ["OMP_NUM_THREADS"] = "1"  # of what tests start, too
for name in ("CASCADE_INDEX", "CASCADE_OFFLINE"):
    os.environ.pop(name, None)


def pytest_collection_finish() -> None:
    """All that is imported and collected stays: the garbage collector need not go through it every time."""
    gc.collect()
    gc.freeze()
    gc.enable()


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


@pytest.fixture(scope="session")
def device() -> torch.device:
    """Where Triton's kernels are tested: on a GPU where there is one, else on the CPU by Triton's interpreter."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of `python`, `cascade` and `sinter`, which begin without importing PyTorch anew."""
    with warm_programs(tmp_path_factory.mktemp("bin")) as folder:
        yield folder


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
    from cascade_qec.decoders.loading import load
    from workshop.cards.making import make_card, measure

    decoder = load(tiny_model, device="cpu")
    made = decoder.description
    recipe = made.model_dump(include={"name", "code", "rounds", "bases"}) | {
        "network": made.network.model_dump(),
        "noise": {"model": made.noise_model, "p": made.noise_p},
    }
    facts = {"recipe": recipe, "seed": 0, "shots": 0, "hardware": "", "hours": 0.0, "commit": "", "versions": {}}
    rows = measure(decoder, {"pymatching": 1e9}, ps=[0.008, 0.01], failures=1, seed=0)
    return make_card(decoder, facts, rows).model_dump_json()


@pytest.fixture(scope="session")
def tiny_data() -> Callable[..., dict[str, Any]]:
    """Fields of the tiny recipe, with changes: ``tiny_data(seed=1, optimizer={"steps": 5})``."""

    def make(**changes: Any) -> dict[str, Any]:
        data = copy.deepcopy(_TINY)
        for field, value in changes.items():
            data[field] = data.get(field, {}) | value if isinstance(value, dict) else value
        return data

    return make


@pytest.fixture(scope="session")
def tiny(tiny_data: Callable[..., dict[str, Any]]) -> Callable[..., Recipe]:
    """The tiny recipe, with changes."""
    from cascade_qec.training import Recipe

    return lambda **changes: Recipe.model_validate(tiny_data(**changes))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Sums depend on the number of threads, and several tests run at a time."""
    from cascade_qec.native import set_threads

    set_threads(1)


@pytest.fixture
def measured_model(tiny_model: Path, measured_card: str, tmp_path: Path) -> Path:
    """A copy of the tiny model with its card beside it."""
    path = tmp_path / "measured.safetensors"
    path.write_bytes(tiny_model.read_bytes())
    path.with_suffix(".json").write_text(measured_card)
    return path
