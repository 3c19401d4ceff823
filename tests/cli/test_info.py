"""``cascade info`` and ``cascade zoo list``."""

import io
import json
import os
import sys
import threading
from pathlib import Path

import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.cli import main
from cascade_qec.cli.table import short
from cascade_qec.zoo import names, registry
from cascade_qec.zoo.ladder import standing

RELAY = Path(__file__).parents[1] / "data" / "relay_bb72_z_r6_p0.003.stim"

CARD = {
    "name": "mine",
    "code": "surface_d3",
    "bases": ["X", "Z"],
    "rounds": [3],
    "network": {"width": 16},
    "parameters": 1234,
    "recipe": {"code": "surface_d3", "batch": 512},
    "seed": 7,
    "shots": 1_000_000,
    "hardware": "one core",
    "hours": 0.25,
    "commit": "0123456789abcdef",
    "versions": {"torch": "2.13.0"},
    "date": "2026-01-31",
    "measurements": [
        {
            "p": 0.003,
            "basis": "both",
            "rounds": 3,
            "shots": 200_000,
            "failures": 1000,
            "block_error": 0.005,
            "low": 0.0047,
            "high": 0.0053,
            "per_logical_per_cycle": 0.00168,
        }
    ],
    "zero_syndrome": {"observables_flipped": 0, "min_confidence": 0.9999},
}


def test_a_card_is_shown_whole(tmp_path, capsys):
    (tmp_path / "mine.safetensors").write_bytes(b"")
    (tmp_path / "mine.json").write_text(json.dumps(CARD))
    assert main(["info", str(tmp_path / "mine.safetensors")]) == 0
    shown = capsys.readouterr().out
    for part in (
        "mine",
        "1,234 parameters",
        "width 16",
        "1,000,000 shots in 0.25 h on one core, seed 7",
        "0123456789",
    ):
        assert part in shown
    for part in ("0.3 %", "1,000 / 200,000", "5.00e-3 [4.7e-3, 5.3e-3]", "1.68e-3", '"batch": 512'):
        assert part in shown


def test_guards_are_shown_where_the_card_has_them(tmp_path, capsys):
    guards = {
        "p": 0.006,
        "heads": {"X": {"operator": "X2", "loss": 0.1, "guess": 0.4}},
        "floor": {"p": 0.001, "above": 0.002, "block_error": 3e-4, "allowed": 2e-4, "probability": 1e-5},
        "flips_on_silence": [],
    }
    (tmp_path / "mine.safetensors").write_bytes(b"")
    for found, shown in [(None, ""), (guards, "broken: floor"), (guards | {"floor": None}, "all hold")]:
        (tmp_path / "mine.json").write_text(json.dumps(CARD | {"guards": found}))
        assert main(["info", str(tmp_path / "mine.safetensors")]) == 0
        told = capsys.readouterr().out
        assert shown in told
        assert ("guards" in told) is ("X2 0.100 of 0.400 nats at 0.6 %" in told) is (found is not None)
        assert ("3.00e-04 at 0.1 %, up to 2.00e-04" in told) is (shown == "broken: floor")


def test_without_a_model_it_tells_what_is_installed(capsys):
    assert main(["info"]) == 0
    shown = capsys.readouterr().out
    assert "torch 2" in shown
    assert "cores" in shown
    assert all(name in shown for name in names())


@pytest.mark.parametrize("name", names())
def test_shipped_cards_are_shown(name, capsys):
    assert main(["info", name]) == 0
    shown = capsys.readouterr().out
    assert "block error" in shown
    assert str(standing(registry.card(name)))[:30] in shown


