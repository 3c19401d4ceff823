"""One random command line, tried in a process of its own and judged."""

import contextlib
import os
import random
import resource
import shlex
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from cascade_qec import cli
from workshop.fuzz.arena import HERE, HOME, Entry, copy_arena, seen
from workshop.fuzz.lines import Line, draw_line

LIMIT = 30.0
"""Seconds in which a command must end, by itself or after it was asked to stop."""

WORKING = {
    "train",
    "export",
    "collect",
    "spectrum",
    "reliability",
    "demo",
    "fit",
    "latency",
    "escalation",
    "verify",
    "decode",
}
"""Commands that may go on for long if told to, and must stop when interrupted."""

_PATIENCE = (0.1, 0.3, 0.3, 1.0, 3.0)
"""Seconds after which such a command is interrupted, one of these."""
_MEMORY = 4 << 30
"""Bytes that a command may take beyond those of the process that it is forked from."""
_PROCESSES = 64
"""Processes that a command may start."""
_BROKEN = 70
"""Exit status of a process whose command let an exception through."""
_DEFAULTS = ("runs", "cascade-demo", "benchmarks", f"../{HOME}")
"""What commands, and packages that they use, write where they are not told, from where they run."""


@dataclass(frozen=True)
class Outcome:
    """What became of a command line.

    Attributes
    ----------
    number
        Of the trial; with the seed it gives the same line again.
    line
        The command line as it would be typed, and the files that were made for it.
    command
        Names of command and subcommand.
    status, seconds
        Exit status (of a signal, its negative number), and wall time.
    problem
        What was wrong; empty if nothing was.
    said
        All that it wrote to stderr.
    """

    number: int
    line: str
    command: str
    status: int
    seconds: float
    problem: str
    said: str

    @property
    def last_words(self) -> str:
        """The last line on stderr."""
        return (self.said.strip().splitlines() or [""])[-1]


def try_line(number: int, seed: int, template: Path, work: Path) -> Outcome:
    """Draw the command line of a number, run it in a copy of the arena `template`, and judge it.

    The copies lie in the folder `work`, one for each process that calls this.
    """
    draw = random.Random(f"{seed}:{number}")
    line = draw_line(draw, template / HERE)
    root = work / f"arena-{os.getpid()}"
    if not root.exists() or seen(root) != seen(template):
        copy_arena(template, root)
    for name, contents in line.files.items():
        (root / HERE / name).write_bytes(contents)
    standard_input = draw.choice(("empty", "shots.b8", "notes.txt"))
    columns = draw.choice(("20", "40", "80", "200"))
    before = seen(root)
    began = time.monotonic()
    errors = work / f"stderr-{number}"  # what an earlier one has left running writes into its own
    process = os.fork()
    if process == 0:
        _become(line, root, standard_input, columns, errors)
    status, late = _waited(process, draw.choice(_PATIENCE) if line.command[-1] in WORKING else LIMIT)
    seconds = time.monotonic() - began
    said = errors.read_text(errors="replace")
    errors.unlink()
    problem = late or _judged(status, said) or _harm(line, status, before, seen(root))
    for name in line.files:
        (root / HERE / name).unlink(missing_ok=True)
    words = " ".join(["cascade", *(shlex.quote(word) for word in line.arguments)])
    return Outcome(number, words, " ".join(line.command), status, seconds, problem, said)


def _become(line: Line, root: Path, standard_input: str, columns: str, errors: Path) -> None:
    """Turn this process into one that runs the command, and end it."""
    status = _BROKEN
    try:
        os.setsid()
        os.chdir(root / HERE)
        for descriptor, path, flags in (
            (0, standard_input, os.O_RDONLY),
            (1, os.devnull, os.O_WRONLY),
            (2, str(errors), os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        ):
            os.dup2(os.open(path, flags), descriptor)
        sys.stdin = os.fdopen(0)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w", errors="backslashreplace")
        os.environ |= {"HOME": str(root / HOME), "CASCADE_HOME": str(root / HOME), "COLUMNS": columns}
        os.environ |= {"CASCADE_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + _MEMORY, taken + _MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            status = cli.main(line.arguments)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # too late
            sys.stdout.flush()
        except KeyboardInterrupt as error:
            if any(frame.name == "_status" for frame in traceback.extract_tb(error.__traceback__)):
                traceback.print_exc()
            else:  # in the microseconds before a command begins and after it has ended, which are Python's
                status = cli.INTERRUPTED
        except BaseException:
            traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _waited(process: int, patience: float) -> tuple[int, str]:
    """The exit status, and what is wrong with how the process ended. Nothing of it is left running.

    The process is interrupted after so many seconds.
    """
    began = time.monotonic()
    asked = late = False
    many = False
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        elapsed = time.monotonic() - began
        if ended:
            break
        if elapsed > patience and not asked:
            os.kill(process, signal.SIGINT)
            asked = True
        many = elapsed > 0.5 and _members(process) > _PROCESSES
        late = elapsed > LIMIT
        if many or late:
            os.killpg(process, signal.SIGKILL)
            _, status = os.waitpid(process, 0)
            break
        time.sleep(0.005 if elapsed < 0.5 else 0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)  # workers that it left
    problem = f"hangs for {LIMIT:.0f} s" if late else f"starts more than {_PROCESSES} processes" if many else ""
    return os.waitstatus_to_exitcode(status), problem


def _members(session: int) -> int:
    """Processes of a session."""
    found = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                found += os.getsid(int(entry.name)) == session
            except (ProcessLookupError, PermissionError):
                continue
    return found


def _judged(status: int, said: str) -> str:
    if "Traceback (most recent call last)" in said or status == _BROKEN:
        return "traceback"
    if status < 0:
        return f"killed by signal {-status}"
    if status not in (0, 1, 2, 130, 143):
        return f"exit status {status}"
    if status in (1, 2) and not said.strip():
        return "fails without a word"
    return ""


def _harm(line: Line, status: int, before: dict[str, Entry], after: dict[str, Entry]) -> str:
    """What a command did to files that it was not told to write, or to any when it refused its input."""
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    if status == 2 and changed:
        return f"refuses and changes {_listed(changed)}"
    for path in changed:
        if path in before and (path not in after or before[path][0] != after[path][0]):
            return f"takes away {_listed([path])}"
        if path.endswith((".part", ".lock")):
            return f"leaves {_listed([path])}"
    named = [os.path.normpath(os.path.join(HERE, out)) for out in (*line.outputs, *_DEFAULTS)]
    links = [path for path in named if path in before and before[path][3]]
    named += [os.path.join(os.path.dirname(path), before[path][3]) for path in links]
    if line.command == ("collect",):
        named += [os.path.join(HERE, f"{Path(word).stem}.csv") for word in line.arguments]
    named = [os.path.normpath(path) for path in named]
    strange = {path for path in changed if not any(_is_of(path, name) for name in named)}
    return f"changes {_listed(strange)}" if strange else ""


def _is_of(path: str, named: str) -> bool:
    """Whether a path is what was named, in it, or on the way to it."""
    return named in (path, ".") or path.startswith(f"{named}/") or named.startswith(f"{path}/")


def _listed(paths: set[str] | list[str]) -> str:
    return ", ".join(sorted(path.encode(errors="backslashreplace").decode() for path in paths)[:3])
