"""Runs of workflows: they reach their criteria or stop with a reason, never leave bounds, and survive kills."""

from collections import Counter

import pytest

from cascade_calibration import Measurement
from cascade_calibration.analysis import Estimate, Range, Verdict
from cascade_calibration.laboratory import Parameter, Quantity, SimulatedLaboratory, open_laboratory
from cascade_calibration.workflows import (
    Log,
    Run,
    elapsed,
    has_begun,
    read_workflow,
    together,
)
from cascade_qec.errors import CascadeError
from workshop.studies.workflow_fuzz import attack
from workshop.studies.workflow_kills import story

TEXT = """
name = "two"
[budget]
runs = 20
time = "1 h"
[bounds]
delay_to = ["1 us", "300 us"]
[[steps]]
name = "t1"
experiment = "t1"
parameters = { delay_to = "100 us", pi_amplitude = "0.1 V", readout_frequency = "7 GHz", qubit_frequency = "4.7 GHz" }
criteria = ["relative uncertainty of T1 <= 0.05"]
learns = { t1 = "{T1}" }
attempts = 4
[[steps]]
name = "echo"
experiment = "echo"
parameters = { delay_to = "2 * t1", pi_amplitude = "0.1 V", readout_frequency = "7 GHz", qubit_frequency = "4.7 GHz" }
learns = { t2 = "{T2}" }
on = { NO_SIGNAL = "t1", OSCILLATING = { pi_amplitude = "pi_amplitude * 2" } }
"""


class Canned:
    """A reader that says what it was told to, one verdict after another, then success."""

    def __init__(self, *verdicts):
        self.verdicts = list(verdicts)

    def __call__(self, measurement, family):
        said = self.verdicts.pop(0) if self.verdicts else verdict("SUCCESS")
        return said(family)


def verdict(status, *ranges, share=0.02):
    def of(family):
        name = {"t1": "T1", "echo": "T2"}[family]
        estimate = Estimate(1e-5, share * 5e-6, 1e-5 * (1 - share), 1e-5 * (1 + share), "s")
        return Verdict(family, status, 1.0, {status: 1.0}, (), "", {name: estimate}, {}, tuple(ranges))

    return of


class Recorded(SimulatedLaboratory):
    """Keeps what it was asked."""

    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        self.asked = []

    def run(self, experiment, target, parameters):
        self.asked.append((experiment, target, dict(parameters)))
        return super().run(experiment, target, parameters)


def run_through(*verdicts, text=TEXT, qubits=1):
    laboratory = Recorded(1, qubits=qubits)
    with Run.begin(read_workflow(text), laboratory, None, diagnose=Canned(*verdicts)) as run:
        return run.finish(), laboratory.asked


def test_a_suggested_range_is_tried_within_bounds():
    wide = Range("delay", 0.0, 1e-2, "s", 1000)
    state, asked = run_through(verdict("WINDOW_TOO_SHORT", wide))
    assert [parameters["delay_to"] for _, _, parameters in asked] == pytest.approx([1e-4, 3e-4, 2e-5])
    assert asked[1][2]["delay_points"] == 601
    assert state.targets["q0"].reason == "done"
    assert state.results["q0", "t1"].run == 2


def test_more_shots_where_only_an_uncertainty_is_too_large():
    state, asked = run_through(verdict("SUCCESS", share=0.1))
    assert [parameters["shots"] for _, _, parameters in asked] == [500, 2600, 500]
    assert state.targets["q0"].reason == "done"


def test_statuses_lead_back_or_change_parameters():
    good = verdict("SUCCESS")
    _, asked = run_through(good, verdict("NO_SIGNAL"), good, verdict("OSCILLATING"))
    assert [name for name, _, _ in asked] == ["t1", "echo", "t1", "echo", "echo"]
    assert [parameters["pi_amplitude"] for _, _, parameters in asked] == [0.1] * 4 + [0.2]


SHORT = verdict("WINDOW_TOO_SHORT", Range("delay", 0.0, 2e-4, "s", 61))
LONG = verdict("WINDOW_TOO_SHORT", Range("delay", 0.0, 1e-4, "s", 61))


@pytest.mark.parametrize(
    ("verdicts", "text", "reason", "said", "runs"),
    [
        ([SHORT, LONG, SHORT, LONG], TEXT, "attempts", "in 4 attempts", 4),
        ([SHORT, SHORT], TEXT, "no way on", "nothing else to try", 2),
        ([verdict("NO_SIGNAL")], TEXT, "no way on", "found NO_SIGNAL", 1),
        ([], TEXT.replace("2 * t1", "200 * t1"), "out of bounds", "echo: delay_to: expected a value from 1 us", 1),
        ([], TEXT.replace("runs = 20", "runs = 1"), "budget of runs", "echo would take", 1),
        ([], TEXT.replace('"1 h"', '"15 s"'), "budget of time", "echo would take 9.7", 1),
        ([], TEXT.replace('"100 us", p', '"100 us", delay_points = "8", p'), "unreadable", "expected", 0),
    ],
)
def test_a_run_stops_with_a_reason(verdicts, text, reason, said, runs, monkeypatch):
    if reason == "unreadable":

        def refuse(measurement, family):
            raise CascadeError("expected more points")

        with Run.begin(read_workflow(text), Recorded(1, qubits=1), None, diagnose=refuse) as run:
            target = run.finish().targets["q0"]
    else:
        state, asked = run_through(*verdicts, text=text)
        target = state.targets["q0"]
        assert len(asked) == runs
    assert target.reason == reason
    assert said in target.text


