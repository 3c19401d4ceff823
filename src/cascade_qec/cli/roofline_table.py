"""Costs of networks as a table for the terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cascade_qec.performance.roofline import DEVICES, RooflineRow

# A pipe or a log has no width of its own; this holds the table without folding.
_WIDTH_OFF_TERMINAL = 140


def print_roofline(rows: Sequence[RooflineRow]) -> None:
    """Print a line for each network, and one between codes."""
    networks: dict[tuple[str, int, int, str], dict[tuple[str, str], float]] = {}
    for row in rows:
        figures = networks.setdefault((row.code, row.width, row.depth, row.architecture), {})
        figures[row.quantity, row.device] = row.value
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for title in ("code", "architecture"):
        table.add_column(title)
    devices = [f"{device.name.split(' AI ')[0]}\nus/round" for device in DEVICES]
    for title in ("H", "L", "M MAC\nper round", "spatial", "of conv.", *devices, "memory\nMB"):
        table.add_column(title, justify="right")
    keys = list(networks)
    for i, key in enumerate(keys):
        code, width, depth, architecture = key
        figures = networks[key]
        memory = figures.get(("on_chip_memory", ""))
        table.add_row(
            code,
            architecture.replace("_", " "),
            str(width),
            str(depth),
            f"{figures['macs_per_round', ''] / 1e6:,.1f}",
            f"{100 * figures['spatial_share', '']:.0f} %",
            f"{figures['macs_relative_to_convolution', '']:.2f} x",
            *(f"{figures['latency_per_round', device.name]:.3g}" for device in DEVICES),
            "" if memory is None else f"{memory / 1e6:.2f}",
            end_section=any(code != other[0] for other in keys[i + 1 : i + 2]),
        )
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OFF_TERMINAL)
    console.print(table)
    console.print("Roofline: every multiplier busy, a MAC being two of a device's operations.", highlight=False)
