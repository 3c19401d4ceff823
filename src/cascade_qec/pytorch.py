"""Whether PyTorch is there, and a GPU for it: asked without loading it, which takes seconds."""

from __future__ import annotations

import ctypes
import sys
from importlib.util import find_spec

INSTALL = "pip install 'cascade-qec[torch]'"


def installed() -> bool:
    """Whether PyTorch can be imported."""
    return "torch" in sys.modules or find_spec("torch") is not None


def gpus() -> list[str]:
    """The names of the GPUs that PyTorch sees; it is loaded only where a driver for them is installed."""
    if not installed() or not ("torch" in sys.modules or _driver()):
        return []
    import torch

    if not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]


def _driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