def test_a_target_that_is_given_up_does_not_stop_the_others():
    state, _ = run_through(verdict("NO_SIGNAL"), qubits=2)
    assert [one.reason for one in state.targets.values()] == ["no way on", "done"]


def test_a_laboratory_that_fails_is_a_reason(monkeypatch):
    laboratory = Recorded(1)

    def fail(*_):
        raise CascadeError("the fridge is warm")

    monkeypatch.setattr(laboratory, "run", fail)
    with Run.begin(read_workflow(TEXT), laboratory, None) as run:
        state = run.finish()
    assert {(one.reason, one.text) for one in state.targets.values()} == {("laboratory", "t1: the fridge is warm")}


def test_a_person_may_change_a_proposal_within_bounds_and_stop():
    laboratory = Recorded(1)
    with Run.begin(read_workflow(TEXT), laboratory, None, diagnose=Canned()) as run:
        with pytest.raises(CascadeError, match="delay_to: expected a value from 1 us to 300 us"):
            run.advance({"delay_to": "400 us"}, by="ada")
        assert not laboratory.asked
        assert run.advance({"delay_to": "250 us"}, by="ada").action == "accept"
        assert laboratory.asked[0][2]["delay_to"] == 2.5e-4
        run.stop("lunch", by="ada")
        assert run.proposal is None
        assert {(one.reason, one.text) for one in run.state.targets.values()} == {("stopped", "lunch (ada)")}
        with pytest.raises(CascadeError, match="has ended"):
            run.advance()


def judged(measurement, family):
    """Delays of less than 50 us are too short; each time the same."""
    if measurement.dataset["delay"].max() < 5e-5:
        return verdict("WINDOW_TOO_SHORT", Range("delay", 0.0, 1e-4, "s", 61))(family)
    return verdict("SUCCESS")(family)


class Killed(BaseException):
    """No code of ours catches it."""


def test_a_run_that_is_killed_anywhere_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    """Before and after each entry, each file and each run of the laboratory."""
    left = 10**6

    def mortal(does):
        def do(*given, **more):
            nonlocal left
            for before in (True, False):
                left -= 1
                if left == 0:
                    raise Killed
                if before:
                    found = does(*given, **more)
            return found

        return do

    for owner, name in ((Log, "append"), (Measurement, "save"), (SimulatedLaboratory, "run")):
        monkeypatch.setattr(owner, name, mortal(getattr(owner, name)))

    def live(folder):
        if has_begun(folder):
            laboratory = open_laboratory("simulated:1?qubits=1", elapsed=elapsed(folder))
            run = Run.resume(folder, laboratory, diagnose=judged)
        else:
            laboratory = open_laboratory("simulated:1?qubits=1")
            text = TEXT.replace('"100 us"', '"20 us"').partition('[[steps]]\nname = "echo"')[0]
            run = Run.begin(read_workflow(text), laboratory, folder, diagnose=judged)
        with run:
            run.finish()

    live(tmp_path / "whole")
    whole, moments = story(tmp_path / "whole"), 10**6 - left
    assert [kind for kind, _ in whole] == ["begin", *["propose", "measure", "decide"] * 2, "end"]
    for moment in range(1, moments + 1):
        folder, left = tmp_path / f"{moment}", moment
        with pytest.raises(Killed):
            live(folder)
        live(folder)
        assert story(folder) == whole, moment


def test_a_run_belongs_to_its_laboratory_and_to_one_process(tmp_path):
    folder = tmp_path / "run"
    with Run.begin(read_workflow(TEXT), SimulatedLaboratory(1), folder, diagnose=Canned()) as run:
        with pytest.raises(CascadeError, match="nobody works on"):
            Run.resume(folder, SimulatedLaboratory(1))
        run.finish()
    with pytest.raises(CascadeError, match="expected the laboratory simulated:1, got simulated:2"):
        Run.resume(folder, SimulatedLaboratory(2))
    with pytest.raises(CascadeError, match="found a run that has begun"):
        Run.begin(read_workflow(TEXT), SimulatedLaboratory(1), folder)
    with Run.resume(folder, SimulatedLaboratory(1)) as run:
        assert run.proposal is None
        assert {one.reason for one in run.state.targets.values()} == {"done"}
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(CascadeError, match="found thesis"):
        Run.begin(read_workflow(TEXT), SimulatedLaboratory(1), tmp_path / "full")


def test_intervals_that_hold_together_are_wider(tmp_path):
    state, _ = run_through(qubits=2)
    wide = together(state.results)
    assert len(wide) == 4
    for key, one in state.results.items():
        # of four, at 1 - 0.01 / 4 each: 3.023 standard deviations for 1.960
        assert (one.value - wide[key].low) / (one.value - one.low) == pytest.approx(3.023 / 1.960, rel=1e-3)


def test_nothing_out_of_bounds_reaches_a_laboratory():
    """Workflows, verdicts and people as hostile as they can be; the workshop's study has 100,000."""
    told = sum((attack(seed) for seed in range(300)), Counter())
    assert told["runs"] > 100
    assert told["refused"] > 50
    assert told["changes_refused"] > 10
    assert told["violations"] == 0


def test_the_witness_would_see_it(monkeypatch):
    """With the house's checks of bounds off, hostile values arrive."""
    monkeypatch.setattr(Parameter, "check", lambda self, given: Quantity.of(given))
    assert any(attack(seed)["violations"] for seed in range(60))
