"""How the kernels are launched: autotuning, and the sizes of their tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import triton
import triton.language as tl
from triton import knobs

INTERPRETED: bool = knobs.runtime.interpret
"""Whether the kernels are run by Triton's interpreter, as they are where there is no GPU."""

_WIDEN = tl.constexpr(INTERPRETED)

_PROGRAMS = 16 if INTERPRETED else 528
"""Programs that fill a large chip: four for each of 132 multiprocessors. The interpreter runs one after the other."""

FEW_SHOTS = 16
"""Shots that fill the least tile of the matrix units."""

_tuning = True


@contextmanager
def untuned() -> Iterator[None]:
    """Within this context kernels take their first configuration: for tests, which time nothing and meet many sizes."""
    global _tuning
    before, _tuning = _tuning, False
    try:
        yield
    finally:
        _tuning = before


def tuned(configs: Sequence[triton.Config], key: Sequence[str]) -> Callable[[Any], Any]:
    """Autotune a kernel over some configurations, once for each value of the key's arguments and kept on disk.

    A kernel that is told whether shots are few (FEW) has tiles of so many for them, and larger ones for others. The
    interpreter has nothing to time and takes the first.
    """

    def candidates(configs: list[triton.Config], *_: Any, FEW: bool | None = None, **__: Any) -> list[triton.Config]:
        fitting = [one for one in configs if FEW is None or (one.kwargs["BLOCK_SHOTS"] <= FEW_SHOTS) == FEW]
        return fitting if _tuning else configs[:1]

    return triton.autotune(
        list(configs[:1] if INTERPRETED else configs),
        list(key),
        prune_configs_by={"early_config_prune": candidates},
        cache_results=True,
    )


def config(stages: int, warps: int, **tiles: int) -> triton.Config:
    return triton.Config(tiles, num_stages=stages, num_warps=warps)


def padded(channels: int) -> int:
    """Channels of a tile: a power of two, and at least the 16 that matrix units take."""
    return max(16, 1 << (channels - 1).bit_length())


def tiles(rows: int, block: int) -> int:
    """How many blocks hold so many rows."""
    return -(-rows // block)


def splits(programs: int, work: int) -> int:
    """Into how many parts to divide a sum over `work` tiles that `programs` programs share.

    A function of the shapes alone: the order of summation, and with it the result, is the same in every run.
    """
    return max(1, min(work, _PROGRAMS // max(1, programs)))


def precision(x: torch.Tensor) -> str:
    """How products of float32 are formed: as PyTorch is told to form its own."""
    exact = x.dtype == torch.float32 and torch.get_float32_matmul_precision() == "highest"
    return "ieee" if exact else "tf32"


@triton.jit
def accumulate(result, left, right, PRECISION: tl.constexpr):
    """result + left right, in float32."""
    if _WIDEN:  # the interpreter's product takes bfloat16 for integers
        left = left.to(tl.float32)
        right = right.to(tl.float32)
    return tl.dot(left, right, result, input_precision=PRECISION)
