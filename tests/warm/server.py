"""Imports everything, and forks for each program that asks."""

import atexit
import fcntl
import gc
import json
import multiprocessing
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
import types
import warnings
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path

from workshop.fuzz.preload import preload

_OUT_OF_THE_WAY = 500
"""Numbers from here on are no program's own files."""


def serve(address: str) -> None:
    parent = os.getppid()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener, selectors.DefaultSelector() as events:
        listener.bind(address)
        listener.listen()
        events.register(listener, selectors.EVENT_READ)
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the children
        while os.getppid() == parent:
            for key, _ in events.select(timeout=1):
                if key.fileobj is listener:
                    connection, _ = listener.accept()
                    begin(connection.detach(), events)
                elif key.fd in events.get_map():
                    end(key.data, events)


def begin(connection: int, events: selectors.BaseSelector) -> None:
    """Fork for the program that is asked for, and watch it and its stand-in."""
    with socket.socket(fileno=os.dup(connection)) as asked:
        message, files, _, _ = socket.recv_fds(asked, 1 << 18, 64)
    pid = os.fork()
    if pid == 0:
        for number in list(events.get_map()):
            os.close(number)
        answer = fcntl.fcntl(connection, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY)
        os.close(connection)
        name, arguments, folder, environment, numbers = json.loads(message)
        status = become(name, arguments, folder, environment, numbers, files)
        os.write(answer, str(status).encode())
        os._exit(status)
    for number in files:
        os.close(number)
    both = (connection, os.pidfd_open(pid))
    for number in both:
        events.register(number, selectors.EVENT_READ, both)


def end(both: tuple[int, int], events: selectors.BaseSelector) -> None:
    """A program has ended, and its stand-in hears of it; or the stand-in was killed, and the program is."""
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(both[1], signal.SIGKILL)
    for number in both:
        events.unregister(number)
        os.close(number)


def become(
    name: str, arguments: list[str], folder: str, environment: dict[str, str], numbers: list[int], files: list[int]
) -> int:
    """Be a program from here on, with these files by these numbers, and return its exit status."""
    os.setsid()  # a signal to all of its group is for itself and what it starts
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    aside = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY) for file in files]
    for file in files:
        os.close(file)
    for number, file in zip(numbers, aside, strict=True):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.modules["__main__"] = types.ModuleType("__main__")
    status: object = 0
    try:
        if name == "python":
            _python(arguments)
        else:
            sys.argv = [name, *arguments]
            (script,) = entry_points(group="console_scripts", name=name)
            status = script.load()()
    except SystemExit as ended:
        status = ended.code
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    if not sys.stdout.closed:  # as multiprocessing's tracker of resources leaves it
        sys.stdout.flush()
    return status if isinstance(status, int) else int(status is not None)


def _python(arguments: list[str]) -> None:
    while arguments and arguments[0].startswith("-") and arguments[0] not in ("-m", "-c"):
        flag, *arguments = arguments
        if flag.startswith("-W"):
            action, *arguments = [flag[2:], *arguments] if flag[2:] else arguments
            warnings.simplefilter(action)  # pyright: ignore[reportArgumentType]
            sys.warnoptions.append(action)  # for what multiprocessing starts
        elif flag not in ("-B", "-u"):  # of no consequence here
            raise SystemExit(f"expected -m, -c, -W, -B or -u, got {flag}")
    sys.path.insert(0, os.getcwd())
    match arguments:
        case ["-m", module, *rest]:
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", text, *rest]:
            sys.argv = ["-c", *rest]
            exec(compile(text, "<string>", "exec"), sys.modules["__main__"].__dict__)
        case [file, *rest]:
            sys.argv = [file, *rest]
            runpy.run_path(file, run_name="__main__")
        case _:
            raise SystemExit("expected a module, a text or a file")


if __name__ == "__main__":
    preload()
    gc.freeze()
    multiprocessing.set_executable(str(Path(sys.argv[1]).with_name("python")))  # workers of programs begin at once, too
    serve(sys.argv[1])
