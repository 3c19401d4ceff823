"""`python -m workshop roofline`: what decoding costs on hardware to come, computed and not measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_qec.cli.options import printed_beside
from cascade_qec.errors import CascadeError

if TYPE_CHECKING:
    from workshop.roofline import RooflineRow

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
    from cascade_qec.model import load_model
    from cascade_qec.zoo import registry
    from workshop.roofline import model_rows, roofline_rows, write_roofline

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
    with printed_beside(out):
        _show(rows)
        print(f"Table: {out}")


def _show(rows: Sequence[RooflineRow]) -> None:
    """A line for each network, and one between codes."""
    from cascade_qec.cli.table import Column, number, show
    from workshop.roofline import DEVICES

    networks: dict[tuple[str, str, int, int], dict[tuple[str, str], float]] = {}
    for row in rows:
        figures = networks.setdefault((row.code, row.architecture, row.width, row.depth), {})
        figures[row.quantity, row.device] = row.value

    def latency(device: str) -> Callable[[tuple], str]:
        return lambda key: f"{networks[key]['latency_per_round', device]:.3g}"

    columns: list[Column[tuple[str, str, int, int]]] = [
        Column("code", lambda key: key[0]),
        Column("architecture", lambda key: key[1].replace("_", " ")),
        Column("H", lambda key: str(key[2]), right=True),
        Column("L", lambda key: str(key[3]), right=True),
        Column("M MAC\nper round", lambda key: f"{networks[key]['macs_per_round', ''] / 1e6:,.1f}", right=True),
        Column("spatial", lambda key: f"{100 * networks[key]['spatial_share', '']:.0f} %", right=True, spare=1),
        Column(
            "of conv.", lambda key: f"{networks[key]['macs_relative_to_convolution', '']:.2f} x", right=True, spare=1
        ),
        *(
            Column(f"{device.name.split(' AI ')[0]}\nus/round", latency(device.name), right=True, spare=2)
            for device in DEVICES
        ),
        Column("memory\nMB", lambda key: number(_megabytes(networks[key])), right=True, spare=1),
    ]
    note = "Roofline: every multiplier busy, a MAC being two of a device's operations."
    show(networks, columns, notes=[note], section=lambda key: key[0])


def _megabytes(figures: dict[tuple[str, str], float]) -> float | None:
    memory = figures.get(("on_chip_memory", ""))
    return None if memory is None else memory / 1e6
