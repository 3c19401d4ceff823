"""One step on several processes under `torchrun`: each has its share of micro-batches, gradients are summed.

A micro-batch's normalisation is its own, so the number of processes changes nothing but the order of a sum.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.distributed as dist

from cascade_qec.errors import CascadeError


@contextmanager
def process_group(device: str) -> Iterator[str]:
    """Join the group that `torchrun` announces, if any; yields the device of this process."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield device
        return
    cuda = device.startswith("cuda")
    if cuda:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()


def is_main() -> bool:
    return not dist.is_initialized() or dist.get_rank() == 0


def processes() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


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


def sum_over_processes(tensors: Sequence[torch.Tensor]) -> None:
    """Sum tensors over all processes, in place, in one message."""
    if not dist.is_initialized():
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))


def any_process(condition: bool) -> bool:
    """Whether the condition holds on any process: all must stop after the same step."""
    if not dist.is_initialized():
        return condition
    flag = torch.tensor(float(condition))
    if dist.get_backend() == "nccl":
        flag = flag.cuda()
    dist.all_reduce(flag)
    return bool(flag > 0)
