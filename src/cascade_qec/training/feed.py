"""Micro-batches on the device before they are needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
import torch

from cascade_qec.training.unpacking import Unpacker

_AHEAD = 2


def feed(packed: Iterable[np.ndarray], unpacker: Unpacker) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """States and labels of one packed micro-batch after another, as the unpacker gives them.

    On a CUDA device the next two are copied and unpacked while the last one is in use, on a stream of their own.
    """
    if unpacker.device.type == "cuda":
        return _ahead(packed, unpacker)
    return map(unpacker, packed)


def _ahead(packed: Iterable[np.ndarray], unpacker: Unpacker) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    side = torch.cuda.Stream(unpacker.device)
    side.wait_stream(torch.cuda.current_stream(unpacker.device))  # on which the unpacker's tables were made
    ready: deque[tuple[torch.Tensor, torch.Tensor, torch.cuda.Event]] = deque()
    for rows in packed:
        with torch.cuda.stream(side):
            # torch keeps pinned memory for the next batches, and waits for the copy before it gives it out again
            states, labels = unpacker(torch.from_numpy(rows).pin_memory())
            done = torch.cuda.Event()
            done.record(side)
        ready.append((states, labels, done))
        if len(ready) > _AHEAD:
            yield _handed_over(*ready.popleft())
    while ready:
        yield _handed_over(*ready.popleft())


def _handed_over(
    states: torch.Tensor, labels: torch.Tensor, done: torch.cuda.Event
) -> tuple[torch.Tensor, torch.Tensor]:
    """From the side stream to the current one, which waits for them and keeps their memory as long as it needs it."""
    current = torch.cuda.current_stream(states.device)
    current.wait_event(done)
    states.record_stream(current)
    labels.record_stream(current)
    return states, labels
