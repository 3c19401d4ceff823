"""Output files are whole or not there."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cascade_qec import locks
from cascade_qec.errors import CascadeError
from cascade_qec.files import STANDARD, check_distinct, check_folder, written_whole


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


def write(path, content):
    with written_whole(path) as file:
        file.write(content)


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "far").mkdir()
    for name in ("there", "not_yet"):
        (tmp_path / name).symlink_to(Path("far") / name)
    (tmp_path / "far" / "there").write_bytes(b"before")
    for name in ("there", "not_yet"):
        write(tmp_path / name, b"after")
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / "far" / name).read_bytes() == b"after"
    assert names(tmp_path / "far") == ["not_yet", "there"]
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(CascadeError, match="circle: cannot be written: "):
        write(tmp_path / "circle", b"")


def test_permissions_of_a_replaced_file_stay(tmp_path):
    path = tmp_path / "shots.b8"
    path.touch()
    for mode in (0o600, 0o755):
        path.chmod(mode)
        write(path, b"after")
        assert path.stat().st_mode & 0o777 == mode


def test_a_write_protected_file_is_left_alone(tmp_path, monkeypatch):
    path = tmp_path / "shots.b8"
    path.write_bytes(b"before")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everything
    with pytest.raises(CascadeError, match=r"shots\.b8: cannot be written: Permission denied"):
        write(path, b"after")
    assert path.read_bytes() == b"before"


def test_a_pipe_is_written_into(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    write(path, b"through")
    reader.join()
    assert got == [b"through"]
    assert names(tmp_path) == ["pipe"]
    assert path.is_fifo()


def test_devices_are_written_into_and_name_themselves_when_full():
    before = Path("/dev/null").stat()
    write(Path("/dev/null"), b"nothing")
    assert Path("/dev/null").stat().st_ino == before.st_ino
    with pytest.raises(CascadeError, match=r"^/dev/full: cannot be written: No space left on device$"):
        write(Path("/dev/full"), bytes(1 << 20))


def test_standard_output(capfdbinary):
    print("before")
    write(STANDARD, b"bytes\n")
    print("after", flush=True)
    assert capfdbinary.readouterr().out == b"before\nbytes\nafter\n"


_WRITER = """
import resource, signal, sys
from pathlib import Path
from cascade_qec.files import written_whole
if sys.argv[2] == "small":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with written_whole(Path(sys.argv[1])) as file:
    file.write(bytes(100_000))
    print("half", flush=True)
    sys.stdin.read()
"""


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    command = [sys.executable, "-c", _WRITER, tmp_path / "shots.b8", "small"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr.endswith("shots.b8: cannot be written: File too large\n")
    assert names(tmp_path) == []


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_stays(tmp_path):
    path, other = tmp_path / "shots.b8", tmp_path / ".other.b8.01234567.part"
    other.touch()
    command = [sys.executable, "-c", _WRITER, path, ""]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "half\n"
        write(path, b"second")
        assert len(names(tmp_path)) == 3
        writer.kill()
        assert writer.wait() == -signal.SIGKILL
    write(path, b"third")
    assert names(tmp_path) == [other.name, path.name]


def test_an_interrupt_between_making_a_file_and_locking_it_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(file):
        assert len(names(tmp_path)) == 1
        file.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("cascade_qec.files.take_lock", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "shots.b8", b"after")
    assert names(tmp_path) == []


def test_without_locks_nothing_is_taken_for_a_leftover(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    (tmp_path / ".shots.b8.01234567.part").touch()
    write(tmp_path / "shots.b8", b"after")
    assert names(tmp_path) == [".shots.b8.01234567.part", "shots.b8"]


def test_a_file_is_not_read_and_written_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path, link, other = Path("a"), Path("b"), Path("c")
    path.touch()
    link.symlink_to("a")
    check_distinct([path, None, STANDARD], [other, STANDARD, None])
    check_distinct([], [Path("/dev/null"), Path("/dev/null")])
    for inputs, outputs in (([path], [link]), ([path], [tmp_path / "a"]), ([], [other, other])):
        with pytest.raises(CascadeError, match="expected a file of its own for each input and output, got it twice"):
            check_distinct(inputs, outputs)
    for inputs, outputs in (([], [STANDARD, STANDARD]), ([STANDARD, STANDARD], [])):
        with pytest.raises(CascadeError, match=r"^-: expected a file of its own"):
            check_distinct(inputs, outputs)


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
