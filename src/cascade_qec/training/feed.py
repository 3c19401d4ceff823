"""Micro-batches on the device, as states and labels, before they are needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
import torch

from cascade_qec import codes
from cascade_qec.lattice import memory_lattices
from cascade_qec.nn import ModelDescription, Questions, Unpacking
from cascade_qec.training.recipe import Recipe

_AHEAD = 2


class Examples:
    """What a network learns from: rows of bits as states and labels.

    Parameters
    ----------
    made : Recipe or ModelDescription
        Whose experiments a row has, each with its observables, and the operators whose values are the labels.

    Attributes
    ----------
    lattices : list of Lattice
    unpacking : Unpacking
    questions : Questions
    """

    def __init__(self, made: Recipe | ModelDescription, device: torch.device) -> None:
        self.device = device
        self.lattices = memory_lattices(codes.get(made.code), made.rounds, made.bases)
        self.unpacking = Unpacking(self.lattices, [lattice.code.k for lattice in self.lattices]).to(device)
        self.questions = Questions(self.lattices, made.operators).to(device)

    def __call__(self, packed: np.ndarray | torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """States, uint8 [sites, shots], and labels, float32 [shots, operators], of rows as `data.sample` gives them."""
        states, observables = self.unpacking(packed)
        return states, self.questions.labels(states, observables)


def feed(packed: Iterable[np.ndarray], examples: Examples) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """States and labels of one packed micro-batch after another, as `Examples` gives them.

    On a CUDA device the next two are copied and unpacked while the last one is in use, on a stream of their own.
    """
    if examples.device.type == "cuda":
        return _ahead(packed, examples)
    return map(examples, packed)


def _ahead(packed: Iterable[np.ndarray], examples: Examples) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    side = torch.cuda.Stream(examples.device)
    side.wait_stream(torch.cuda.current_stream(examples.device))  # on which the examples' tables were made
    ready: deque[tuple[torch.Tensor, torch.Tensor, torch.cuda.Event]] = deque()
    for rows in packed:
        with torch.cuda.stream(side):
            # torch keeps pinned memory for the next batches, and waits for the copy before it gives it out again
            states, labels = examples(torch.from_numpy(rows).pin_memory())
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
