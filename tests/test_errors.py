"""Names that nobody knows: what was meant, or all that there is."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cascade_qec as cascade
from cascade_qec.circuits import noise_model
from cascade_qec.cli import main
from cascade_qec.errors import CascadeError, unknown
from cascade_qec.zoo import registry


@pytest.mark.parametrize(
    ("look_up", "meant"),
    [
        (lambda: cascade.load("sruface_d3"), "unknown model 'sruface_d3': did you mean surface_d3?"),
        (lambda: cascade.load("Surface-D5"), "unknown model 'Surface-D5': did you mean surface_d5?"),
        (lambda: cascade.codes.get("bb-144"), "unknown code 'bb-144': did you mean bb144?"),
        (lambda: cascade.decoders.get("pymaching"), "unknown classical decoder 'pymaching': did you mean pymatching?"),
        (lambda: cascade.load("surface_d3", fallback="tesserakt", below=0.9), "did you mean tesseract?"),
        (lambda: noise_model("unifrom", 0.1), "unknown noise model 'unifrom': did you mean uniform?"),
    ],
)
def test_the_nearest_name_is_asked_for(look_up: Callable[[], object], meant: str) -> None:
    with pytest.raises(CascadeError) as raised:
        look_up()
    assert meant in str(raised.value)


@pytest.mark.parametrize("name", ["hexagon", "steane", "x" * 100_000])
def test_where_none_is_near_all_are_told(name: str) -> None:
    with pytest.raises(CascadeError, match=r"expected surface_d<odd> or .*one of bb72, bb90"):
        cascade.codes.get(name)
    with pytest.raises(CascadeError, match=r"expected a name \(bb108, .*\) or the path of a \.safetensors file"):
        cascade.load(name)


def test_names_that_are_as_near_are_few() -> None:
    assert str(unknown("fruit", "pare", ["pear", "apple"])) == "unknown fruit 'pare': did you mean pear?"
    assert "expected one of a1, a2, a3" in str(unknown("name", "a4", ["a1", "a2", "a3"]))


SLIPS = {
    "info sruface_d3": "did you mean surface_d3?",
    "decode --model sruface_d3 --in s.b8 --out x.b8": "did you mean surface_d3?",
    "decode --model surface_d3 --in none.b8 --out x.b8": "none.b8: expected a file to read, found nothing",
    "decode --model surface_d3 --in s.b8 --circuit none.stim --out x.b8": "none.stim: expected a file to read",
    "train none.toml": "none.toml: expected a file to read",
    "collect none.toml": "none.toml: expected a file to read",
    "fit none.csv": "none.csv: expected a file to read",
    "plot rates s.b8 none.csv --out x.png": "none.csv: expected a file to read",
    "reliability sruface_d3 --out x": "did you mean surface_d3?",
    "spectrum --model sruface_d3 --p 0.1 --out x": "did you mean surface_d3?",
    "bench latency surface_d3 sruface_d3": "did you mean surface_d3?",
    "bench escalation sruface_d3": "did you mean surface_d3?",
    "zoo verify sruface_d3": "did you mean surface_d3?",
    "zoo release sruface_d3 x": "did you mean surface_d3?",
}
"""Command lines, and what is said."""


@pytest.mark.slow
def test_slips_are_told_before_anything_heavy_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "s.b8").touch()
    program = (
        "import sys\n"
        "from cascade_qec.cli import main\n"
        "print([main(line.split()) for line in sys.argv[1:]])\n"
        "print({'torch', 'stim', 'scipy', 'matplotlib'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *SLIPS], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == f"{[2] * len(SLIPS)}\nset()\n"
    for said, message in zip(done.stderr.splitlines(), SLIPS.values(), strict=True):
        assert message in said
    assert list(tmp_path.iterdir()) == [tmp_path / "s.b8"]


@pytest.mark.parametrize(
    ("name", "classical"),
    [("surface_d9", "pymatching-correlated"), ("surface_d11", "pymatching-correlated"), ("bb288", "bposd-lowest")],
)
def test_a_code_without_a_model_has_a_way_on(
    name: str, classical: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = registry.no_model_yet(name)
    assert sentence.endswith(f"(cascade_qec.decoders.get, such as {classical})")
    way = "use local_surface, use local_surface_fast, train one" if name.startswith("surface") else "train one"
    assert f"no model of {name} yet: {way} (cascade train, with a recipe of code = '{name}')" in sentence
    with pytest.raises(CascadeError, match=f"no model of {name} yet: {way}"):
        cascade.load(name)
    assert main(["info", name]) == 2
    assert "or decode by another decoder" in capsys.readouterr().err
    (tmp_path / "s.b8").touch()
    assert main(["decode", "--model", name, "--in", str(tmp_path / "s.b8"), "--out", str(tmp_path / "x.b8")]) == 2
    assert f"no model of {name} yet" in capsys.readouterr().err


@pytest.mark.slow
def test_a_circuit_of_a_code_without_a_model_of_its_own_has_a_way_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import stim

    circuit = tmp_path / "d9.stim"
    noise = {"after_clifford_depolarization": 0.002}
    stim.Circuit.generated("surface_code:rotated_memory_z", distance=9, rounds=2, **noise).to_file(circuit)
    assert main(["info", "--circuit", str(circuit)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "surface_d9 [[81, 1, 9]]" in said
    assert "local_surface 1 to 21 rounds" in said
