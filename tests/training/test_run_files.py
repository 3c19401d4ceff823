"""The two files beside the weights: the figures of a run, and what made it."""

import json
import re
from importlib import metadata
from pathlib import Path

import pytest

from cascade_qec import provenance
from cascade_qec.errors import CascadeError
from cascade_qec.training.metrics import Metrics
from cascade_qec.training.record import read_run, record_earlier_stretch, record_session


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

    def test_earlier_stretches_stay_on_the_record(self, tiny, tmp_path):
        for name in ("one", "two", "three"):
            (tmp_path / name).mkdir()
        rows = [{"step": 30, "shots": 480, "seconds": 2.5}, {"step": 30, "shots": 480, "block_error": {"0.003": 0.1}}]
        for earlier, folder in [(None, "one"), ("one", "two"), ("two", "three")]:
            run = tmp_path / folder
            if earlier:
                record_earlier_stretch(tmp_path / earlier, run)
            for step in (0, 10):
                record_session(run / "run.json", tiny(seed=len(folder)), step, {})
            (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        record, _ = read_run(tmp_path / "three")
        assert [session["from_step"] for session in record["sessions"]] == [0, 10]
        assert [stretch["shots"] for stretch in record["earlier"]] == [480, 480]
        assert record["earlier"][0]["seconds"] == 2.5
        assert record["earlier"][0]["validations"] == rows[1:]
        assert len(record["earlier"][1]["sessions"]) == 2

    @pytest.mark.parametrize("missing", ["run.json", "metrics.jsonl"])
    def test_a_folder_that_is_no_run(self, missing, tiny, tmp_path):
        record_session(tmp_path / "run.json", tiny(), 0, {})
        (tmp_path / "metrics.jsonl").write_text('{"step": 1, "shots": 2}\n')
        read_run(tmp_path)
        (tmp_path / missing).unlink()
        with pytest.raises(CascadeError, match=f"expected the folder of a training run.*{missing}"):
            read_run(tmp_path)
        for content in ("", "[]\n", "{}\n", "null\n"):
            (tmp_path / missing).write_text(content)
            with pytest.raises(CascadeError, match="expected the folder of a training run"):
                read_run(tmp_path)
