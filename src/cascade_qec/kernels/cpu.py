"""What a CPU needs to run the network at its speed."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

import torch

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


@cache
def keep_pages() -> None:
    """Let glibc's allocator keep freed memory instead of handing every large tensor back to the kernel.

    Otherwise each activation is mapped, faulted in page by page and unmapped again, which takes several times
    as long as writing it. Does nothing on other C libraries.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_M_TOP_PAD, 2**26)


def bfloat16_pays(device: torch.device) -> bool:
    """Whether matrix products in bfloat16 run in hardware on this device."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
