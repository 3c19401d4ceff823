"""Which device and which precision to compute in."""

from __future__ import annotations

import torch

from cascade_qec.errors import CascadeError
from cascade_qec.kernels.cpu import bfloat16_pays, keep_pages
from cascade_qec.native import native, native_bfloat16

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def pick_device(name: str) -> torch.device:
    """The device of a name; "auto" is the first CUDA device where there is one, else the CPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise CascadeError(f"expected device auto, cpu, cuda or cuda:N, got {name!r}") from error
    if device.type not in ("cpu", "cuda"):
        raise CascadeError(f"expected device auto, cpu, cuda or cuda:N, got {name!r}")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        found = torch.cuda.device_count() or "none"
        raise CascadeError(f"expected a CUDA device for {name!r}, found {found}")
    if device.type == "cpu":
        keep_pages()
    return device


def pick_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The type of a name; "auto" is bfloat16 where that is the fastest, else float32.

    That is where what trains on the device multiplies it in hardware: on CPUs the kernels in C++ if they are installed,
    which on chips without it are faster in float32 than PyTorch in bfloat16.
    """
    if precision == "auto":
        compiled = device.type == "cpu" and native() is not None
        return torch.bfloat16 if (native_bfloat16() if compiled else bfloat16_pays(device)) else torch.float32
    if precision not in _DTYPES:
        raise CascadeError(f"expected precision auto, float32 or bfloat16, got {precision!r}")
    return _DTYPES[precision]


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
