"""What of docs/results.md is of older weights, and how it is measured anew."""

import subprocess

import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.zoo import registry
from workshop.measuring import measurements, running
from workshop.measuring.measurements import Measurement, made, older


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """Two measurements of weights that are a file, in a checkout of their own."""
    for module in (measurements, running):
        monkeypatch.setattr(module, "CHECKOUT", tmp_path, raising=False)
    monkeypatch.setattr(measurements, "RESULTS", tmp_path)
    monkeypatch.setattr(measurements, "MADE", tmp_path / "made.csv")
    monkeypatch.setattr(registry, "path", lambda name: tmp_path / name)
    (tmp_path / "net").write_text("first")
    first = Measurement(name="first", models=["net"], clear=["table*"], command="echo row >> table")
    second = Measurement(name="second", models=["net"], clear=["other"], command="echo row >> other; sleep 100")
    monkeypatch.setattr(measurements, "measurements", lambda: [first, second])
    return first, second


def test_what_is_of_older_weights_is_made_anew(listed, tmp_path):
    first, second = listed
    assert older() == [first, second]
    assert running.measure(first, 60)
    assert older() == [second]
    (tmp_path / "net").write_text("second")
    assert older() == [first, second]
    assert running.measure(first, 60)
    assert (tmp_path / "table").read_text() == "row\n"  # the old one is gone


def test_what_is_cut_short_goes_on(listed, tmp_path):
    second = listed[1]
    for rows in (1, 2):
        assert not running.measure(second, 0.5)
        assert second in older()
        assert (tmp_path / "other").read_text() == "row\n" * rows
    assert not made()["second"].ended
    assert made()["second"].seconds >= 1  # of both times
    (tmp_path / "net").write_text("second")
    assert not running.measure(second, 0.5)
    assert (tmp_path / "other").read_text() == "row\n"


def test_a_command_that_fails_is_named(listed):
    broken = listed[0].model_copy(update={"command": "exit 3"})
    with pytest.raises(CascadeError, match="first: expected exit status 0, got 3 of exit 3"):
        running.measure(broken, 60)


def test_the_list_is_of_models_and_commands_that_there_are():
    known = measurements.measurements()
    assert len({each.name for each in known}) == len(known)
    for each in known:
        assert each.weights()
        subprocess.run(["bash", "-n", "-c", each.command], check=True)
