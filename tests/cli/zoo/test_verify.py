"""`cascade zoo verify`: exit status and tables. False alarms have probability 1e-6 here."""

import json
from pathlib import Path

import pytest

from cascade_qec import zoo
from cascade_qec.cli import main
from cascade_qec.guards import Guards
from cascade_qec.statistics import per_logical_per_cycle, wilson


def _verify(model: Path, *flags: str) -> int:
    return main(["zoo", "verify", str(model), "--false_alarm", "1e-6", "--device", "cpu", *flags])


def _edit(model: Path, **changes: object) -> dict:
    file = model.with_suffix(".json")
    card = json.loads(file.read_text())
    file.write_text(json.dumps(card | changes))
    return card


def test_a_true_card(measured_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Guards, "broken", [])  # untrained weights keep none
    assert _verify(measured_model, "--rivals", "--p", "0.01", "--seed", "5") == 0
    captured = capsys.readouterr()
    shown = captured.out
    for part in ("parameters", "pymatching", "Seed 5.", "with probability 1e-06 at most", "holds: 2 of 2 rows checked"):
        assert part in shown
    assert "does not hold" not in shown
    assert "verifying, percent: 100 of 100" in captured.err


def test_guards_are_tried_on_the_weights(measured_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _edit(measured_model, guards=json.loads(zoo.path("surface_d3").with_suffix(".json").read_text())["guards"])
    assert _verify(measured_model, "--p", "0.01", "--seed", "5") == 1
    shown = capsys.readouterr().out
    assert "Guards of surface_d3_untrained: broken: heads" in shown
    assert "holds: 1 of 1 rows checked" not in shown


def test_half_the_failures(measured_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = json.loads(measured_model.with_suffix(".json").read_text())["measurements"][1]
    # With the interval of its counts, so that only new shots can tell.
    half = row["failures"] // 2
    rate = wilson(half, row["shots"])
    cycle = per_logical_per_cycle(rate, k=1, rounds=3).value
    figures = {"failures": half, "block_error": rate.value, "low": rate.low, "high": rate.high}
    _edit(measured_model, measurements=[row | figures | {"per_logical_per_cycle": cycle}])
    assert _verify(measured_model) == 1
    shown = capsys.readouterr().out
    assert f"{half:,} / {row['shots']:,}" in shown
    assert "does not hold: 1 of 1 rows." in shown


@pytest.mark.parametrize(
    ("changes", "subject"),
    [({"parameters": 7}, "parameters"), ({"code": "surface_d5"}, "code"), ({"name": "x"}, "name")],
)
def test_a_card_of_other_weights(
    changes: dict, subject: str, measured_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _edit(measured_model, **changes)
    assert _verify(measured_model) == 1
    shown = capsys.readouterr().out
    assert f"does not hold: {subject}. Its figures were not recomputed." in shown


def test_too_little_time_is_no_success(measured_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _verify(measured_model, "--minutes", "1e-9") == 2
    captured = capsys.readouterr()
    assert captured.out.count("not checked") == 2
    assert "expected to check a row" in captured.err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--p", "0.5"), "expected a noise rate that its card has"),
        (("--minutes", "0"), "expected --minutes above 0"),
        (("--minutes", "nan"), "Invalid value for '--minutes'"),
        (("--false_alarm", "2"), "--false_alarm between 0 and 1, got 5 and 2"),
    ],
)
def test_bad_input(
    flags: tuple[str, ...], message: str, measured_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _verify(measured_model, *flags) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.out == ""


def test_a_model_without_card(tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _verify(tiny_model) == 2
    assert "expected the model's card" in capsys.readouterr().err
