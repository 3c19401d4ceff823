"""Two trees' predictions beside each other: equal code, and what stands out where they are not equal."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from cascade_qec.errors import CascadeError
from workshop import CHECKOUT
from workshop.app import main
from workshop.equality.predictions import Settings, model_difference
from workshop.equality.trees import Source, Worker, at_commit

pytestmark = pytest.mark.slow

MODEL = "surface_d3"
SETTINGS = Settings(shots=20, seed=1, device="cpu", precision="float32", threads=1, rates=[0.005])


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A copy of this checkout whose code differs in a comment."""
    folder = tmp_path_factory.mktemp("tree")
    shutil.copytree(CHECKOUT / "src", folder / "src")
    with (folder / "src" / "cascade_qec" / "__init__.py").open("a") as file:
        file.write("# another tree\n")
    return Source(folder)


def test_equal_trees_and_what_differs(tree: Source, tmp_path: Path) -> None:
    reports = []

    def difference():
        return model_difference(MODEL, Source(CHECKOUT), tree, tmp_path, SETTINGS, lambda *r: reports.append(r))

    found = difference()
    assert found.equal
    assert (found.shots, found.observables, found.probabilities, found.circuits) == (40, 0, 0.0, 0)
    assert reports[-1] == (80, 80)
    (path, _) = sorted((tmp_path / "predictions" / f"{tree.key}-cpu-float32").glob("*.npz"))
    with np.load(path) as file:
        predictions = dict(file)
    predictions["observables"][3] ^= True
    predictions["confidence"][4] -= 1e-3
    np.savez(path, **predictions)
    found = difference()  # of what is kept
    assert (found.observables, found.equal) == (1, False)
    assert found.confidence == pytest.approx(1e-3, rel=1e-3)
    assert str(found).endswith("DIFFERENT")


def test_a_process_that_fails_is_told(tree: Source) -> None:
    with Worker(tree) as worker, pytest.raises(CascadeError, match="has ended, exit status 1"):
        worker.do("decode", model="none", folder="none", device="cpu", precision="auto", out="none")


def test_commits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not (CHECKOUT / ".git").exists():
        pytest.skip("no checkout")
    tree = at_commit("HEAD", tmp_path)
    assert (tree.models / f"{MODEL}.safetensors").exists()
    assert at_commit("HEAD", tmp_path) == tree
    assert main(["equal-predictions", "--against", "none", "--work", str(tmp_path)]) == 2
    assert main(["equal-predictions", "no_model", "--against", "HEAD", "--work", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "expected a commit" in told
    assert "got no_model" in told
