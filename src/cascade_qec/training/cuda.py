"""What keeps a CUDA device busy: work recorded once and replayed, and a host that does not run too far ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import torch

_WARM_UP = 3
"""Runs before the capture, in which kernels are tuned and libraries and workspaces initialised."""

_STEPS_AHEAD = 2


def captured(function: Callable[..., torch.Tensor], *inputs: torch.Tensor) -> Callable[..., torch.Tensor]:
    """A function as a CUDA graph: one launch in place of all of its own.

    Parameters
    ----------
    function : callable
        Works on the inputs and on tensors that stay where they are; runs a few times before it is captured.
    inputs : tensors on one CUDA device
        Examples; all later ones have their shapes.

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
        with torch.cuda.graph(graph, stream=side, capture_error_mode="thread_local"):
            output = function(*held)
    current.wait_stream(side)

    def replay(*inputs: torch.Tensor) -> torch.Tensor:
        for own, given in zip(held, inputs, strict=True):
            own.copy_(given, non_blocking=True)
        graph.replay()
        return output.clone()

    return replay


class Throttle:
    """Holds the host back when it is two steps ahead of the device; the device never waits.

    Without it the host would queue up steps, and the memory of their batches, without bound. Does nothing on a CPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._ends: deque[torch.cuda.Event] = deque()

    def step_done(self) -> None:
        """Say that all work of a step has been queued on the current stream."""
        if self._device.type != "cuda":
            return
        end = torch.cuda.Event(blocking=True)  # sleeps, so that a core is left to those who sample shots
        end.record(torch.cuda.current_stream(self._device))
        self._ends.append(end)
        if len(self._ends) > _STEPS_AHEAD:
            self._ends.popleft().synchronize()
