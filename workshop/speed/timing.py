"""Time of work on a device: by its own events where it has them, else by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch


def seconds(call: Callable[[], object], device: torch.device) -> float:
    """Time of one call, including what it leaves running on the device."""
    if device.type != "cuda":
        start = time.perf_counter()
        call()
        return time.perf_counter() - start
    with torch.cuda.device(device):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        start.record()
        call()
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end) / 1000


def median_seconds(call: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Median time of several calls after one that is not counted."""
    call()
    return median(seconds(call, device) for _ in range(repeats))
