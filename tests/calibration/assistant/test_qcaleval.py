"""QCalEval: how answers are scored, and a run that goes on where it was."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cascade_calibration.assistant import NoAnswer
from cascade_calibration.assistant.qcaleval import Sample, load, scoring
from cascade_calibration.assistant.qcaleval.samples import Tolerance
from cascade_qec.cli import main
from cascade_qec.errors import CascadeError
from tests.calibration.assistant.conftest import Played, openai_reply

PUBLIC = Path(__file__).parents[4] / "shared/qcaleval"
"""Samples of QCalEval's authors, beside the checkout where somebody put them."""

AXES = {"x_axis": {"label": "t", "scale": "linear"}, "y_axis": {"label": "P", "scale": "log"}}
Q1 = {"plot_type": "scatter", **AXES, "main_features": "A decay."}
ANSWERS = {
    "q1": json.dumps(Q1),
    "q2": "Classification: Expected behavior\nReason: it decays.",
    "q3": "It decays.",
    "q4": "Assessment: Reliable\nReason: it fits.",
    "q5": '{"T1_us": 48.2, "decay_visible": true}',
    "q6": "Status: SUCCESS\nSuggested range: N/A\nNotes: none.",
}


def sample(number: int = 0, **changes: Any) -> dict[str, Any]:
    prompts = {f"{name}_prompt": f"Question {name} about <image>." for name in ANSWERS}
    answers = {f"{name}_answer": text for name, text in ANSWERS.items()}
    return {"id": f"t1_{number}", "experiment_type": "t1_success", "image": "a.png", **prompts, **answers, **changes}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "samples"
    (made / "t1").mkdir(parents=True)
    (made / "t1" / "a.png").write_bytes(b"\x89PNG")
    points = {"q1_key_points": ["decays"], "q3_key_points": ["decays", "T1", "go on"]}
    (made / "metadata.json").write_text(json.dumps({"t1": [sample(0, **points), sample(1, **points)]}))
    return made


def scored(question: str, answer: str, **changes: Any) -> float | None:
    return scoring.score(Sample(**sample(**changes)), question, answer)


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (json.dumps(Q1), 1),
        (f"Here:\n```json\n{json.dumps(Q1)}\n```\nDone.", 1),
        (f"I see {json.dumps(Q1)} there", 1),
        (json.dumps(Q1 | {"plot_type": "Scatter ", "x_axis": "t"}), 2 / 3),
        (json.dumps([Q1, Q1]), 1 / 2),  # a picture too many
        ("A decay.", 0),
        ("[" * 10_000, 0),
        ("", 0),
    ],
)
def test_question_1_counts_its_fields(answer: str, value: float) -> None:
    assert scored("Q1", answer) == pytest.approx(value)


def test_question_1_about_two_pictures() -> None:
    both = json.dumps([Q1, Q1 | {"plot_type": "line"}])
    assert scored("Q1", json.dumps(Q1), q1_answer=both) == pytest.approx(1 / 2)
    assert scored("Q1", json.dumps([Q1, Q1]), q1_answer=both) == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    ("question", "answer", "value"),
    [
        ("Q2", "Classification: **Expected behavior**.\nReason: ...", 1),
        ("Q2", "classification: expected behavior", 1),
        ("Q2", "Classification: Apparatus issue\nReason: not expected behavior", 0),
        ("Q2", "Expected behavior", 0),  # the form is a part of the question
        ("Q4", "Assessment: Unreliable", 0),
        ("Q4", "**Assessment:** Reliable", 1),
        ("Q4", "Assessment: No fit", 0),
        ("Q6", "Status: **SUCCESS**", 1),
        ("Q6", "success", 1),
        ("Q6", "I would say SUCCESS here", 1),
        ("Q6", "Status: NO_SIGNAL\nNotes: no SUCCESS", 0),
        ("Q6", "Status: OK", 0),
        ("Q3", "It decays.", None),
    ],
)
def test_choices_are_right_or_wrong(question: str, answer: str, value: float | None) -> None:
    assert scored(question, answer) == value


def test_two_statuses_pass_for_each_other_and_one_is_called_classification() -> None:
    assert scored("Q6", "Status: SAMPLING_TOO_COARSE", q6_answer="Status: TOO_MANY_OSC") == 1
    assert scored("Q6", "Status: TOO_FEW_OSC", q6_answer="Status: TOO_MANY_OSC") == 0
    assert scored("Q6", "Classification: NO_EVENT", q6_answer="Classification: NO_EVENT\nNotes: EVENT") == 1


PCT = Tolerance(type="pct", tol_full=0.05, tol_half=0.1)


