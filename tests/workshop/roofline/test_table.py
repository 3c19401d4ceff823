"""Costs as rows and files."""

from pathlib import Path

import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.model import NetworkSettings
from workshop.roofline import (
    ARCHITECTURES,
    DEVICES,
    RooflineRow,
    block_cost,
    model_rows,
    read_roofline,
    roofline_rows,
    shape_of,
    write_roofline,
)


def _value(rows: list[RooflineRow], quantity: str, architecture: str = "convolution", device: str = "") -> float:
    (value,) = (
        row.value for row in rows if (row.quantity, row.architecture, row.device) == (quantity, architecture, device)
    )
    return value


def test_rows_are_consistent() -> None:
    rows = roofline_rows("bb72", width=64)
    assert {(row.code, row.width, row.depth, row.rounds) for row in rows} == {("bb72", 64, 6, 6)}  # d by default
    assert {row.architecture for row in rows} == set(ARCHITECTURES)
    for architecture in ARCHITECTURES:
        cost = block_cost(architecture, shape_of("bb72"), width=64)
        assert _value(rows, "macs_per_position_per_block", architecture) == cost.total
        assert _value(rows, "macs_per_block_per_round", architecture) == 72 * cost.total
        macs = _value(rows, "macs_per_round", architecture)
        assert macs == 6 * 72 * cost.total
        for device in DEVICES:
            latency = _value(rows, "latency_per_round", architecture, device.name)
            assert latency == pytest.approx(2 * macs / (device.tera_operations * 1e12) * 1e6)
            assert latency == 2 * _value(rows, "latency_per_round_as_paper", architecture, device.name)
    assert _value(rows, "macs_relative_to_convolution") == 1
    parts = sum(_value(rows, f"{part}_per_block") for part in ("weights", "residual", "halo"))
    assert _value(rows, "on_chip_memory") == 6 * parts
    assert not [row for row in rows if "memory" in row.quantity and "attention" in row.architecture]


def test_a_model_as_it_is() -> None:
    settings = NetworkSettings(width=32, depth=3, convolution="direct", bottleneck=2, depthwise=True)
    rows = model_rows("bb72", settings, rounds=4)
    assert {(row.architecture, row.width, row.depth, row.rounds) for row in rows} == {("depthwise", 32, 3, 4)}
    assert _value(rows, "macs_per_position_per_block", "depthwise") == 2 * 32 * 16 + 66 * 16


def test_files_give_back_the_rows_and_replace_a_network(tmp_path: Path) -> None:
    path = tmp_path / "new" / "roofline.csv"
    small, large = (roofline_rows("surface_d3", width=width) for width in (16, 32))
    write_roofline(small, path)
    write_roofline(large, path)
    assert read_roofline(path) == [*small, *large]
    write_roofline(small, path)
    assert read_roofline(path) == [*large, *small]
    header = path.read_text().partition("\n")[0]
    assert header == "architecture,code,width,depth,rounds,quantity,value,unit,device"


def test_bad_rows_are_told(tmp_path: Path) -> None:
    with pytest.raises(CascadeError, match="at least one row"):
        write_roofline([], tmp_path / "roofline.csv")
    with pytest.raises(CascadeError, match="at least 1 block, got 0"):
        roofline_rows("bb72", width=64, depth=0)
    path = tmp_path / "roofline.csv"
    path.write_text("architecture,code\nconvolution,bb72\n")
    with pytest.raises(CascadeError, match=r"width, .* missing from architecture, code"):
        read_roofline(path)
