"""Devices by their peak throughput, and the least time that it leaves for a round.

The supplement of arXiv 2604.08358 ("Computational cost and roofline latency") divides MACs by the operations per second
that makers state, one for one. Makers count a multiply-accumulate as two operations: 92 TOPS of the TPU v1 are
65536 multipliers at 700 MHz, 133 TOPS of the Versal VC1902 are 400 engines of 128 at 1.3 GHz, both times two. So its
latencies are half of what the devices' multipliers allow. Both are computed here, the paper's for comparison with it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class Device:
    """A device at its best.

    Attributes
    ----------
    name
        As tables have it.
    tera_operations
        Operations per second over 10^12, as its maker states them: dense, a multiply-accumulate being two.
    precision
        Of the operands.
    source
        Where that is stated.
    """

    name: str
    tera_operations: float
    precision: str
    source: str


DEVICES = (
    Device("Versal AI Core VC1902", 133.0, "int8", "AMD DS950, Versal Architecture and Product Data Sheet: Overview"),
    Device("TPU v1", 92.0, "int8", "Jouppi et al., Computer Architecture News 45, 1 (2017)"),
    Device("Edge TPU", 4.0, "int8", "Google Coral, Edge TPU performance (2 TOPS per watt)"),
    Device("H200", 1979.0, "fp8", "NVIDIA H200 data sheet, SXM: 3958 TFLOPS with sparsity, half of it dense"),
)


def get_device(name: str) -> Device:
    """Look up one of `DEVICES`.

    Raises
    ------
    CascadeError
        If there is none of that name.
    """
    for device in DEVICES:
        if device.name == name:
            return device
    known = ", ".join(device.name for device in DEVICES)
    raise CascadeError(f"expected a device among {known}, got {name!r}")


def latency_per_round(macs: float, device: Device, *, operations_per_mac: int) -> float:
    """Microseconds that a device needs for so many MACs with every multiplier busy in every cycle.

    Parameters
    ----------
    macs
        Of one round.
    operations_per_mac
        2 as makers count, 1 as the paper does.

    Raises
    ------
    CascadeError
        For another number of operations.
    """
    if operations_per_mac not in (1, 2):
        raise CascadeError(f"expected 1 or 2 operations in a MAC, got {operations_per_mac}")
    return macs * operations_per_mac / device.tera_operations / 1e6
