"""What runs a model's network, where, and in what precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from cascade_qec import pytorch
from cascade_qec.errors import CascadeError
from cascade_qec.native import native, native_bfloat16, native_int8, threads

RUNTIMES = ("native", "torch", "numpy")
Precision = Literal["float32", "bfloat16", "float16", "fp8", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
_FP8_CAPABILITY = (8, 9)
"""Of the first NVIDIA chips that multiply in FP8."""


@dataclass(frozen=True)
class Runtime:
    """A choice.

    Attributes
    ----------
    name : {"native", "torch", "numpy"}
        The kernels of `cascade-qec-native`, PyTorch, or NumPy.
    device : str
        "cpu", "cuda" or "cuda:N".
    precision : {"float32", "bfloat16", "float16", "fp8", "int8"}
        Of the activations; "fp8" is bfloat16 with products in FP8. Both it and "float16" are for CUDA devices. "int8"
        is bfloat16 with convolutions in eight bits, for CPUs.
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

    "auto" is PyTorch on a CUDA device, where there are both, else the native kernels on the CPU, in float32 unless
    bfloat16 is asked for; PyTorch where they are not installed, or do not multiply bfloat16 on this chip when it is
    asked for; and NumPy where that is not installed either.

    Raises
    ------
    CascadeError
        If a name is unknown, the machine has no such device, or a package is missing.
    """
    if runtime != "auto" and runtime not in RUNTIMES:
        raise CascadeError(f"expected runtime auto, {', '.join(RUNTIMES)}, got {runtime!r}")
    if precision != "auto" and precision not in PRECISIONS:
        raise CascadeError(f"expected precision auto, {', '.join(PRECISIONS)}, got {precision!r}")
    if device not in ("auto", "cpu") and not device.startswith("cuda"):
        raise CascadeError(f"expected device auto, cpu, cuda or cuda:N, got {device!r}")
    chosen = _fastest(device, precision) if runtime == "auto" else runtime
    if chosen == "torch":
        return _of_torch(device, precision)
    if chosen == "native" and native() is None:
        raise CascadeError("the native kernels are asked for, and not installed: pip install ./native in a checkout")
    if chosen == "native" and precision == "bfloat16" and not device.startswith("cuda"):
        if not native_bfloat16():
            raise CascadeError(
                "expected a chip that multiplies bfloat16 (AVX512_BF16) for this precision and the runtime native, "
                "got one that does not"
            )
        return Runtime(chosen, "cpu", precision)
    if chosen == "native" and precision == "int8" and not device.startswith("cuda"):
        if not native_int8():
            raise CascadeError(
                "expected a chip that multiplies bfloat16 and bytes (AVX512_BF16 and AVX512_VNNI) for the precision "
                "int8, got one that does not"
            )
        return Runtime(chosen, "cpu", precision)
    if device.startswith("cuda") or precision not in ("auto", "float32"):
        raise CascadeError(f"expected a CPU and float32 for the runtime {chosen}, got {device} and {precision}")
    return Runtime(chosen, "cpu", "float32")


def _fastest(device: str, precision: str) -> str:
    on_gpu = device.startswith("cuda") or (device == "auto" and pytorch.gpus())
    if not on_gpu and (precision == "int8" or (precision == "bfloat16" and native_bfloat16())):
        return "native"
    if on_gpu or precision not in ("auto", "float32"):
        return "torch"
    return "native" if native() is not None else "torch" if pytorch.installed() else "numpy"


def _of_torch(device: str, precision: str) -> Runtime:
    if not pytorch.installed():
        raise CascadeError(f"PyTorch is asked for ({device}, {precision}), and not installed: {pytorch.INSTALL}")
    if precision == "int8":
        raise CascadeError(f"expected a CPU and the runtime native for the precision int8, got torch on {device}")
    import torch

    from cascade_qec.device import pick_device, pick_dtype

    where = pick_device(device)
    if precision in ("float16", "fp8"):
        if where.type != "cuda":
            raise CascadeError(f"expected a CUDA device for the precision {precision}, got {where}")
        if precision == "fp8" and (has := torch.cuda.get_device_capability(where)) < _FP8_CAPABILITY:
            raise CascadeError(
                f"expected a chip that multiplies in FP8 (compute capability 8.9 or more) for the precision fp8, "
                f"got {torch.cuda.get_device_name(where)}, which has {has[0]}.{has[1]}"
            )
        return Runtime("torch", str(where), precision)
    found: Precision = "bfloat16" if pick_dtype(precision, where) == torch.bfloat16 else "float32"
    return Runtime("torch", str(where), found)