def shown_lines(capsys) -> dict[str, str]:
    """What stands behind each title, and behind each name in a table."""
    lines = [line.removeprefix("│").split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    return {line[0]: line[1].strip() for line in lines if len(line) == 2}


@pytest.mark.parametrize("flag", ["--circuit", "--dem"])
def test_a_circuit_of_another_project_is_recognised(flag, tmp_path, capsys):
    file = RELAY
    if flag == "--dem":
        file = tmp_path / "model"
        stim.Circuit.from_file(RELAY).detector_error_model().to_file(file)
    assert main(["info", flag, str(file)]) == 0
    shown = shown_lines(capsys)
    assert shown["code"] == "bb72 [[72, 12, 6]]"
    assert shown["experiment"].startswith("6 rounds, basis Z")
    assert shown["detectors"] == "432 found"
    assert shown["observables"] == "12 sums of the code's own, 10 with detectors"
    # The noise of the final readout is left out there, so that it is a little weaker than its name says.
    assert shown["noise"].startswith("as strong as uniform depolarizing noise of p = 0.296 %, 100 % of it of the kinds")
    learnt = {"bb72": ("1 to 18 rounds", "p = 0.5 %", "0.59"), "local_bb72": ("6 rounds", "p = 0.6 %", "0.49")}
    for model, (rounds, noise, strength) in learnt.items():
        nearest = next(row for row in registry.card(model).measurements if row.p == 0.003)
        for part in (rounds, noise, f"{strength} times that", short(nearest.block_error), "at p = 0.3 %"):
            assert part in shown[model]


def test_what_a_circuit_lacks_and_repeats(tmp_path, capsys):
    """Detectors of one basis alone, the first of them twice."""
    own = circuits.memory(codes.get("surface_d3"), rounds=2, basis="X", noise=circuits.UniformDepolarizing(0.001))
    planes = [place[3] for _, place in sorted(own.get_detector_coordinates().items())]
    changed, detectors = stim.Circuit(), 0
    for instruction in own.flattened():
        copies = 1
        if instruction.name == "DETECTOR":
            copies = 2 if detectors == 0 else 1 - int(planes[detectors])
            detectors += 1
        for _ in range(copies):
            changed.append(instruction)
    changed.to_file(tmp_path / "c.stim")
    assert main(["info", "--circuit", str(tmp_path / "c.stim")]) == 0
    shown = shown_lines(capsys)
    assert shown["experiment"] == "2 rounds, basis X"
    cost = "taken for silent at a cost in accuracy"
    assert shown["detectors"] == f"12 found, 4 missing, {cost}, 1 doubles ignored"
    assert shown["observables"] == "1, the code's own"


def test_a_circuit_without_noise_and_a_code_without_model(tmp_path, capsys):
    circuits.memory(codes.get("bb90"), rounds=1).to_file(tmp_path / "c.stim")
    assert main(["info", "--circuit", str(tmp_path / "c.stim")]) == 0
    captured = capsys.readouterr().out
    assert "bb90 [[90, 8, 10]]" in captured
    assert "1 round, basis Z" in captured
    assert "There is no model of bb90 yet: train one" in captured
    assert next(line for line in captured.splitlines() if line.startswith("noise")).split() == ["noise", "none"]


@pytest.mark.filterwarnings("default::cascade_qec.errors.CascadeWarning")
def test_whether_a_model_fits(tiny_model, tmp_path, capsys):
    own = circuits.memory(codes.get("surface_d3"), rounds=3, noise=circuits.UniformDepolarizing(0.02))
    own.to_file(tmp_path / "c.stim")
    assert main(["info", str(tiny_model), "--circuit", str(tmp_path / "c.stim")]) == 0
    captured = capsys.readouterr()
    assert "surface_d3_untrained" in captured.out
    assert "times that" in captured.out
    assert "no card" in captured.out
    assert captured.err.startswith(
        "Warning: model surface_d3_untrained fits the circuit, but its noise is as strong as"
    )
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("surface_d3", "--circuit", RELAY), "expected the checks of surface_d3, 4 of X and 4 of Z on 9 data qubits"),
        (("bb73", "--circuit", RELAY), "unknown model 'bb73'"),
        (("--circuit", RELAY, "--dem", RELAY), "expected one experiment, got --circuit and --dem"),
        (("--circuit", RELAY.with_name("none.stim")), "none.stim: expected a file to read, found nothing of that name"),
        (("--circuit", RELAY.parent), "expected a file of a Stim circuit, found none"),
        (("--dem", RELAY), "expected a detector error model"),
        (("--circuit", RELAY.with_name("README.md")), "expected a Stim circuit"),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments, message, capsys):
    assert main(["info", *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize("flag", ["--circuit", "--dem"])
def test_standard_input_and_pipes(flag, tmp_path, capsys, monkeypatch):
    circuit = circuits.memory(codes.get("surface_d3"), rounds=2, noise=circuits.UniformDepolarizing(0.003))
    text = str(circuit if flag == "--circuit" else circuit.detector_error_model())
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert main(["info", flag, "-"]) == 0
    shown = capsys.readouterr().out
    assert "2 rounds, basis Z" in shown
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(text,))
    writer.start()
    assert main(["info", flag, str(tmp_path / "pipe")]) == 0
    writer.join()
    assert capsys.readouterr().out == shown


def test_an_error_model_is_no_circuit(tmp_path, capsys):
    (tmp_path / "c.dem").write_text("error(0.1) D0 L0\n")
    assert main(["info", "--circuit", str(tmp_path / "c.dem")]) == 2
    assert "expected a Stim circuit, got a detector error model by the file's ending" in capsys.readouterr().err


def test_zoo_list(capsys):
    assert main(["zoo", "list"]) == 0
    shown = capsys.readouterr().out
    assert "Rung 3 of surface codes: Lambda" in shown
    assert "rung" in shown.splitlines()[2]
    assert all(name in shown for name in names())
