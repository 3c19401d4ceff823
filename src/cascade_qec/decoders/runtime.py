"""What runs a model's network, where, and in what precision."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from cascade_qec.errors import CascadeError
from cascade_qec.native import native, threads

RUNTIMES = ("native", "torch", "numpy")
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Runtime:
    """A choice.

    Attributes
    ----------
    name : {"native", "torch", "numpy"}
        The kernels of `cascade-qec-native`, PyTorch, or NumPy.
    device : str
        "cpu", "cuda" or "cuda:N".
    precision : {"float32", "bfloat16"}
        Of the activations.
    """

    name: str
    device: str
    precision: Precision

    @property
    def threads(self) -> int:
        """Threads of the CPU that it may use."""
        if self.name == "torch":
            import torch

            return torch.get_num_threads()
        return threads() if self.name == "native" else 1


def choose(runtime: str = "auto", device: str = "auto", precision: str = "auto") -> Runtime:
    """The runtime, device and precision that names mean on this machine.

    "auto" is PyTorch on a CUDA device, where there are both, else the native kernels on the CPU in float32, PyTorch
    where they are not installed or bfloat16 is asked for, and NumPy where that is not installed either.

    Raises
    ------
    CascadeError
        If a name is unknown, the machine has no such device, or a package is missing.
    """
    if runtime != "auto" and runtime not in RUNTIMES:
        raise CascadeError(f"expected runtime auto, {', '.join(RUNTIMES)}, got {runtime!r}")
    if precision not in ("auto", "float32", "bfloat16"):
        raise CascadeError(f"expected precision auto, float32 or bfloat16, got {precision!r}")
    torch_wanted = runtime == "torch" or precision == "bfloat16" or device.startswith("cuda")
    if runtime == "auto" and (torch_wanted or (device == "auto" and _has_torch() and _nvidia())):
        runtime = "torch" if _on_gpu(device) or precision == "bfloat16" else "auto"
    if runtime == "auto":
        runtime = "native" if native() is not None else "torch" if _has_torch() else "numpy"
    if runtime == "torch":
        if not _has_torch():
            raise CascadeError(
                f"PyTorch is asked for (device {device}, precision {precision}), and not installed: {_TORCH}"
            )
        from cascade_qec.device import pick_device, pick_dtype

        where = pick_device(device)
        found: Precision = "bfloat16" if str(pick_dtype(precision, where)) == "torch.bfloat16" else "float32"
        return Runtime(runtime, str(where), found)
    if runtime == "native" and native() is None:
        raise CascadeError("the native kernels are asked for, and not installed: pip install cascade-qec-native")
    if device not in ("auto", "cpu"):
        if device.startswith("cuda"):
            raise CascadeError(f"expected a CPU for the runtime {runtime}, got device {device!r}")
        raise CascadeError(f"expected device auto, cpu, cuda or cuda:N, got {device!r}")
    if precision == "bfloat16":
        raise CascadeError(f"expected precision float32 of the runtime {runtime}, got {precision!r}")
    return Runtime(runtime, "cpu", "float32")


_TORCH = "pip install 'cascade-qec[torch]'"


def _has_torch() -> bool:
    return "torch" in sys.modules or find_spec("torch") is not None


def _on_gpu(device: str) -> bool:
    """Whether a name means a CUDA device here."""
    if device != "auto" or not _has_torch():
        return device.startswith("cuda")
    from cascade_qec.device import pick_device

    return pick_device(device).type == "cuda"


def _nvidia() -> bool:
    """Whether the driver of a GPU is installed; PyTorch, which knows more, takes seconds to load."""
    if "torch" in sys.modules:
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
