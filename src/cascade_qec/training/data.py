"""Shots made on the fly: every micro-batch is a function of the recipe, its step and its number, and nothing else.

So a resumed run, a run on several processes, and a run with more producers all see the same shots.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import lru_cache
from math import exp, log

import numpy as np
import stim
import torch

from cascade_qec import circuits, codes
from cascade_qec.lattice import memory_lattice
from cascade_qec.training.recipe import Recipe

TRAINING, STATISTICS, VALIDATION = range(3)
"""Purposes, each with a stream of shots of its own."""

_RATE_GRID = 0.02
"""Rates on the way to the last one are rounded to steps of 2 %: a ramp needs no circuit of its own for every step."""

Packed = list[tuple[np.ndarray, np.ndarray]]


def sample(recipe: Recipe, purpose: int, step: int, micro: int, shots: int, p: float | None = None) -> Packed:
    """Sample one micro-batch: for each basis bit-packed detection events and observables, uint8 [shots, bytes]."""
    parts = []
    for index, basis in enumerate(recipe.bases):
        seeds = np.random.SeedSequence([recipe.seed, purpose, step, micro, index])
        rng = np.random.default_rng(seeds)
        uniform = rng.random()
        rate = p if p is not None else _on_grid(recipe.noise.rate(step, uniform), recipe.noise.p)
        circuit = _circuit(recipe.code, recipe.rounds, basis, recipe.noise.model, rate)
        sampler = circuit.compile_detector_sampler(seed=int(rng.integers(2**63)))
        parts.append(sampler.sample(shots, separate_observables=True, bit_packed=True))
    return parts


def unpack(recipe: Recipe, parts: Packed) -> tuple[torch.Tensor, torch.Tensor]:
    """Packed shots of each basis to states, uint8 [sites, shots], and labels, float32 [shots, observables]."""
    states, labels = [], []
    for basis, (detectors, observables) in zip(recipe.bases, parts, strict=True):
        lattice = memory_lattice(codes.get(recipe.code), recipe.rounds, basis)
        states.append(lattice.scatter(_bits(detectors, lattice.detectors)))
        labels.append(_bits(observables, lattice.code.k))
    return torch.from_numpy(np.concatenate(states)), torch.from_numpy(np.concatenate(labels, axis=1)).float()


class Producers:
    """Background processes that keep the next micro-batches ready, in order.

    Parameters
    ----------
    recipe : Recipe
    steps : range
        The steps whose batches are wanted.
    micros : range
        Numbers of the micro-batches of each step that this process trains on.
    workers : int
        Background processes; with 0 the shots are sampled when asked for.
    """

    def __init__(self, recipe: Recipe, steps: range, micros: range, workers: int) -> None:
        self._recipe = recipe
        self._wanted = iter([(step, micro) for step in steps for micro in micros])
        self._ahead = 4 * max(1, workers)
        self._ready: deque[Future[Packed]] = deque()
        self._pool = None
        if workers:
            context = multiprocessing.get_context("spawn")  # a forked child would share torch's threads
            self._pool = ProcessPoolExecutor(workers, context, initializer=_lower_priority)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        while True:
            if self._pool is None:
                key = next(self._wanted, None)
                if key is None:
                    return
                parts = sample(self._recipe, TRAINING, *key, self._recipe.batch.shots)
            else:
                while len(self._ready) < self._ahead and (key := next(self._wanted, None)):
                    shots = self._recipe.batch.shots
                    self._ready.append(self._pool.submit(sample, self._recipe, TRAINING, *key, shots))
                if not self._ready:
                    return
                parts = self._ready.popleft().result()
            yield unpack(self._recipe, parts)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _lower_priority() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the trainer decides when to stop, and closes its producers
    os.nice(5)


def _on_grid(rate: float, last: float) -> float:
    return last if rate == last else exp(round(log(rate) / _RATE_GRID) * _RATE_GRID)


@lru_cache(maxsize=64)
def _circuit(code: str, rounds: int, basis: str, model: str, p: float) -> stim.Circuit:
    noise = circuits.noise_model(model, p)
    return circuits.memory(codes.get(code), rounds=rounds, basis=basis, noise=noise)


def _bits(packed: np.ndarray, width: int) -> np.ndarray:
    return np.unpackbits(packed, axis=1, count=width, bitorder="little").view(bool)
