"""The scripts of examples/ run, and say what they promise."""

import re
import runpy
import subprocess
from pathlib import Path

import pytest
import sinter

from cascade_qec import load
from cascade_qec.decoders.escalation import EscalatingDecoder
from cascade_qec.decoders.named import NamedModel
from cascade_qec.decoders.sinter import SinterDecoder

EXAMPLES = Path(__file__).parent.parent / "examples"
# What each is given, and what it prints.
PRINTED = {
    "decode_your_circuit": ("500", r"cascade: \S+% of 500 shots wrong; .*\npymatching: \S+% wrong\n"),
    "train_a_model": ("10", r"quick: \d+ of 10000 shots wrong\npymatching: "),
    "with_sinter": ("200", r"p = 0.003, cascade:surface_d3@0.99: \d+ errors, \d+ of 200 shots discarded\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PRINTED)
def test_scripts_run_in_an_empty_folder(name: str, programs: Path, tmp_path: Path) -> None:
    argument, printed = PRINTED[name]
    done = subprocess.run(
        [programs / "python", "-W", "error", EXAMPLES / f"{name}.py", argument],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(printed, done.stdout), done.stdout


def test_every_script_is_run() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*PRINTED, "own_decoder", "laboratory_with_qcodes"}


def test_a_workflow_on_instruments_of_qcodes(capsys: pytest.CaptureFixture[str]) -> None:
    """The dummy's noise has no seed: at 2 % of the signal, 10 % off is more than five standard errors."""
    pytest.importorskip("qcodes", reason="the adapter for QCoDeS is tried where that is installed")
    runpy.run_path(str(EXAMPLES / "laboratory_with_qcodes.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert "t1: retry, t1: status SUCCESS, found" in printed
    found = re.search(r"T1 = (\S+) ± \S+ us", printed)
    assert found
    assert abs(float(found[1]) - 5) < 0.5


@pytest.mark.slow
def test_a_decoder_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "own_decoder.py"), run_name="__main__")
    lines = re.findall(r"(\S+) +(\d+) of 20000 shots", capsys.readouterr().out)
    failures = {name: int(count) for name, count in lines}
    assert list(failures) == ["lookup", "cascade:surface_d3", "pymatching"]
    # Its table lacks rare syndromes: 736 where matching fails 524 times, and more than 2000 shots flip.
    assert 400 < failures["lookup"] < 2 * failures["pymatching"] < 1200


def test_sinter_and_escalation_take_it() -> None:
    lookup = runpy.run_path(str(EXAMPLES / "own_decoder.py"))["Lookup"]()
    circuit = load("surface_d3", device="cpu").experiment(0.005)
    dets, truth = circuit.compile_detector_sampler(seed=2).sample(4000, separate_observables=True)
    alone = (lookup.bind(circuit).decode_batch(dets).observables != truth).any(axis=1).sum()
    compiled = SinterDecoder(lookup).compile_decoder_for_dem(dem=circuit.detector_error_model())
    assert isinstance(compiled, sinter.CompiledDecoder)
    both = EscalatingDecoder(NamedModel("surface_d3", device="cpu"), lookup, 1.0).bind(circuit)
    assert (both.decode_batch(dets).observables != truth).any(axis=1).sum() == pytest.approx(alone, abs=30)
