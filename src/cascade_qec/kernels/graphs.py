"""Work on a CUDA device that is recorded once and replayed by one launch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

_WARM_UP = 3
"""Runs before the capture, in which kernels are tuned and libraries and workspaces initialised."""


def captured(
    function: Callable[..., torch.Tensor], *inputs: torch.Tensor, pool: Any = None
) -> Callable[..., torch.Tensor]:
    """A function as a CUDA graph: one launch in place of all of its own.

    Parameters
    ----------
    function : callable
        Works on the inputs and on tensors that stay where they are; runs a few times before it is captured.
    inputs : tensors on one CUDA device
        Examples; all later ones have their shapes.
    pool : optional
        Of `torch.cuda.graph_pool_handle`: the memory that it shares with other graphs, none of which runs meanwhile.

    Returns
    -------
    callable
        Takes inputs and gives the output as the function does.

    Raises
    ------
    RuntimeError
        If something in the function cannot be captured.
    """
    current = torch.cuda.current_stream(inputs[0].device)
    held = [x.clone() for x in inputs]
    side = torch.cuda.Stream(inputs[0].device)
    side.wait_stream(current)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.stream(side):  # also around the capture, which does not restore the stream when it fails
        for _ in range(_WARM_UP):
            function(*held)
        # other threads, such as the watchdog of torch.distributed, may go on
        with torch.cuda.graph(graph, pool=pool, stream=side, capture_error_mode="thread_local"):
            output = function(*held)
    current.wait_stream(side)

    def replay(*inputs: torch.Tensor) -> torch.Tensor:
        for own, given in zip(held, inputs, strict=True):
            own.copy_(given, non_blocking=True)
        graph.replay()
        return output.clone()

    return replay
