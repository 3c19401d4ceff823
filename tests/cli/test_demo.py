"""The demonstration with stand-ins for the models."""

import sys

import pytest
import stim

import cascade_qec
from cascade_qec import circuits, codes
from cascade_qec.cli import main
from cascade_qec.decoders import classical
from cascade_qec.decoders.protocol import BoundDecoder
from cascade_qec.evaluation import Row, demonstration
from cascade_qec.tables import read_rows


class StandIn:
    """Matching that has the methods of a loaded model."""

    def __init__(self, code: str) -> None:
        self.name = code

    def experiment(self, p: float, *, rounds: int, basis: str) -> stim.Circuit:
        noise = circuits.UniformDepolarizing(p)
        return circuits.memory(codes.get(self.name), rounds=rounds, basis=basis, noise=noise)

    def bind(self, experiment: stim.Circuit) -> BoundDecoder:
        return classical.get("pymatching-filtered").bind(experiment)


@pytest.fixture
def stand_ins(monkeypatch):
    # `load` is looked up on first use, so there may be nothing to replace yet.
    monkeypatch.setitem(vars(cascade_qec), "load", StandIn)
    # BP+OSD takes seconds for bb72 whatever the limit; it is left to the real demonstration.
    surface = {code: shares for code, shares in demonstration.SHARES.items() if code != "bb72"}
    monkeypatch.setattr(demonstration, "SHARES", surface)


@pytest.mark.slow
def test_table_and_picture(stand_ins, tmp_path, capsys):
    out = tmp_path / "new" / "demo"
    assert main(["demo", "--out", str(out), "--seconds", "1.5", "--seed", "3"]) == 0
    rows = read_rows(out / "rates.csv", Row)
    assert [(row.code, row.p, row.decoder) for row in rows] == [
        (code, p, decoder)
        for code in ("surface_d3", "surface_d5")
        for p in (0.002, 0.003, 0.005)
        for decoder in ("cascade", "pymatching", "pymatching-correlated")
    ]
    assert {(row.code, row.rounds, row.bases) for row in rows} == {
        ("surface_d3", 3, "XZ"),
        ("surface_d5", 5, "XZ"),
    }
    assert (out / "rates.png").read_bytes().startswith(b"\x89PNG")
    captured = capsys.readouterr()
    assert str(out / "rates.png") in captured.out
    for row in rows:
        assert f"{row.failures:,} / {row.shots:,}" in captured.out
    assert "demo, percent: 100 of 100" in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seconds", "0"], "'--seconds'"),
        (["--seed", "-1"], "'--seed'"),
        (["--out", __file__], "expected a directory"),
    ],
)
def test_bad_input_exits_with_2(arguments, message, capsys):
    assert main(["demo", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_decoders_whose_package_is_missing_are_left_out(monkeypatch):
    seen: dict[str, set[str]] = {}

    def compare(experiment, decoders, *, seconds, **options):
        assert decoders.keys() == seconds.keys()
        seen.setdefault(experiment.code, set()).update(decoders)
        return []

    monkeypatch.setattr(demonstration, "compare", compare)
    monkeypatch.setitem(sys.modules, "stimbposd", None)
    models, told = {code: StandIn(code) for code in demonstration.SHARES}, []
    assert demonstration.demonstrate(models, seconds=1.0, seed=0, skipped=told.append) == []
    assert seen["bb72"] == {"cascade"}
    assert seen["surface_d3"] == {"cascade", "pymatching", "pymatching-correlated"}
    assert len(told) == 2
    assert all("cascade-qec[classical]" in line for line in told)
