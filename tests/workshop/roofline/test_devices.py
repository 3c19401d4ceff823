"""Devices and the least time for a round: the paper's figures, and how makers count."""

import pytest

from cascade_qec.errors import CascadeError
from workshop.roofline import (
    DEVICES,
    block_cost,
    get_device,
    latency_per_round,
    macs_per_round,
    shape_of,
)
from workshop.roofline.costs import Architecture

VERSAL, TPU, EDGE, H200 = DEVICES


def _as_paper(code: str, architecture: Architecture, *, width: int, depth: int) -> float:
    """Microseconds per round on the Versal, as the supplement computes them."""
    shape = shape_of(code)
    macs = macs_per_round(block_cost(architecture, shape, width=width), shape, depth=depth)
    return latency_per_round(macs, VERSAL, operations_per_mac=1)


def test_throughputs_are_the_supplements() -> None:
    """ "peak throughput of an AMD Versal AI Core FPGA (133 TOPS [...] INT8)", "TPU v1 provides 92", "Edge TPU 4"."""
    assert [device.tera_operations for device in (VERSAL, TPU, EDGE)] == [133, 92, 4]
    assert {device.precision for device in (VERSAL, TPU, EDGE)} == {"int8"}


@pytest.mark.parametrize(
    ("device", "multipliers", "clock"),
    [
        (VERSAL, 400 * 128, 1.3e9),  # AI Engines, INT8 multipliers in each
        (TPU, 256 * 256, 0.7e9),  # the matrix unit
    ],
)
def test_makers_count_two_operations_in_a_mac(device, multipliers: int, clock: float) -> None:
    assert 2 * multipliers * clock / 1e12 == pytest.approx(device.tera_operations, rel=0.005)
    # so that a second's worth of MACs takes a second
    assert latency_per_round(multipliers * clock, device, operations_per_mac=2) == pytest.approx(1e6, rel=0.005)


def test_latency_scales_inversely_with_throughput() -> None:
    times = [latency_per_round(1e9, device, operations_per_mac=1) for device in (VERSAL, TPU, EDGE)]
    assert times == pytest.approx([1e3 / 133, 1e3 / 92, 1e3 / 4])
    assert latency_per_round(1e9, VERSAL, operations_per_mac=2) == 2 * times[0]


def test_the_supplements_budgets() -> None:
    """ "Computational cost and roofline latency", the distance-19 surface code with as many blocks."""
    # "Even the largest models are comfortably within the ms decoding budget for trapped-ion and neutral-atom platforms"
    assert _as_paper("surface_d19", "convolution", width=512, depth=19) < 100
    # "For superconducting qubits (us budget), standard convolutions [...] roughly one order of magnitude too slow"
    assert _as_paper("surface_d19", "convolution", width=256, depth=19) == pytest.approx(10, rel=0.5)
    # "depthwise convolutions at moderate widths approach the us target"
    assert _as_paper("surface_d19", "depthwise", width=128, depth=19) == pytest.approx(1, rel=0.6)
    # "BB codes have substantially lower latency than surface codes at the same hidden dimension"
    assert _as_paper("bb144", "convolution", width=256, depth=12) < 0.3 * _as_paper(
        "surface_d19", "convolution", width=256, depth=19
    )


def test_devices_by_name() -> None:
    assert get_device("H200") is H200
    with pytest.raises(CascadeError, match=r"expected a device among Versal AI Core VC1902, .* got 'Abacus'"):
        get_device("Abacus")


def test_operations_in_a_mac_are_one_or_two() -> None:
    with pytest.raises(CascadeError, match="expected 1 or 2 operations in a MAC, got 3"):
        latency_per_round(1e9, H200, operations_per_mac=3)
