"""Micro-batches on the device, as states and labels, before they are needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import torch

from cascade_qec.model import ModelDescription
from cascade_qec.nn import Faults, Geometry, Questions, Unpacking
from cascade_qec.training.data import Rows
from cascade_qec.training.experiments import check_noise, seen, shown
from cascade_qec.training.recipe import Recipe

_AHEAD = 2

Batch: TypeAlias = tuple[torch.Tensor, ...]
"""States, uint8 [sites, shots], and labels, float32 [shots, asked], and of a model that is told the noise that, float32
[sites, told]; on the device."""


class Examples:
    """What a network learns from: rows of bits as states and labels.

    Parameters
    ----------
    made : Recipe or ModelDescription
        Whose experiments a row has, each with what its head is asked about.

    Attributes
    ----------
    shown : list of Shown
        The experiments, in the order in which a row has them.
    lattices : list of Lattice
        Of what is seen of each.
    unpacking : Unpacking
    questions : Questions or Faults
    geometry : Geometry
    """

    def __init__(self, made: Recipe | ModelDescription, device: torch.device) -> None:
        self.device = device
        described, cut = (made.description(), made.mixture.cut) if isinstance(made, Recipe) else (made, ())
        self.shown = shown(described, cut)
        parts = [seen(described, one) for one in self.shown]
        self.lattices = [lattice for lattice, _ in parts]
        if isinstance(made, Recipe):
            check_noise(described, self.shown, made.mixture.noise)
        asked = [components for _, components in parts if components is not None] or made.operators
        if isinstance(asked, list):
            bits, questions = [len(one) for one in asked], Faults(self.lattices, asked)
        else:
            bits = [lattice.code.k for lattice in self.lattices]
            questions = Questions(self.lattices, asked, joint=isinstance(made, Recipe) and made.loss == "classes")
        slices = [described.slices_summed(lattice.rounds) for lattice in self.lattices]
        self.unpacking = Unpacking(self.lattices, bits).to(device)
        self.questions = questions.to(device)
        network = made.network
        geometry = Geometry(self.lattices, network.convolution, asked, slices, network.mixer, network.segment_rounds)
        self.geometry = geometry.to(device)

    def __call__(self, rows: Rows) -> Batch:
        """What the network takes and what it should say, of rows as `data.sample` gives them."""
        bits, *noise = rows if rows.noise is not None else rows[:1]
        states, observables = self.unpacking(bits)
        told = [torch.as_tensor(part).to(self.device, non_blocking=True) for part in noise]
        return (states, self.questions.labels(states, observables), *told)


def feed(packed: Iterable[Rows], examples: Examples) -> Iterator[Batch]:
    """One micro-batch after another, as `Examples` gives them.

    On a CUDA device the next two are copied and unpacked while the last one is in use, on a stream of their own.
    """
    if examples.device.type == "cuda":
        return _ahead(packed, examples)
    return map(examples, packed)


def _ahead(packed: Iterable[Rows], examples: Examples) -> Iterator[Batch]:
    side = torch.cuda.Stream(examples.device)
    side.wait_stream(torch.cuda.current_stream(examples.device))  # on which the examples' tables were made
    ready: deque[tuple[Batch, torch.cuda.Event]] = deque()
    for rows in packed:
        with torch.cuda.stream(side):
            # torch keeps pinned memory for the next batches, and waits for the copy before it gives it out again
            batch = examples(_pinned(rows))
            done = torch.cuda.Event()
            done.record(side)
        ready.append((batch, done))
        if len(ready) > _AHEAD:
            yield _handed_over(*ready.popleft())
    while ready:
        yield _handed_over(*ready.popleft())


def _pinned(rows: Rows) -> Rows:
    """The same in memory that a CUDA device reads while the host goes on."""
    noise = None if rows.noise is None else torch.as_tensor(rows.noise).pin_memory()
    return Rows(torch.as_tensor(rows.bits).pin_memory(), noise)


def _handed_over(batch: Batch, done: torch.cuda.Event) -> Batch:
    """From the side stream to the current one, which waits for them and keeps their memory as long as it needs it."""
    current = torch.cuda.current_stream(batch[0].device)
    current.wait_event(done)
    for part in batch:
        part.record_stream(current)
    return batch