@pytest.mark.parametrize(
    ("given", "right", "tolerance", "value"),
    [
        (50.0, 48.2, PCT, 1),
        ("50", 48.2, PCT, 1),
        (52.0, 48.2, PCT, 0.5),
        (60, 48.2, PCT, 0),
        (0.001, 0.0, PCT, 1),
        (float("nan"), 48.2, PCT, 0),
        (10**400, 48.2, PCT, 0),
        ([48.2], 48.2, PCT, 0),
        (None, 48.2, PCT, 0),
        (None, "Unreliable", PCT, 1),
        ("unreliable", None, PCT, 1),
        (48.2, "Unreliable", PCT, 0),
        ("true", True, Tolerance(type="bool"), 1),
        (1, True, Tolerance(type="bool"), 1),
        (2, True, Tolerance(type="bool"), 0),
        (" Dip", "dip", Tolerance(type="enum"), 1),
        (7, 8, Tolerance(type="int_count", tol_full=0, tol_half=1), 0.5),
        ([1, 2, 3], [1, 2], Tolerance(type="count_float", tol_full=0.5, tol_half=1), 2 / 3),
        ([1.0, 9.0], [1.0, 2.0], Tolerance(type="coord_list", tol_full=0.5, tol_half=1), 0.5),
        ([1.0], [1.0, 2.0], Tolerance(type="coord_list", tol_full=0.5, tol_half=1), 0),
        ([2, 9], [2, 5, 30], Tolerance(type="array_int_match", tol_full=1), 0.4),
        ([], [], Tolerance(type="array_int_match", tol_full=1), 1),
        ([180.0], [175.0, 20.0], Tolerance(type="array_float_match", tol_full=0.1), 0.5),
        ([180.0], [], Tolerance(type="array_float_match", tol_full=0.1), 1),
        (3, 3, Tolerance(type="of tomorrow"), 0),
    ],
)
def test_fields_of_question_5(given: Any, right: Any, tolerance: Tolerance, value: float) -> None:
    assert scoring.field(given, right, tolerance) == pytest.approx(value)


def test_question_5_is_the_mean_over_fields() -> None:
    assert scored("Q5", '{"T1_us": 50.1, "decay_visible": false}') == 0.5
    assert scored("Q5", '{"T1_us": 50.1}', q5_scoring={"T1_us": PCT}) == 1
    assert scored("Q5", "[1]") == 0
    sites = json.dumps([{"f": 1.0}, {"f": 2.0}])
    assert scored("Q5", json.dumps([{"f": 1.0}]), q5_answer=sites) == 0.5


def test_references_score_all(folder: Path) -> None:
    check_references(folder)


def test_references_of_the_public_samples_score_all() -> None:
    if not PUBLIC.exists():
        pytest.skip(f"this wants the public samples of QCalEval in {PUBLIC}")
    check_references(PUBLIC)


def check_references(folder: Path) -> None:
    for one in load(folder):
        assert one.pictures()[0].startswith(b"\x89PNG")
        for question in one.questions():
            expected = {"Q3": [None], "Q1": [1.0, 1 / 3]}.get(question, [1.0])  # pictures of cameras have no scales
            assert scoring.score(one, question, one.references[question]) in expected, (one.id, question)


