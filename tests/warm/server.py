"""Imports everything, and forks for each program that asks."""

import atexit
import json
import os
import runpy
import signal
import socket
import sys
import traceback
import types
from importlib.metadata import entry_points

from workshop.fuzz.preload import preload


def serve(address: str) -> None:
    parent = os.getppid()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen()
        listener.settimeout(1)
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the children
        while os.getppid() == parent:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                message, streams, _, _ = socket.recv_fds(connection, 1 << 18, 3)
                if os.fork() == 0:
                    name, arguments, folder, environment = json.loads(message)
                    status = become(name, arguments, folder, environment, streams)
                    connection.send(str(status).encode())
                    os._exit(status)
                for stream in streams:
                    os.close(stream)


def become(name: str, arguments: list[str], folder: str, environment: dict[str, str], streams: list[int]) -> int:
    """Be a program from here on, and return its exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
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
    sys.stdout.flush()
    return status if isinstance(status, int) else int(status is not None)


def _python(arguments: list[str]) -> None:
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
    serve(sys.argv[1])
