"""The record of a run, read again and handed on."""

import json

import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.training.run_files import record_session
from workshop.queue.record import read_run, record_earlier_stretch


def test_earlier_stretches_stay_on_the_record(tiny, tmp_path):
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
def test_a_folder_that_is_no_run(missing, tiny, tmp_path):
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
