"""Shots as training gets them, without end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from cascade_qec.training import Recipe
from cascade_qec.training.data import Producers
from cascade_qec.training.feed import Batch, Examples, feed

_WITHOUT_END = 10**9


@contextmanager
def pipeline(recipe: Recipe, device: torch.device, workers: int) -> Iterator[Iterator[Batch]]:
    """Micro-batches of the recipe, sampled by background processes, brought to the device and unpacked.

    They are those of the steps after the curriculum, which trains most of the time.
    """
    start = recipe.noise.ramp_end
    steps = range(start, start + _WITHOUT_END)
    with Producers(recipe, steps, range(recipe.batch.micro_batches), workers) as producers:
        yield feed(producers, Examples(recipe, device))
