"""The page of a workflow at work: what its server answers, whom it refuses, and what a person can decide."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn

from cascade_calibration import analysis, bench, simulation
from cascade_calibration.laboratory import SimulatedLaboratory
from cascade_calibration.page import Desk, application
from cascade_calibration.page.desk import _picture
from cascade_calibration.page.server import _json
from cascade_calibration.workflows import Run, load_workflow, read_log, read_workflow
from cascade_qec.cli import main
from cascade_qec.errors import CascadeError
from tests.calibration.assistant.test_explaining import Replies, answer

TOKEN = "a-token-of-tests"
SHORT = """
name = "short"
budget = { runs = 10, time = "1 h" }
bounds = { shots = ["100", "5000"] }
[[steps]]
name = "resonator"
experiment = "resonator"
criteria = ["uncertainty of f_r <= 200 kHz"]
learns = { readout_frequency = "{f_r}" }
[steps.parameters]
frequency_from = "designed_readout_frequency - 12 MHz"
frequency_to = "designed_readout_frequency + 12 MHz"
[[steps]]
name = "again"
experiment = "resonator"
parameters = { frequency_from = "readout_frequency - 5 MHz", frequency_to = "readout_frequency + 5 MHz" }
"""


class Page:
    """A server of a desk, and a client of it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(application(desk, TOKEN, self.port), log_level="warning", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self.desk.close()

    def ask(self, path: str, body: Any = None, **headers: str | None) -> tuple[int, Any, dict[str, str]]:
        shown: dict[str, str | None] = {"Authorization": f"Bearer {TOKEN}"}
        if body is not None:
            shown["Content-Type"] = "application/json"
        shown |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {name: value for name, value in shown.items() if value is not None}
        connection.request("GET" if body is None else "POST", path, content, sent)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, json.loads(text) if found["content-type"] == "application/json" else text.decode(), found

    def idle(self) -> dict[str, Any]:
        """What is shown once nothing is at work."""
        while (state := self.ask("/api/state")[1])["busy"]:
            time.sleep(0.02)
        return state


def begun(folder: Path, workflow: str = SHORT, model: Any = None) -> Desk:
    loaded = read_workflow(workflow)
    laboratory = SimulatedLaboratory(7, qubits=1)
    return Desk(lambda diagnose: Run.begin(loaded, laboratory, folder, diagnose=diagnose), model)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    page = Page(begun(tmp_path_factory.mktemp("page") / "run"))
    yield page
    page.close()


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/state", {"Authorization": None}, 401),
        ("/api/state", {"Authorization": "Bearer another"}, 401),
        ("/api/state?token=" + TOKEN, {"Authorization": None}, 401),
        ("/api/events", {"Authorization": None}, 401),
        ("/api/state", {"Host": "evil.example"}, 421),
        ("/", {"Host": "evil.example:80"}, 421),
        ("/api/state", {"Origin": "http://evil.example"}, 403),
        ("/api/state", {"Origin": "null"}, 403),
        ("/docs", {}, 404),
        ("/openapi.json", {}, 404),
        ("/../server.py", {}, 404),
        ("/api/runs/7", {}, 409),
        ("/api/runs/-1", {}, 422),
        ("/api/runs/" + "9" * 5000, {}, 422),
        ("/api/log?after=x", {}, 422),
    ],
)
def test_whoever_has_no_business_here_is_refused(page: Page, path: str, headers: dict, status: int) -> None:
    assert page.ask(path, **headers)[0] == status


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("approve", {"run": 1}, {"Authorization": None}, 401),
        ("approve", {"run": 1}, {"Origin": "http://evil.example"}, 403),
        ("approve", b"run=1", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ("approve", b'{"run": 1}', {"Content_Type": "text/plain"}, 415),
        ("approve", b" " * 70_000, {}, 413),
        ("approve", b"{", {}, 422),
        ("approve", {"run": "1"}, {}, 422),
        ("approve", {"run": 1, "by": "somebody"}, {}, 422),
        ("approve", {"run": 1, "parameters": {"shots": 100}}, {}, 422),
        ("approve", {"run": 2}, {}, 409),
        ("approve", {"run": 1, "parameters": {"shots": "5001"}}, {}, 409),
        ("approve", {"run": 1, "parameters": {"frequency_from": "5.9 GHz"}}, {}, 409),
        ("approve", {"run": 1, "parameters": {"power": "1"}}, {}, 409),
        ("explain", {"run": 1}, {}, 409),
        ("stop", {"now": True}, {}, 422),
    ],
)
def test_what_cannot_be_decided_changes_nothing(page: Page, path: str, body: Any, headers: dict, status: int) -> None:
    assert page.ask(f"/api/{path}", body, **headers)[0] == status
    state = page.ask("/api/state")[1]
    assert (state["spent"]["runs"], state["proposal"]["run"], state["busy"]) == (0, 1, "")


def test_the_page_itself_is_closed_to_others(page: Page) -> None:
    for path, kind in (("/", "text/html"), ("/page.js", "text/javascript"), ("/page.css", "text/css")):
        status, content, headers = page.ask(path, Authorization=None)
        assert status == 200
        assert headers["content-type"].startswith(kind)
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
        assert TOKEN not in content
        assert "innerHTML" not in content
    assert page.ask("/api/state", Origin=f"http://127.0.0.1:{page.port}")[0] == 200


