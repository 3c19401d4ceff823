"""What the README shows is run as it stands there, and its figures are those of the cards."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cascade_qec import codes, zoo
from cascade_qec.nn import load_model
from cascade_qec.zoo.card import Card

README = Path(__file__).parents[1] / "README.md"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.DOTALL)


@pytest.mark.slow
def test_python_example_runs(tmp_path: Path) -> None:
    example = _blocks("python")[0]
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "block error" in done.stdout


@pytest.mark.slow
def test_the_way_from_stims_command_line_to_predictions(tmp_path: Path) -> None:
    block = next(block for block in _blocks("sh") if block.startswith("stim gen"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euc", block],
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "surface_d5 [[25, 1, 5]]" in done.stdout
    assert "failures: " in done.stdout


def test_the_table_of_models_has_the_figures_of_the_cards() -> None:
    rows = re.findall(r"^\| (\w+) \| [^|]+ \| ([\d,]+) \| (\S+) \| ", README.read_text(), flags=re.MULTILINE)
    assert len(rows) >= 7
    for name, weights, block_error in rows:
        path = zoo.path(name)
        card = Card.read(path.with_suffix(".json"))
        network, description = load_model(path)
        assert sum(parameter.numel() for parameter in network.parameters()) == int(weights.replace(",", ""))
        measured = [m for m in card.measurements if m.p == 0.003 and m.rounds == codes.get(description.code).d]
        failures, shots = sum(m.failures for m in measured), sum(m.shots for m in measured)
        assert f"{failures / shots:.2e}" == block_error, name
