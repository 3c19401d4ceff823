"""``cascade bench roofline``: what decoding costs on hardware to come, computed and not measured."""

from pathlib import Path
from typing import Annotated

import typer

from cascade_qec.errors import CascadeError

_CODES = ("surface_d19", "bb72", "bb144", "bb288")
_WIDTHS = (32, 64, 128, 256, 512)


def roofline(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CODE]...", help=f"Codes.  [default: {', '.join(_CODES)}]")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="A trained model as it is, by name or file; repeat.")] = None,
    width: Annotated[
        list[int] | None, typer.Option(min=1, help="Channels H; repeat.  [default: 32, 64, 128, 256, 512]")
    ] = None,
    depth: Annotated[int | None, typer.Option(min=1, help="Blocks L.  [default: the code's distance]")] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Rounds decoded together.  [default: the code's distance]")
    ] = None,
    out: Annotated[Path, typer.Option(help="Table of results.")] = Path("benchmarks/results/roofline.csv"),
) -> None:
    """Count multiply-accumulates of convolution, depthwise convolution, local and full attention, per round.

    With them go the least time on named devices, every multiplier busy, and the memory of a dataflow design. With
    --model and no CODE only models are computed. Rows of the same network in the table of results are replaced.
    """
    from cascade_qec.cli.roofline_table import print_roofline
    from cascade_qec.nn import load_model
    from cascade_qec.performance.roofline import model_rows, roofline_rows, write_roofline
    from cascade_qec.zoo import registry

    if model and not names and (width or depth):
        raise CascadeError("expected codes for --width and --depth: a model has its own")
    rows = []
    for code in names or (() if model else _CODES):
        for channels in width or _WIDTHS:
            rows += roofline_rows(code, width=channels, depth=depth, rounds=rounds)
    for name in model or ():
        description = load_model(registry.path(name))[1]
        rows += model_rows(description.code, description.network, rounds=rounds or description.rounds)
    write_roofline(rows, out)
    print_roofline(rows)
    print(f"Table: {out}")
