"""One step on several processes under `torchrun`: each has its share of micro-batches, gradients are summed.

A micro-batch's normalisation is its own, so the number of processes changes nothing but the order of a sum.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist

from cascade_qec.errors import CascadeError

_ANNOUNCED = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
"""What `torchrun` sets beside WORLD_SIZE."""


@contextmanager
def process_group(device: str) -> Iterator[str]:
    """Join the group that `torchrun` announces, if any; yields the device of this process, a GPU as the current one.

    Raises
    ------
    CascadeError
        If the environment announces a group in part only.
    """
    alone = os.environ.get("WORLD_SIZE", "1") == "1"
    missing = [] if alone else [name for name in _ANNOUNCED if not os.environ.get(name)]
    if missing:
        raise CascadeError(
            f"expected torchrun to start each of several processes, got WORLD_SIZE={os.environ['WORLD_SIZE']} without "
            f"{', '.join(missing)}"
        )
    cuda = device.startswith("cuda")
    if cuda and not alone:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
    if device.startswith("cuda:"):
        torch.cuda.set_device(device)
    if alone:
        yield device
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()


def is_main() -> bool:
    return not dist.is_initialized() or dist.get_rank() == 0


def processes() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def local_processes() -> int:
    """Number of processes on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def share_of(micro_batches: int) -> range:
    """Numbers of the micro-batches that this process trains on."""
    if not dist.is_initialized():
        return range(micro_batches)
    if micro_batches % processes():
        raise CascadeError(
            f"expected batch.micro_batches to be a multiple of {processes()}, the number of processes, "
            f"got {micro_batches}"
        )
    return range(dist.get_rank(), micro_batches, processes())


def sum_over_processes(tensor: torch.Tensor) -> None:
    """Sum a tensor over all processes, in place."""
    if dist.is_initialized():
        dist.all_reduce(tensor)


def any_process(condition: bool) -> bool:
    """Whether the condition holds on any process: all must stop after the same step.

    The hosts ask one another, not their devices, which are some way behind.
    """
    if not dist.is_initialized():
        return condition
    flag = torch.tensor(float(condition))
    dist.all_reduce(flag)
    return bool(flag > 0)
