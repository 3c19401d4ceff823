"""Rows add up, and a row that was cut short does no harm."""

import subprocess
import sys
from pathlib import Path

import pytest
import sinter

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.collection.store import CollectionStore, read_store


def _stats(shots: int, errors: int = 0, strong_id: str = "a") -> sinter.TaskStats:
    return sinter.TaskStats(
        strong_id=strong_id, decoder="d", json_metadata={"p": 0.1}, shots=shots, errors=errors, seconds=1.5
    )


def test_rows_add_up_over_sessions(tmp_path):
    path = tmp_path / "new" / "counts.csv"
    for shots in (10, 20):
        with CollectionStore(path) as store:
            store.add(_stats(shots, 1))
            store.add(_stats(1000, strong_id="b"))
    with CollectionStore(path) as store:
        assert store.total("a") == sinter.AnonTaskStats(shots=30, errors=2, seconds=3.0)
        assert store.total("c") == sinter.AnonTaskStats()
    assert {(stats.strong_id, stats.shots) for stats in read_store(path)} == {("a", 30), ("b", 2000)}
    assert path.read_text().count(sinter.CSV_HEADER) == 1


def test_sinter_makes_one_row_of_those_of_a_task(tmp_path):
    path = tmp_path / "counts.csv"
    with CollectionStore(path) as store:
        for shots in (10, 20, 30):
            store.add(_stats(shots, 1))
            store.add(_stats(1000, strong_id="b"))
    before = read_store(path)
    combine = [Path(sys.executable).with_name("sinter"), "combine", path]
    path.write_bytes(subprocess.run(combine, check=True, capture_output=True).stdout)
    assert len(path.read_text().splitlines()) == 3
    assert sorted(read_store(path), key=lambda stats: stats.strong_id) == before
    with CollectionStore(path) as store:
        store.add(_stats(5))
        assert store.total("a") == sinter.AnonTaskStats(shots=65, errors=3, seconds=6.0)


def test_wherever_a_file_is_cut_its_whole_rows_remain(tmp_path):
    path = tmp_path / "counts.csv"
    with CollectionStore(path) as store:
        store.add(_stats(10))
        store.add(_stats(20))
    content = path.read_bytes()
    first = content.index(b"\n", len(sinter.CSV_HEADER) + 1) + 1
    for end in range(len(content)):
        path.write_bytes(content[:end])
        with CollectionStore(path) as store:
            store.add(_stats(3))
            before = store.total("a").shots - 3
        # The last byte of a row is its end of line; without that alone it is whole.
        assert before == (0 if end < first - 1 else 10 if end < len(content) - 1 else 30), end
        assert sum(stats.shots for stats in read_store(path)) == before + 3


def test_other_files_are_refused_and_left_alone(tmp_path):
    path = tmp_path / "notes.csv"
    for text in ("a,b\n1,2\n", "a,b"):
        path.write_text(text)
        with pytest.raises(CascadeError, match="expected a CSV file with sinter's columns"):
            CollectionStore(path)
        assert path.read_text() == text
    with pytest.raises(CascadeError, match="cannot be written"):
        CollectionStore(tmp_path)
    with pytest.raises(CascadeError, match="cannot be read"):
        read_store(tmp_path / "nothing.csv")
