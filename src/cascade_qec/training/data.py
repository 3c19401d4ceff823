"""Shots made on the fly: a micro-batch is a function of the recipe, its step and its number alone.

So a resumed run, a run on several processes, and a run with more producers all see the same shots. (Given one
version of Stim and one kind of CPU: Stim's random stream depends on both.)
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from math import exp, log
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import numpy as np
import stim
import torch

from cascade_qec import circuits, codes
from cascade_qec.codes.css import Basis
from cascade_qec.lattice import memory_lattice
from cascade_qec.training.recipe import Recipe

TRAINING, STATISTICS, VALIDATION = range(3)
"""Purposes, each with a stream of shots of its own."""

_RATE_GRID = 0.02
"""Rates on the way to the last are rounded to steps of 2 %: a ramp does not need a circuit for every step."""

Packed = list[tuple[np.ndarray, np.ndarray]]


def sample(recipe: Recipe, purpose: int, step: int, micro: int, shots: int, p: float | None = None) -> Packed:
    """One micro-batch: for each basis bit-packed detection events and observables, uint8 [shots, bytes]."""
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
    """Packed shots of each basis to states, uint8 [sites, shots], and labels, float32 [shots, observables].

    The bases follow one another in both; column b of the states and row b of the labels are shot b of each.
    """
    states, labels = [], []
    for basis, (detectors, observables) in zip(recipe.bases, parts, strict=True):
        lattice = memory_lattice(codes.get(recipe.code), recipe.rounds, basis)
        states.append(lattice.scatter(_bits(detectors, lattice.detectors)))
        labels.append(_bits(observables, lattice.code.k))
    return torch.from_numpy(np.concatenate(states)), torch.from_numpy(np.concatenate(labels, axis=1)).float()


class Producers:
    """Background processes that keep the next micro-batches ready, in order.

    They end with the `with` block, and by themselves should this process be killed.

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
        self._recipe, self._steps, self._micros, self._workers = recipe, steps, micros, workers
        self._processes: list[tuple[BaseProcess, Connection]] = []

    def __enter__(self) -> Producers:
        context = multiprocessing.get_context("spawn")  # a forked child would share torch's threads
        with _signals_blocked():
            for worker in range(self._workers if self._steps else 0):
                reader, writer = context.Pipe(duplex=False)
                share = (self._recipe, self._steps, self._micros, worker, self._workers)
                process = context.Process(target=_produce, args=(*share, writer))
                process.start()
                writer.close()  # only the worker has one now, so that its end is an end of file to the reader
                self._processes.append((process, reader))
        return self

    def __exit__(self, *_: object) -> None:
        for process, reader in self._processes:
            process.kill()
            process.join()
            reader.close()

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """States and labels of micro-batch after micro-batch, as `unpack` gives them."""
        for number, key in enumerate(_keys(self._steps, self._micros)):
            if self._processes:
                parts = self._receive(*self._processes[number % self._workers])
            else:
                parts = sample(self._recipe, TRAINING, *key, self._recipe.batch.shots)
            yield unpack(self._recipe, parts)

    def _receive(self, process: BaseProcess, reader: Connection) -> Packed:
        try:
            return reader.recv()
        except (EOFError, OSError):
            process.join()
            raise ChildProcessError(
                f"a background process that samples shots has ended, exit status {process.exitcode}"
            ) from None


def _keys(steps: range, micros: range) -> Iterator[tuple[int, int]]:
    return ((step, micro) for step in steps for micro in micros)


def _produce(recipe: Recipe, steps: range, micros: range, worker: int, workers: int, writer: Connection) -> None:
    """Every `workers`-th micro-batch into a pipe, which holds a worker back until its last batch is read."""
    os.nice(5)
    try:
        for key in islice(_keys(steps, micros), worker, None, workers):
            writer.send(sample(recipe, TRAINING, *key, recipe.batch.shots))
    except BrokenPipeError:  # the trainer was killed
        return


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Processes started in this context never see SIGINT and SIGTERM, also where these go to the whole group.

    The trainer decides when to stop, and ends its producers.
    """
    resource_tracker.ensure_running()  # it comes with the first process, and would unblock the signals again
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _on_grid(rate: float, last: float) -> float:
    return last if rate == last else exp(round(log(rate) / _RATE_GRID) * _RATE_GRID)


@lru_cache(maxsize=256)  # as many as a log-uniform draw over a decade has on the grid, for both bases
def _circuit(code: str, rounds: int, basis: Basis, model: str, p: float) -> stim.Circuit:
    noise = circuits.noise_model(model, p)
    return circuits.memory(codes.get(code), rounds=rounds, basis=basis, noise=noise)


def _bits(packed: np.ndarray, width: int) -> np.ndarray:
    return np.unpackbits(packed, axis=1, count=width, bitorder="little").view(bool)
