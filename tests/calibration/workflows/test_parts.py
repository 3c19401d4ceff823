"""What workflows are written in: expressions, criteria, TOML; and the log that they leave."""

import sqlite3

import pytest

from cascade_calibration.analysis import Estimate, Verdict
from cascade_calibration.laboratory import Quantity, SimulatedLaboratory
from cascade_calibration.workflows import (
    Criterion,
    Expression,
    Log,
    load_workflow,
    names,
    plan,
    read_log,
    read_workflow,
)
from cascade_qec.errors import CascadeError

SETTINGS = {"f": Quantity(5e9, "Hz"), "t1": Quantity(2e-5, "s"), "n": Quantity(3.0)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5 MHz", Quantity(5e6, "Hz")),
        ("f - 20 MHz + 2 * 1 MHz", Quantity(5e9 - 18e6, "Hz")),
        ("5 / t1", Quantity(2.5e5, "Hz")),
        ("-(n - 5) * t1 / 2", Quantity(2e-5, "s")),
        ("f * t1", Quantity(1e5)),
        ("{T1 of q0} / t1", Quantity(2.0)),
        ("2e3", Quantity(2000.0)),
    ],
)
def test_expressions_compute_with_units(text, value):
    found = Expression(text).value(SETTINGS, {"T1 of q0": Quantity(4e-5, "s")})
    assert (found.value, found.unit) == (pytest.approx(value.value), value.unit)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("f + t1", "same unit"),
        ("f * f", "unit of its own"),
        ("1 / (n - 3)", "not zero"),
        ("1e200 * 1e200", "finite"),
        ("g", "unknown setting parameter 'g'"),
        ("{g}", "unknown measured parameter"),
        ("5 parsec", "a unit after 5"),
        ("__import__('os')", "expected numbers with units"),
        ("(1", "closing bracket"),
        ("1 2", "an operator"),
        ("", "a value"),
        ("(" * 200, "at most 120 characters"),
        ("((" * 55 + "1", "closing bracket"),
    ],
)
def test_other_expressions_are_refused(text, message):
    with pytest.raises(CascadeError, match=message):
        Expression(text).value(SETTINGS, {})


VERDICT = Verdict(
    family="t1",
    status="SUCCESS",
    probability=0.97,
    probabilities={"SUCCESS": 1.0},
    sentences=(),
    next_experiment="",
    parameters={"T1": Estimate(2e-5, 1e-6, 1.8e-5, 2.2e-5, "s"), "bad": Estimate(1.0, 1.0, float("nan"), 2.0, "")},
    evidence={"signal to noise": 12.0},
)


@pytest.mark.parametrize(
    ("text", "met", "excess"),
    [
        ("status NO_SIGNAL or SUCCESS", True, 0),
        ("status NO_SIGNAL", False, 0),
        ("relative uncertainty of T1 <= 0.1", True, 0),
        ("relative uncertainty of T1 <= 0.05", False, 2),
        ("uncertainty of T1 <= 1 us", False, 2),
        ("uncertainty of T1 <= 1", False, 0),
        ("T1 >= t1 / 2", True, 0),
        ("T1 >= 30 us", False, 0),
        ("T2 >= 30 us", False, 0),
        ("uncertainty of bad <= 1", False, 0),
        ("evidence signal to noise >= 5", True, 0),
        ("probability >= 0.99", False, 0),
    ],
)
def test_criteria_are_checked_by_machine(text, met, excess):
    checked = Criterion.of(text).check(VERDICT, SETTINGS)
    assert (checked.met, checked.excess) == (met, pytest.approx(excess))


STEP = '[[steps]]\nname = "a"\nexperiment = "t1"\n'
HEAD = 'name = "w"\n[budget]\nruns = 3\ntime = "1 h"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "expected TOML"),
        (HEAD, "steps"),
        (HEAD + STEP + STEP, "a name of its own"),
        (HEAD + STEP + 'then = "b"', "unknown step 'b'"),
        (HEAD + STEP + 'criteria = ["T1 is good"]', "expected a criterion such as"),
        (HEAD + STEP + "colour = 3", "Extra inputs"),
        (HEAD.replace("1 h", "1 V") + STEP, "expected a time"),
        (HEAD.replace("3", "0") + STEP, "greater than or equal to 1"),
        (HEAD + STEP + 'parameters = { delay = "1 us" }', "step a: unknown parameter of t1 'delay'"),
        (HEAD + STEP + 'parameters = { delay_to = "t9" }', "unknown setting 't9'"),
        (HEAD + STEP + 'parameters = { delay_to = "{T1}" }', "expected settings alone"),
        (HEAD + STEP + 'learns = { t1 = "{T1} + {T2}" }', "one measured parameter at most"),
        (HEAD + STEP + 'on = { BEATING = "a" }', "unknown status of t1 'BEATING'"),
        (HEAD + STEP.replace("t1", "t3"), "unknown experiment 't3'"),
        (HEAD + '[bounds]\nwatts = ["1 V", "2 V"]\n' + STEP, "unknown parameter 'watts'"),
    ],
)
def test_what_is_no_workflow_is_refused(text, message):
    with pytest.raises(CascadeError, match=message):
        read_workflow(text).guarded(SimulatedLaboratory(1))


TUNED = {
    name: Quantity.of(text)
    for name, text in {
        "readout_frequency": "7 GHz",
        "qubit_frequency": "4.7 GHz",
        "pi_amplitude": "0.2 V",
        "t1": "30 us",
        "t2": "40 us",
        "t2_star": "20 us",
        "error_per_clifford": "0.001",
    }.items()
}


@pytest.mark.parametrize("name", names())
def test_a_plan_runs_nothing(name, monkeypatch):
    laboratory = SimulatedLaboratory(1)
    monkeypatch.setattr(laboratory, "run", lambda *_: pytest.fail("it was run"))
    settings = {} if name == "bring_up" else dict.fromkeys(laboratory.targets, TUNED)
    planned = list(plan(load_workflow(name), laboratory, settings))
    assert len(planned) == 2 * len(load_workflow(name).steps)
    assert planned[-1].parameters["pi_amplitude"] == ("as learnt" if name == "bring_up" else "200 mV")
    assert (planned[-1].seconds is None) == (name == "bring_up")
    if planned[0].step == "resonator":
        points = {"frequency_points": 401 if name == "bring_up" else 201, "shots": 500}
        assert planned[0].seconds == laboratory.seconds("resonator", points)


def test_the_log_only_grows(tmp_path):
    log = Log(tmp_path / "log.sqlite")
    for i in range(3):
        log.append("decide", {"i": i, "evidence": {"signal to noise": float("inf")}})
    assert [one.body["i"] for one in read_log(tmp_path)] == [0, 1, 2]
    assert next(log.entries()).body["evidence"] == {"signal to noise": None}
    assert [one.number for one in log.entries(after=2)] == [3]
    log.close()
    with sqlite3.connect(tmp_path / "log.sqlite") as raw:
        for change in ("UPDATE entries SET body = '{}'", "DELETE FROM entries"):
            with pytest.raises(sqlite3.IntegrityError, match="entries are not"):
                raw.execute(change)
        raw.execute("DROP TRIGGER no_change")
        raw.execute("""UPDATE entries SET body = '{"i": 7}' WHERE number = 2""")
    raw.close()
    with pytest.raises(CascadeError, match="entry 2 is not as it was written"):
        read_log(tmp_path)
    (tmp_path / "log.sqlite").write_text("no database, but longer than a header of one has to be, says the library")
    with pytest.raises(CascadeError, match="expected the log of a run"):
        read_log(tmp_path)
