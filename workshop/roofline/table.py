"""Costs as rows, and rows as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cascade_qec.model import NetworkSettings
from cascade_qec.tables import put_rows, read_rows
from workshop.roofline.costs import (
    ARCHITECTURES,
    Architecture,
    block_cost,
    macs_per_round,
    multiplier_area_saving,
)
from workshop.roofline.dataflow import DATAFLOW_ARCHITECTURES, dataflow_memory
from workshop.roofline.devices import DEVICES, Device, latency_per_round
from workshop.roofline.shapes import CodeShape, shape_of


class RooflineRow(BaseModel):
    """One figure of one architecture.

    Attributes
    ----------
    architecture, code, width, depth
        The network: which of `ARCHITECTURES`, what it decodes, channels H, blocks L.
    rounds
        Rounds decoded together.
    quantity, value, unit
        What is stated. "latency_per_round" takes a MAC for two operations, as makers of devices count;
        "latency_per_round_as_paper" for one. Relative quantities are relative to the convolution of the same sizes.
    device
        Empty for what does not depend on one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str
    code: str
    width: int = Field(ge=1)
    depth: int = Field(ge=1)
    rounds: int = Field(ge=1)
    quantity: str
    value: float
    unit: str
    device: str = ""


def roofline_rows(
    code: str,
    *,
    width: int,
    depth: int | None = None,
    rounds: int | None = None,
    architectures: Sequence[Architecture] = ARCHITECTURES,
    bottleneck: int = 4,
    convolution: Literal["direct", "bipartite"] | None = None,
    devices: Sequence[Device] = DEVICES,
) -> list[RooflineRow]:
    """Every figure of a network in each architecture.

    Parameters
    ----------
    code
        Name of the code.
    width
        Channels H of the residual stream.
    depth
        Blocks L; the code's distance by default.
    rounds
        Rounds decoded together; the code's distance by default.
    bottleneck, convolution
        As in `NetworkSettings`; the convolution is the family's usual one by default.

    Raises
    ------
    CascadeError
        For an unknown code or architecture, or sizes out of range.
    """
    shape = shape_of(code, rounds=rounds, convolution=convolution)
    depth = shape.distance if depth is None else depth
    return [
        RooflineRow(
            architecture=architecture,
            code=code,
            width=width,
            depth=depth,
            rounds=shape.rounds,
            quantity=quantity,
            value=value,
            unit=unit,
            device=device,
        )
        for architecture in architectures
        for quantity, value, unit, device in _figures(architecture, shape, width, depth, bottleneck, devices)
    ]


def model_rows(code: str, settings: NetworkSettings, *, rounds: int | None = None) -> list[RooflineRow]:
    """The figures of a network as it is, such as that of a trained model."""
    architecture: Architecture = "depthwise" if settings.depthwise else settings.mixer
    return roofline_rows(
        code,
        width=settings.width,
        depth=settings.depth,
        rounds=rounds,
        architectures=[architecture],
        bottleneck=settings.bottleneck,
        convolution=settings.convolution,
    )


def _figures(
    architecture: Architecture,
    shape: CodeShape,
    width: int,
    depth: int,
    bottleneck: int,
    devices: Sequence[Device],
) -> Iterator[tuple[str, float, str, str]]:
    """Quantity, value, unit and device of one network."""
    cost = block_cost(architecture, shape, width=width, bottleneck=bottleneck)
    convolution = block_cost("convolution", shape, width=width, bottleneck=bottleneck)
    macs = macs_per_round(cost, shape, depth=depth)
    yield "macs_per_position_per_block", cost.total, "MAC", ""
    yield "macs_per_block_per_round", shape.positions * cost.total, "MAC", ""
    yield "macs_per_round", macs, "MAC", ""
    yield "spatial_share", cost.spatial_share, "1", ""
    yield "macs_relative_to_convolution", cost.total / convolution.total, "1", ""
    yield "multiplier_area_saving_fp8", multiplier_area_saving(cost, convolution), "1", ""
    for device in devices:
        yield "latency_per_round", latency_per_round(macs, device, operations_per_mac=2), "us", device.name
        yield "latency_per_round_as_paper", latency_per_round(macs, device, operations_per_mac=1), "us", device.name
    if architecture in DATAFLOW_ARCHITECTURES:
        memory = dataflow_memory(architecture, shape, width=width, bottleneck=bottleneck)
        yield "weights_per_block", memory.weights, "byte", ""
        yield "residual_per_block", memory.residual, "byte", ""
        yield "halo_per_block", memory.halo, "byte", ""
        yield "on_chip_memory", depth * memory.total, "byte", ""


def write_roofline(rows: Sequence[RooflineRow], path: Path) -> None:
    """Put rows into a CSV file in place of those of the same network; others stay.

    Raises
    ------
    CascadeError
        If there are no rows or the file cannot be written.
    """
    put_rows(path, rows, place=lambda row: (row.architecture, row.code, row.width, row.depth, row.rounds))


def read_roofline(path: Path) -> list[RooflineRow]:
    """Read back what `write_roofline` wrote.

    Raises
    ------
    CascadeError
        If the file cannot be read or holds something else.
    """
    return read_rows(path, RooflineRow)
