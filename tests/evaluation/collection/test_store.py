"""Rows add up, and a row that was cut short does no harm."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import sinter

from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.evaluation.collection import store as store_module
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


def test_a_header_of_other_blanks_or_an_older_sinter(tmp_path):
    path = tmp_path / "counts.csv"
    columns = [name.strip() for name in sinter.CSV_HEADER.split(",")]
    for names in (columns, columns[:-1]):
        path.write_text(",".join(names) + "\n")
        for shots in (10, 20):
            with CollectionStore(path) as store:
                store.add(_stats(shots))
        assert [stats.shots for stats in read_store(path)] == [30]


def test_one_process_at_a_time_adds_rows(tmp_path):
    path = tmp_path / "counts.csv"
    hold = (
        "import sys; from pathlib import Path; from cascade_qec.evaluation.collection import CollectionStore; "
        f"store = CollectionStore(Path({str(path)!r})); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        before = path.read_bytes()
        with pytest.raises(CascadeError, match=r"counts\.csv: another process adds rows to this file: wait, or name"):
            CollectionStore(path)
        assert path.read_bytes() == before
        holder.kill()
    with CollectionStore(path) as store:
        store.add(_stats(10))


def test_without_locks_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "take_lock", lambda file: None)
    with pytest.warns(CascadeWarning, match="no locks here: see to it that no other process adds rows to this file"):
        CollectionStore(tmp_path / "counts.csv").__exit__()


def test_a_row_that_does_not_fit_on_the_disk_leaves_nothing(tmp_path):
    path = tmp_path / "counts.csv"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with CollectionStore(path) as store:
        store.add(_stats(10))
        content = path.read_bytes()
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(content) + 10, before[1]))
            with pytest.raises(CascadeError, match=r"counts\.csv: cannot be written: .*; rows before are kept"):
                store.add(_stats(20))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert path.read_bytes() == content
        store.add(_stats(30))
    assert [stats.shots for stats in read_store(path)] == [40]


def test_other_files_are_refused_and_left_alone(tmp_path):
    path = tmp_path / "notes.csv"
    for content in (b"a,b\n1,2\n", b"a,b", b"a\nlast", b"\x89PNG\n\x00\xff", b"{}\n\n  last"):
        path.write_bytes(content)
        with pytest.raises(CascadeError, match=r"notes\.csv: expected a CSV file with sinter's columns shots, errors"):
            CollectionStore(path)
        assert path.read_bytes() == content
    os.mkfifo(tmp_path / "pipe")
    for no_file in (tmp_path, tmp_path / "pipe", Path("/dev/null"), Path("-")):
        with pytest.raises(CascadeError, match="expected a file to add rows to, which can be read again, got none"):
            CollectionStore(no_file)
    with pytest.raises(CascadeError, match="cannot be read"):
        read_store(tmp_path / "nothing.csv")