def test_tolerances_of_the_data_set_are_used(folder: Path) -> None:
    exact = {"t1": {"q5_scoring": {"T1_us": {"type": "abs", "tol_full": 0.1, "tol_half": 0.2}}}}
    (folder / "experiment_config.json").write_text(json.dumps(exact))
    first, _ = load(folder)
    assert scoring.score(first, "Q5", '{"T1_us": 48.35}') == 0.5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "found 0"),
        ({"t1": [sample(), sample()]}, "id of its own"),
        ({"t1": [{"image": "a.png"}]}, "t1.0.id: Field required"),
        ([], "should be an object"),
    ],
)
def test_samples_of_another_layout(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(CascadeError, match="expected samples with a metadata"):
        load(tmp_path)
    (tmp_path / "metadata.json").write_text(json.dumps(content))
    with pytest.raises(CascadeError, match=message):
        load(tmp_path)


def test_pictures_are_in_the_folder_alone(folder: Path) -> None:
    (folder / "secret").write_text("mine")
    for name in ("../secret", str(folder / "secret"), "none.png", ""):
        one = load(folder)[0].model_copy(update={"image": name})
        with pytest.raises(CascadeError, match="expected the file"):
            one.pictures()


def reply(body: dict[str, Any]) -> dict[str, Any]:
    """A model that is right but for question 5, cannot answer question 2, and as a judge meets half of the points."""
    if "response_format" in body:
        told = json.loads(body["messages"][-1]["content"][0]["text"])
        return openai_reply(json.dumps({"marks": [0.5] * len(told["points"])}))
    question = body["messages"][-1]["content"][-1]["text"].split()[1]
    if question == "q2":
        return openai_reply(None, refusal="No.")
    return openai_reply({"q5": '{"T1_us": 47.0}'}.get(question, ANSWERS[question]))


def answering(played: Played, most: int = 10**6) -> Callable[[Any], None]:
    def answer(handler: Any) -> None:
        known = len(played.asked) <= most
        content = json.dumps(reply(played.asked[-1][2])).encode() if known else b"{}"
        handler.send_response(200 if known else 400)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def test_a_run_is_scored_and_goes_on(
    played: Played, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "answers.jsonl"
    asked = ["calibration", "bench", "qcaleval", str(folder), "--model", "local:any", "--address", played.address]
    asked += ["--judge", "local:judge", "--judge_address", played.address, "--out", str(out), "--workers", "1"]
    played.answer(answering(played, most=7))
    assert main(asked) == 2  # the server fails: what is there stays
    assert re.search("no answer from http://.*, status 400", capsys.readouterr().err)
    kept = out.read_text().splitlines()
    assert 3 < len(kept) < 9
    out.write_text(out.read_text() + '{"sample": "t1_1", "ques')  # and was killed while writing
    played.answer(answering(played))
    assert main(asked) == 0
    assert len(out.read_text().splitlines()) == 13
    assert out.read_text().startswith("\n".join(kept))
    sent = [body for _, _, body in played.asked if "response_format" not in body]
    assert len(sent) == 13 - len(kept)
    assert all([part["type"] for part in body["messages"][0]["content"]] == ["image_url", "text"] for body in sent)
    assert all(body["temperature"] == 0 for body in sent)
    rows = {
        (row["family"], row["question"]): row
        for row in csv.DictReader((tmp_path / "answers.csv").read_text().splitlines())
    }
    values = {name: float(row["score"]) for (family, name), row in rows.items() if family == "all"}
    expected = {"Q1": 75, "Q1 fields": 100, "Q2": 0, "Q3": 50, "Q4": 100, "Q5": 50, "Q6": 100}
    assert values == expected | {"mean": pytest.approx(375 / 6, abs=0.01)}
    assert rows["t1", "Q2"]["unanswered"] == "2"
    assert float(rows["all", "Q5"]["score_low"]) < 50 < float(rows["all", "Q5"]["score_high"])
    assert main([*asked[:5], "local:another", *asked[6:]]) == 2
    assert "name another file" in capsys.readouterr().err


def test_numbers_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "drawn", tmp_path / "numbers.jsonl"
    assert main(["calibration", "bench", "questions", str(folder), "--families", "t1"]) == 0
    assert "Samples: 4" in capsys.readouterr().out
    assert [one.questions() for one in load(folder)] == [["Q5", "Q6"], ["Q6"], ["Q6"], ["Q6"]]
    asked = ["calibration", "bench", "qcaleval", str(folder), "--model", "analysers", "--out", str(out)]
    assert main(asked) == 0
    rows = list(csv.DictReader((tmp_path / "numbers.csv").read_text().splitlines()))
    assert {(row["family"], row["question"], row["of"]) for row in rows} == {
        (family, question, of) for family in ("all", "t1") for question, of in (("Q5", "1"), ("Q6", "4"))
    }
    assert all(float(row["score"]) >= 75 for row in rows)  # by these seeds


def test_numbers_need_their_data(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "answers.jsonl")
    assert main(["calibration", "bench", "qcaleval", str(folder), "--model", "analysers", "--out", out]) == 2
    assert "with the data beside it" in capsys.readouterr().err
    assert main(["calibration", "bench", "qcaleval", str(folder), "--model", "analysers", "--out", "x.csv"]) == 2
    assert "x.jsonl" in capsys.readouterr().err


def test_a_judge_that_gives_no_marks_is_asked_again(folder: Path, tmp_path: Path) -> None:
    from cascade_calibration.assistant.qcaleval import about, run

    class Judge:
        name = "test:judge"

        def say(self, instructions: str, question: Any) -> str:
            return ""

        def ask(self, instructions: str, question: Any, form: Any) -> Any:
            raise NoAnswer("test:judge: expected an answer, got none")

    said = {name.upper(): text for name, text in ANSWERS.items()}
    asked: list[str] = []

    def answers(one: Sample, question: str) -> str:
        asked.append(question)
        return said[question]

    what = about(folder, "test:any", "test:judge")
    for _ in range(2):
        done = run(load(folder), answers, tmp_path / "answers.jsonl", what, judge=Judge())
        assert sorted(one.question for one in done) == sorted(["Q2", "Q4", "Q5", "Q6"] * 2)
    assert len(asked) == 12 + 4
