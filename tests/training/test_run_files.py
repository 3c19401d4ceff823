"""The two files beside the weights: the figures of a run, and what made it."""

import json
import re
from importlib import metadata
from pathlib import Path

import pytest

from cascade_qec import provenance
from cascade_qec.errors import CascadeError
from cascade_qec.training import Trainer
from cascade_qec.training.run_files import METRICS, RECORD, Metrics, check_new, record_session


class TestMetrics:
    @pytest.fixture
    def path(self, tmp_path):
        path = tmp_path / "metrics.jsonl"
        metrics = Metrics(path)
        for step in (5, 10, 10, 15):
            metrics.append({"step": step, "loss": 0.5})
        return path

    def steps(self, path):
        return [json.loads(line)["step"] for line in path.read_text().splitlines()]

    @pytest.mark.parametrize(("step", "kept"), [(0, []), (10, [5, 10, 10]), (14, [5, 10, 10]), (15, [5, 10, 10, 15])])
    def test_rows_beyond_a_checkpoint_are_dropped(self, step, kept, path):
        Metrics(path).forget_after(step)
        assert self.steps(path) == kept
        assert [file.name for file in path.parent.iterdir()] == ["metrics.jsonl"]

    def test_a_line_cut_short_by_a_kill_is_dropped(self, path):
        with path.open("a") as file:
            file.write('{"step": 12, "lo')
        Metrics(path).forget_after(12)
        Metrics(path).append({"step": 13})
        assert self.steps(path) == [5, 10, 10, 13]

    def test_no_file_yet(self, tmp_path):
        Metrics(tmp_path / "none.jsonl").forget_after(0)
        assert list(tmp_path.iterdir()) == []


class TestRecord:
    def read(self, path):
        return json.loads(path.read_text())

    def test_recipe_machine_versions_and_settings(self, tiny, tmp_path):
        path = tmp_path / "run.json"
        record_session(path, tiny(), 0, {"threads": 1})
        found = self.read(path)
        assert type(tiny()).model_validate(found["recipe"]) == tiny()
        (session,) = found["sessions"]
        assert (session["from_step"], session["threads"]) == (0, 1)
        assert "cores" in session["hardware"]
        assert session["versions"]["torch"] == metadata.version("torch")
        assert {"python", "stim", "cascade-qec"} <= session["versions"].keys()
        assert [file.name for file in tmp_path.iterdir()] == ["run.json"]

    def test_sessions_are_those_that_the_weights_descend_from(self, tiny, tmp_path):
        path = tmp_path / "run.json"
        for step in (
            0,
            20,
            30,
            30,
            20,
        ):  # killed before the checkpoint of 40, then the checkpoint of 20 put back
            record_session(path, tiny(), step, {})
        assert [session["from_step"] for session in self.read(path)["sessions"]] == [0, 20]

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"sessions": [{}]}', b"\xff"])
    def test_an_unreadable_record_stops_nobody(self, content, tiny, tmp_path):
        path = tmp_path / "run.json"
        path.write_bytes(content)
        record_session(path, tiny(), 10, {})
        assert len(self.read(path)["sessions"]) == 1

    def test_commit_of_a_checkout(self, tmp_path, monkeypatch):
        monkeypatch.setattr(provenance, "__file__", str(tmp_path / "src" / "cascade_qec" / "provenance.py"))
        assert provenance.commit() is None  # installed, not checked out
        (tmp_path / ".git").mkdir()
        assert provenance.commit() is None  # git has nothing to say of it

    def test_commit_of_this_checkout(self):
        here = (Path(provenance.__file__).parents[2] / ".git").exists()
        commit = provenance.commit()
        assert commit is None or (here and re.fullmatch(r"[0-9a-f]{40,64}(-dirty)?", commit))


class TestNewRun:
    NAMES = (RECORD, METRICS, "tiny.safetensors")

    @pytest.mark.parametrize("name", NAMES)
    def test_files_that_no_run_made_are_not_replaced(self, name, tmp_path):
        check_new(tmp_path, self.NAMES)
        (tmp_path / name).write_text('["mine"]\n')
        with pytest.raises(CascadeError, match=f"{name} is there and was made by no run: move it away, or choose"):
            check_new(tmp_path, self.NAMES)

    def test_a_run_without_a_checkpoint_yet_may_begin_again(self, tiny, tmp_path):
        record_session(tmp_path / RECORD, tiny(), 0, {})
        Metrics(tmp_path / METRICS).append({"step": 1})
        check_new(tmp_path, self.NAMES)


def test_training_refuses_a_folder_with_another_metrics_file(tiny, tmp_path):
    (tmp_path / METRICS).write_text("mine\n")
    with pytest.raises(CascadeError, match="was made by no run"):
        Trainer(tiny(), tmp_path)
    assert (tmp_path / METRICS).read_text() == "mine\n"
