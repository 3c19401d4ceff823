"""What a device reaches at best: bytes copied and operations multiplied per second, measured."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from workshop.speed.timing import median_seconds


@dataclass(frozen=True)
class DeviceRates:
    """Rates of a device in one precision.

    Attributes
    ----------
    copy : float
        Bytes per second, read and written bytes both counted.
    matrix : float
        Operations per second; a multiply-add is two.
    """

    copy: float
    matrix: float


def measure_rates(
    device: torch.device, dtype: torch.dtype, *, copy_bytes: int | None = None, size: int | None = None
) -> DeviceRates:
    """Measure both rates on a device; on a CPU with the threads in use.

    Parameters
    ----------
    device : torch.device
    dtype : torch.dtype
        Of the matrices.
    copy_bytes : int, optional
        Length of the copied block; by default large against the caches of the device.
    size : int, optional
        Rows and columns of the square matrices.

    Notes
    -----
    The matrices are random: on zeros a device that saves power is faster than it ever is at work.
    """
    on_gpu = device.type == "cuda"
    copy_bytes = copy_bytes or (2**31 if on_gpu else 2**28)
    size = size or (8192 if on_gpu else 2048)
    repeats = 20 if on_gpu else 7

    copy = _copy_seconds(copy_bytes, device, repeats)
    matrix = _product_seconds(size, dtype, device, repeats)
    return DeviceRates(copy=2 * copy_bytes / copy, matrix=2 * size**3 / matrix)


def _copy_seconds(length: int, device: torch.device, repeats: int) -> float:
    source = torch.ones(length // 4, dtype=torch.float32, device=device)
    target = torch.empty_like(source)
    return median_seconds(lambda: target.copy_(source), device, repeats)


def _product_seconds(size: int, dtype: torch.dtype, device: torch.device, repeats: int) -> float:
    generator = torch.Generator(device).manual_seed(0)
    a, b = (torch.randn(size, size, device=device, generator=generator).to(dtype) for _ in range(2))
    out = torch.empty_like(a)
    return median_seconds(lambda: torch.mm(a, b, out=out), device, repeats)
