"""Which kernels compute: Triton's, those in C++, or the plain-PyTorch reference that every machine has."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Literal, TypeVar

import torch

from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.native import native, native_bfloat16

Backend = Literal["triton", "native", "reference"]
Result = TypeVar("Result")

_asked: Backend | Literal["auto"] = "auto"
_failure: Exception | None = None


def backend(device: torch.device | str) -> Backend:
    """The kernels that compute on a device.

    Triton's on a CUDA device, wherever Triton is installed and has not failed in this process; those in C++ on a CPU,
    wherever they are installed; else the reference. `use` overrides this.

    Raises
    ------
    CascadeError
        If Triton's were asked for by name, and the device is no CUDA device.
    """
    on_gpu = torch.device(device).type == "cuda"
    if _asked == "triton" and not on_gpu and os.environ.get("TRITON_INTERPRET") != "1":
        raise CascadeError(f"expected a CUDA device for the kernels 'triton', got {device}")
    if _asked != "auto":
        return _asked
    if torch.device(device).type == "cpu" and native() is not None:
        return "native"
    possible = on_gpu and find_spec("triton") is not None
    return "triton" if possible and _failure is None else "reference"


def expect_precision(device: torch.device | str, dtype: torch.dtype) -> None:
    """Refuse bfloat16 where the kernels in C++ were asked for by name and do not multiply it on this chip.

    Where they were not, plain PyTorch takes over.

    Raises
    ------
    CascadeError
    """
    by_name = _asked == "native" and torch.device(device).type == "cpu"
    if by_name and dtype == torch.bfloat16 and not native_bfloat16():
        raise CascadeError(
            "expected a chip that multiplies bfloat16 (AVX512_BF16) for this precision and the kernels native, "
            "got one that does not"
        )


@contextmanager
def use(name: str) -> Iterator[None]:
    """Within this context compute by "triton", "native", the "reference", or as `backend` finds best ("auto").

    A kernel that was asked for by name and fails raises its error; only "auto" falls back.

    Raises
    ------
    CascadeError
        If the name is none of the four, or what it names is not installed.
    """
    global _asked
    if name not in ("auto", "triton", "native", "reference"):
        raise CascadeError(f"expected kernels 'auto', 'triton', 'native' or 'reference', got {name!r}")
    if name == "native" and native() is None:
        raise CascadeError("the native kernels are asked for, and not installed: pip install ./native in a checkout")
    if name == "triton" and find_spec("triton") is None:
        raise CascadeError("kernels 'triton' were asked for, but Triton is not installed: pip install triton")
    before, _asked = _asked, name
    try:
        yield
    finally:
        _asked = before


def attempt(fused: Callable[[], Result], reference: Callable[[], Result]) -> Result:
    """Call the fused kernels; should they fail, say so once, and call the reference from then on.

    What may fail is a compiler that these kernels have not met, a chip that lacks something, an interface that has
    changed: anything but memory, of which the reference needs more.
    """
    global _failure
    if _failure is not None and _asked == "auto":
        return reference()
    try:
        return fused()
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        if _asked == "triton":
            raise
        _failure = error
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        warnings.warn(
            f"Triton's kernels cannot be used here and plain PyTorch takes over, which is slower: {reason}",
            CascadeWarning,
            stacklevel=2,
        )
        return reference()


def gradients(
    reference: Callable[[], torch.Tensor], inputs: Sequence[torch.Tensor], dy: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Gradients of a reference's result to its inputs: for a fused operation whose backward pass fails."""
    with torch.enable_grad():
        return torch.autograd.grad(reference(), inputs, dy, allow_unused=True)