def test_a_person_approves_changes_and_sees_what_was_found(tmp_path: Path) -> None:
    model = Replies(answer("resonator", shots="2000", frequency_from="6.95 GHz") | {"explanation": "A dip."})
    page = Page(begun(tmp_path / "run", SHORT.replace("budget", 'approval = "person"\nbudget'), model))
    try:
        state = page.ask("/api/state")[1]
        assert [one["step"] for one in state["queue"]] == ["again"]
        shots = state["proposal"]["parameters"][-1]
        assert (shots["name"], shots["span"]) == ("shots", "100 to 5000")
        assert page.ask("/api/go", {"on": True})[0] == 409  # each run wants an approval
        assert page.ask("/api/approve", {"run": 1, "parameters": {"shots": "1000"}})[0] == 200
        assert page.ask("/api/approve", {"run": 1})[0] == 409  # at work, or over by now: approved once, run once
        state = page.idle()
        assert state["spent"]["runs"] == 1
        assert state["problem"] == ""
        assert state["proposal"]["step"] == "again"
        assert "GHz" in state["targets"][0]["results"]["readout_frequency"]
        found = page.ask("/api/runs/1")[1]
        assert (found["status"], found["good"], found["picture"]["kind"]) == ("SUCCESS", True, "curve")
        assert len(found["picture"]["x"]["values"]) == len(found["picture"]["used"])

        assert page.ask("/api/explain", {"run": 1})[0] == 200
        assert page.idle()["problem"] == ""
        note = page.ask("/api/log")[1][-1]
        assert note["kind"] == "note"
        assert note["body"]["explanation"] == "A dip."
        wanted = note["body"]["step"]["parameters"]
        assert wanted["shots"] == "2000"
        changed = {name: wanted[name] for name in ("shots", "frequency_from")}
        assert page.ask("/api/approve", {"run": 2, "parameters": changed, "suggested": True})[0] == 200
        assert page.idle()["proposal"] is None
        approvals = [one.body["by"] for one in read_log(tmp_path / "run") if one.kind == "propose"]
        assert approvals == ["workflow", "page", "workflow", "page, as test:replies suggested"]
        assert page.ask("/api/approve", {"run": 3})[0] == 409  # the run has ended
    finally:
        page.close()


def test_a_run_goes_on_by_itself_until_it_is_paused_and_is_resumed(tmp_path: Path) -> None:
    first = begun(tmp_path / "run")
    first.go(True)
    first.close()  # it waits for the run at work
    assert 1 <= first.shown()["spent"]["runs"] <= 2
    laboratory = SimulatedLaboratory(7, qubits=1)
    page = Page(Desk(lambda diagnose: Run.resume(tmp_path / "run", laboratory, diagnose=diagnose), None))
    try:
        assert page.ask("/api/runs/1")[1]["status"] == "SUCCESS"  # read again from its file
        if page.idle()["proposal"]:
            assert page.ask("/api/stop", {})[0] == 200
            assert page.idle()["targets"][0]["text"] == "stopped (page)"
    finally:
        page.close()


def test_every_picture_becomes_numbers_for_the_page(tmp_path: Path) -> None:
    for family in ("cz_benchmarking", "qubit_flux_spectroscopy"):
        measurement = bench.drawn(family, next(iter(simulation.get(family).modes)), 10, "building", 0).measurement
        first = next(iter(measurement.dataset.data_vars))
        measurement.dataset[first][..., 0] = np.nan  # a measurement may lack points
        picture = json.loads(_json(_picture(analysis.diagnose(measurement, family).picture)).body)
        assert picture["kind"] == ("map" if len(measurement.axes) == 2 else "curve")
        for axis in ("x", "y"):
            assert len(picture[axis]["values"]) <= 200
            assert picture[axis]["label"]
        if picture["kind"] == "map":
            levels = np.array(picture["levels"])
            assert levels.shape == tuple(len(picture[axis]["values"]) for axis in ("y", "x"))
            assert (levels.min(), levels.max()) == (0, 255)


def test_news_come_as_events(page: Page) -> None:
    connection = HTTPConnection("127.0.0.1", page.port, timeout=120)
    connection.request("GET", "/api/events", headers={"Authorization": f"Bearer {TOKEN}"})
    answer = connection.getresponse()
    assert answer.getheader("content-type", "").startswith("text/event-stream")
    assert answer.readline().startswith(b"data: ")
    answer.readline()
    page.ask("/api/go", {"on": False})
    assert answer.readline().startswith(b"data: ")
    connection.close()


def test_notes_do_not_disturb_a_run_that_is_resumed(tmp_path: Path) -> None:
    laboratory = SimulatedLaboratory(7, qubits=1)
    with Run.begin(read_workflow(SHORT), laboratory, tmp_path / "run") as run:
        before = run.proposal
        run.note({"run": 0, "explanation": "Nothing yet."})
    with Run.resume(tmp_path / "run", laboratory) as run:
        assert run.proposal == before


def test_a_workflow_that_wants_approval_does_not_run_by_itself(tmp_path: Path) -> None:
    workflow = read_workflow(SHORT.replace("budget", 'approval = "person"\nbudget'))
    with Run.begin(workflow, SimulatedLaboratory(7, qubits=1), tmp_path / "run") as run:
        with pytest.raises(CascadeError, match="expected somebody to approve each run"):
            run.finish()
        assert run.state.runs == 0
        run.advance(by="a test")
        assert run.state.runs == 1


def test_the_command_says_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "run")
    assert main(["calibration", "serve", folder, "--no_open"]) == 2
    assert "expected --workflow and --laboratory for a new run" in capsys.readouterr().err
    with Run.begin(load_workflow("bring_up"), SimulatedLaboratory(7), tmp_path / "run"):
        pass
    assert main(["calibration", "serve", folder, "--no_open", "--workflow", "bring_up"]) == 2
    assert "expected no --workflow" in capsys.readouterr().err
