"""`python -m workshop bench-training` and `bench-convolution`: from recipes to tables of speeds."""

from pathlib import Path

import pytest

from cascade_qec.kernels import backend
from cascade_qec.tables import read_rows
from workshop.app import main
from workshop.speed import ConvolutionRow, DeviceRates, TrainingRow

RECIPE = """
name = "tiny"
code = "surface_d3"
rounds = 2
[network]
width = 8
depth = 1
convolution = "direct"
[noise]
p = 0.02
start = 0.01
[optimizer]
steps = 3
[batch]
shots = 16
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def _quick_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy and a product of a moment; what they measure matters to nobody here."""
    monkeypatch.setattr("workshop.speed.measure_rates", lambda *_: DeviceRates(1e10, 1e11))


def _training(*arguments: str | Path) -> int:
    fast = ("--seconds", "0.03", "--workers", "0", "--device", "cpu", "--precision", "float32")
    return main(["bench-training", *map(str, arguments), *fast])


@pytest.mark.usefixtures("_quick_rates")
def test_training_prints_and_writes_what_it_measured(recipe: Path, tmp_path: Path, capsys) -> None:
    table = tmp_path / "results" / "speeds.csv"
    assert _training(recipe, "--shots", "4", "--profile", "--variants", "reference,stock", "--out", table) == 0
    rows = read_rows(table, TrainingRow)
    assert [(row.recipe, row.variant, row.shots) for row in rows] == [
        ("tiny", "reference", 4),
        ("tiny", "stock", 4),
    ]
    printed = capsys.readouterr()
    assert "1 x 4 x ZX" in printed.out
    assert "At best 0.1 TFLOP/s, 10 GB/s" in printed.out
    assert "tiny, stock: turn 1 of 3" in printed.err
    profiles = table.parent / "speeds_profiles"
    assert {path.name for path in profiles.iterdir()} == {"tiny_reference.csv", "tiny_reference.txt"}


@pytest.mark.usefixtures("_quick_rates")
def test_without_recipes_those_of_the_folder_that_are_no_work_for_hours(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _training() == 2
    assert "a folder recipes/ with TOML files" in capsys.readouterr().err
    (tmp_path / "recipes").mkdir()
    recipe.rename(tmp_path / "recipes" / "tiny.toml")
    large = RECIPE.replace("tiny", "large").replace("shots = 16", "shots = 131072")
    (tmp_path / "recipes" / "large.toml").write_text(large)
    assert _training("--variants", "reference") == 0
    assert [row.recipe for row in read_rows(tmp_path / "benchmarks/results/training_cpu.csv", TrainingRow)] == ["tiny"]
    assert "large: left out" in capsys.readouterr().err


def test_convolution_prints_and_writes_what_it_measured(recipe: Path, tmp_path: Path, capsys) -> None:
    table = tmp_path / "speeds.csv"
    where = ["--device", "cpu", "--precision", "float32", "--shots", "2", "--out", str(table)]
    assert main(["bench-convolution", str(recipe), *where]) == 0
    assert [row.variant for row in read_rows(table, ConvolutionRow)] == [
        *dict.fromkeys([backend("cpu"), "reference"]),
        "stock",
        "stock-sites",
        "conv3d",
    ]
    assert "conv3d" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--variants", "reference,fast"], "expected variants among triton"),
        (["--variants", "triton"], "expected a CUDA device"),
        (["--device", "tpu"], "expected device auto, cpu, cuda"),
        (["--threads", "0"], "Invalid value for '--threads'"),
        (["--seconds", "0"], "Invalid value for '--seconds'"),
    ],
)
def test_bad_input_exits_with_2(arguments: list[str], message: str, recipe: Path, tmp_path: Path, monkeypatch, capsys):
    def measured(*_: object) -> None:
        raise AssertionError("measures before it looks at what was asked for")

    monkeypatch.setattr("workshop.speed.measure_rates", measured)
    flags = ["--out", str(tmp_path / "speeds.csv"), *arguments]
    assert main(["bench-training", str(recipe), *flags]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "speeds.csv").exists()


def test_a_recipe_that_does_not_exist_is_told(tmp_path: Path, capsys) -> None:
    for command in ("training", "convolution"):
        assert main([f"bench-{command}", str(tmp_path / "no.toml")]) == 2
        assert "cannot read recipe" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["training", "convolution"])
def test_help(command: str, capsys) -> None:
    assert main([f"bench-{command}", "--help"]) == 0
    assert "Usage: " in capsys.readouterr().out
