"""Output files are whole or not there."""

import os

import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.files import check_folder, written_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_at_the_end_of_the_block(tmp_path):
    path = tmp_path / "shots.b8"
    with written_whole(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert names(tmp_path) == ["shots.b8"]


def write_half(path, problem):
    with written_whole(path) as file:
        file.write(b"half")
        raise problem


@pytest.mark.parametrize("problem", [OSError("disk full"), KeyboardInterrupt(), SystemExit(143)])
def test_a_failure_leaves_what_was_there_before(problem, tmp_path):
    path = tmp_path / "shots.b8"
    for before in ([], ["shots.b8"]):
        with pytest.raises(type(problem)):
            write_half(path, problem)
        assert names(tmp_path) == before
        path.write_bytes(b"before")
    assert path.read_bytes() == b"before"


def test_where_no_file_can_be(tmp_path):
    with (
        pytest.raises(CascadeError, match="expected the name of a file to write, found a directory"),
        written_whole(tmp_path),
    ):
        pass
    path = tmp_path / "none" / "shots.b8"
    with (
        pytest.raises(CascadeError, match=r"shots\.b8: cannot be written: No such file"),
        written_whole(path),
    ):
        pass
    assert names(tmp_path) == []


def test_folders_that_could_be_written_to(tmp_path, monkeypatch):
    for folder in (tmp_path, tmp_path / "none", tmp_path / "none" / "deep"):
        check_folder(folder)
    assert names(tmp_path) == []
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "deep"):
        with pytest.raises(CascadeError, match=r"expected a folder to write to, found the file .*file$"):
            check_folder(folder)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(CascadeError, match="none: expected a folder to write to, found no right to write to "):
        check_folder(tmp_path / "none")
