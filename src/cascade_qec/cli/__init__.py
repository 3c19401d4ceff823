"""The command `cascade`: one file for each subcommand."""

import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from io import TextIOWrapper
from types import FrameType
from typing import Annotated, Any

import typer
from typer.main import get_command

import cascade_qec
from cascade_qec import pytorch
from cascade_qec.cli.bench import bench
from cascade_qec.cli.calibration import calibration
from cascade_qec.cli.codes import codes
from cascade_qec.cli.collect import collect
from cascade_qec.cli.decode import decode
from cascade_qec.cli.demo import demo
from cascade_qec.cli.estimate import estimate
from cascade_qec.cli.export import export
from cascade_qec.cli.fit import fit
from cascade_qec.cli.info import info
from cascade_qec.cli.page import page
from cascade_qec.cli.plot import plot
from cascade_qec.cli.progress import INTERRUPTED, tell
from cascade_qec.cli.reliability import reliability
from cascade_qec.cli.serve import serve
from cascade_qec.cli.spectrum import spectrum
from cascade_qec.cli.train import train
from cascade_qec.cli.zoo import zoo
from cascade_qec.errors import CascadeError

_EXTRAS = {
    "calibration": ("xarray", "h5netcdf", "h5py", "skrf"),
    "laboratory": ("fastapi", "starlette", "uvicorn"),
    "assistant": ("openai", "anthropic", "httpx2"),
    "serve": ("grpc", "google", "google.protobuf", "prometheus_client"),
}
"""Modules that come with an extra of the distribution."""


class _Application(typer.Typer):
    """Reads the signatures of its commands once, which takes longer than many a command."""

    _command = cached_property(get_command)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._command(*args, **kwargs)


def application(name: str, about: str) -> typer.Typer:
    """A command line without commands yet. Flags are spelt as Stim and sinter spell theirs, `--in_format`.

    Dashes work as well, in flags and in commands.
    """
    return _Application(
        name=name,
        help=about,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"token_normalize_func": lambda flag: flag.replace("-", "_")},
    )


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"cascade-qec {cascade_qec.__version__}")
        raise typer.Exit


app = application("cascade", "Cascade, a neural-network decoder for quantum error correction.")


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version, and exit.")
    ] = False,
) -> None: ...


app.command()(demo)
app.command()(info)
app.command()(decode)
app.command()(estimate)
app.command()(export)
app.command()(serve)
app.command()(train)
app.command()(collect)
app.command()(fit)
app.command()(reliability)
app.command()(spectrum)
app.command()(plot)
app.command()(page)
app.add_typer(bench, name="bench")
app.add_typer(zoo, name="zoo")
app.add_typer(codes, name="codes")
app.add_typer(calibration, name="calibration")


def main(arguments: list[str] | None = None) -> int:
    """Run the command `cascade` and return its exit status, see `run`."""
    return run(app, arguments)


def run(app: typer.Typer, arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit status.

    0: done. 2: input that cannot be used, or what the system refuses, such as to write to a full disk; told in one
    line on stderr. 130: interrupted. 143: terminated. (Training stops cleanly when asked to, which is 0.)
    """
    with _interrupts(over=arguments is None) as interrupts:
        signal.signal(signal.SIGTERM, _terminated)
        warnings.showwarning = _warn
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be any bytes
        try:
            return _status(app, arguments)
        except (KeyboardInterrupt, Exception) as error:
            if not interrupts and not isinstance(error, KeyboardInterrupt):
                raise
            tell("Interrupted")  # outside the command's own work, or where a library made another error of it
            return INTERRUPTED


def _status(app: typer.Typer, arguments: list[str] | None) -> int:
    try:
        app(arguments)
    except CascadeError as error:
        return _fail(str(error), 2)
    except ModuleNotFoundError as error:
        if error.name in ("torch", "lion_pytorch"):
            return _fail(f"this takes PyTorch, which is not installed: {pytorch.INSTALL}", 2)
        for extra, modules in _EXTRAS.items():
            if error.name in modules:
                return _fail(f"this takes {error.name}, which is not installed: pip install 'cascade-qec[{extra}]'", 2)
        raise
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        return _fail(f"{where}{error.strerror or error}", 2)
    except SystemExit as done:
        if done.code == INTERRUPTED and isinstance(done.__context__, typer.Exit):  # nobody has said so yet
            tell("Interrupted")
        return done.code if isinstance(done.code, int) else 1 if done.code else 0
    return 0


@contextmanager
def _interrupts(*, over: bool) -> Iterator[list[int]]:
    """Interrupts so far. Each raises KeyboardInterrupt, as ever; those that a library drops are not told.

    At its end they are as before, or ignored where the process is `over`.
    """
    seen: list[int] = []

    def interrupt(signum: int, frame: FrameType | None) -> None:
        seen.append(signum)
        raise KeyboardInterrupt

    def dropped(error: "sys.UnraisableHookArgs") -> None:
        if not issubclass(error.exc_type, KeyboardInterrupt):
            hook(error)

    before, hook = signal.signal(signal.SIGINT, interrupt), sys.unraisablehook
    if before is not signal.default_int_handler:  # where a shell has it ignored, say
        signal.signal(signal.SIGINT, before)
    sys.unraisablehook = dropped
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN if over else before)
        sys.unraisablehook = hook


def _fail(message: str, status: int) -> int:
    print("Error:", " ".join(message.split()), file=sys.stderr)
    return status


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    print("Warning:", " ".join(str(message).split()), file=sys.stderr)


def _terminated(signum: int, frame: FrameType | None) -> None:
    # As an exception it unwinds the stack, which removes half-written files.
    raise SystemExit(128 + signum)
