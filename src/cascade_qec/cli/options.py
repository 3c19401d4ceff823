"""Options that several commands have."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Annotated, Literal

import typer

from cascade_qec import limits
from cascade_qec.errors import CascadeError
from cascade_qec.files import STANDARD


def known_model(name: str | list[str] | None) -> str | list[str] | None:
    """For `callback` of options and arguments that name models: refuse unknown ones before PyTorch is loaded."""
    from cascade_qec.zoo import registry

    for one in [name] if isinstance(name, str) else name or []:
        registry.require(one)
    return name


def known_decoder(name: str) -> str:
    """`known_model`, or a file that ``cascade export`` wrote."""
    if not is_exported(name):
        known_model(name)
        return name
    there(Path(name))
    return name


def is_exported(name: str) -> bool:
    """Whether a model's name is that of an .onnx file."""
    return name.endswith(".onnx")


def there(path: Path | list[Path] | None) -> Path | list[Path] | None:
    """For `callback` of options and arguments that name files to read: refuse missing ones; - is standard input."""
    for one in [path] if isinstance(path, Path) else path or []:
        if str(one) != "-" and not os.path.exists(one):
            raise CascadeError(f"{one}: expected a file to read, found nothing of that name")
    return path


def experiment_flags(circuit: Path | None, dem: Path | None, rounds: int | None, basis: str | None) -> list[str]:
    """The flags by which a command line names the experiment: one at most.

    Raises
    ------
    CascadeError
        If there are several.
    """
    own = rounds is not None or basis is not None
    given = {"--circuit": circuit, "--dem": dem, "--rounds or --basis": own or None}
    flags = [flag for flag, value in given.items() if value is not None]
    if len(flags) > 1:
        raise CascadeError(
            "expected the experiment once, by --circuit, by --dem, or by --rounds and --basis, "
            f"got {' and '.join(flags)}"
        )
    return flags


def printed_beside(out: Path | None) -> AbstractContextManager[object]:
    """What is printed in this context goes to stderr where `out` is standard output, which then has results alone."""
    return redirect_stdout(sys.stderr) if out == STANDARD else nullcontext()


Model = Annotated[str, typer.Argument(help="Name of a model, or path of a .safetensors file.", callback=known_model)]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Precision = Annotated[str, typer.Option(help="auto, float32, bfloat16, float16, fp8 or int8.")]
Activations = Annotated[str, typer.Option(help="Of the activations: auto, float32 or bfloat16.")]
Kernels = Annotated[str, typer.Option("--kernels", help="auto, triton, native or reference (plain PyTorch).")]
Threads = Annotated[int | None, typer.Option(min=1, max=limits.PROCESSES, help="CPU threads.  [default: all cores]")]
ErrorModel = Annotated[
    Path | None,
    typer.Option(help="Instead of --circuit: its detector error model, as Stim writes it.", callback=there),
]
OwnRounds = Annotated[
    int | None,
    typer.Option(
        min=1, max=limits.ROUNDS, help="Instead of --circuit: rounds of the model's own experiment [default: d]."
    ),
]
OwnBasis = Annotated[
    Literal["X", "Z"] | None,
    typer.Option(help="Instead of --circuit: basis of the model's own experiment [default: Z]."),
]
AllowUnmeasured = Annotated[
    bool,
    typer.Option(
        "--allow_unmeasured",
        help="Decode other numbers of rounds than a model was measured at too, without a confidence.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=limits.SEED, help="Seed of the shots.")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=limits.PROCESSES,
        help="Background processes that sample shots.  [default: 1, beside a GPU up to 8]",
    ),
]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="NAME=KEY",
        help="What sinter's metadata call code, p, rounds, basis, k, n or d, as p=noise; or its value for all rows, as "
        "code=surface_d5. May be given several times.",
    ),
]
LanguageModel = Annotated[
    str, typer.Option("--model", help="PROVIDER:MODEL; providers are openai, anthropic, nvidia and local.")
]
ModelAddress = Annotated[
    str | None,
    typer.Option("--address", help="Of the model's server: http://127.0.0.1:8000/v1.  [default: the provider's]"),
]
