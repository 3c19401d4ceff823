"""``cascade info`` and ``cascade zoo list``."""

import json

import pytest

from cascade_qec.cli import main
from cascade_qec.zoo import names

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
    for part in ("0.3 %", "1,000 / 200,000", "5.00e-03 [4.7e-03, 5.3e-03]", "1.68e-03", '"batch": 512'):
        assert part in shown


def test_without_a_model_it_tells_what_is_installed(capsys):
    assert main(["info"]) == 0
    shown = capsys.readouterr().out
    assert "torch 2" in shown
    assert "cores" in shown
    assert all(name in shown for name in names())


@pytest.mark.parametrize("name", names())
def test_shipped_cards_are_shown(name, capsys):
    assert main(["info", name]) == 0
    assert "block error" in capsys.readouterr().out


def test_zoo_list(capsys):
    assert main(["zoo", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in names())
