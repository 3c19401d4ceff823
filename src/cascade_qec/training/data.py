"""Shots made on the fly: a micro-batch is a function of the recipe, its step and its number alone.

So a resumed run, a run on several processes, and a run with more producers all see the same shots. (Given one
version of Stim and one kind of CPU: Stim's random stream depends on both.)
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from math import exp, log
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cascade_qec.model import ModelDescription
from cascade_qec.processes import signals_blocked
from cascade_qec.training.experiments import (
    circuit,
    noise,
    random_noise,
    relative_strength,
    same_components,
    shown,
    window,
)
from cascade_qec.training.recipe import NO_MIXTURE, MixtureSettings, Recipe

if TYPE_CHECKING:
    import torch

TRAINING, STATISTICS, VALIDATION = range(3)
"""Purposes, each with a stream of shots of its own."""

_RATE_GRID = 0.02
"""Rates on the way to the last are rounded to steps of 2 %: a ramp does not need a circuit for every step."""

_MOST_WORKERS = 8
"""A core samples some 100,000 shots of the largest recipe in a second, more than a GPU trains on."""


def default_workers(device: str) -> int:
    """Background processes that sample shots: beside a GPU all cores but one, shared by the machine's trainers."""
    if not device.startswith("cuda"):
        return 1  # training needs the cores itself
    from cascade_qec.training import distributed  # here: producers do without PyTorch

    cores = len(os.sched_getaffinity(0)) - 1
    return min(max(1, cores // distributed.local_processes()), _MOST_WORKERS)


class Rows(NamedTuple):
    """Shots, as `sample_experiments` gives them.

    Attributes
    ----------
    bits : uint8 [shots, bytes]
        A row has the detection events and then the truth (the observables, or the components) of one experiment after
        the other, first bits lowest, each from a new byte on; `cascade_qec.nn.Unpacking` reads it.
    noise : float32 [sites, told] or None
        What a model that is told the noise is told of it, at the sites of one experiment after the other.
    """

    bits: np.ndarray | torch.Tensor
    noise: np.ndarray | torch.Tensor | None = None


def sample(recipe: Recipe, purpose: int, step: int, micro: int, shots: int) -> Rows:
    """One micro-batch of a recipe at the noise of a step, as `sample_experiments` gives it."""

    def rate(uniform: float) -> float:
        return _on_grid(recipe.noise.rate(step, uniform), recipe.noise.p)

    seeds = (recipe.seed, purpose, step, micro)
    settled = step >= recipe.noise.ramp_end
    varied = (recipe.noise.spread, recipe.noise.scatter) if settled else (1.0, 1.0)
    return sample_experiments(recipe.description(), rate, shots, seeds, varied, recipe.mixture)


def sample_experiments(
    made: ModelDescription,
    rate: Callable[[float], float],
    shots: int,
    seeds: Sequence[int],
    varied: tuple[float, float] = (1.0, 1.0),
    mixture: MixtureSettings = NO_MIXTURE,
) -> Rows:
    """Shots of a model's memory experiments: of every number of rounds in one or both bases.

    Parameters
    ----------
    made
        Code, rounds, bases, noise model, and what its head is asked about.
    rate
        The noise rate, of a number drawn for each experiment from [0, 1).
    seeds
        The same ones give the same shots.
    varied
        By how much the noise differs from the model's: `spread` and `scatter` of `RandomNoise.draw`.
    mixture
        Windows and noise models that there are besides the model's own.
    """
    parts, told = [], []
    for index, one in enumerate(shown(made, mixture.cut)):
        rng = np.random.default_rng(np.random.SeedSequence([*seeds, index]))
        p = rate(rng.random())
        name, strength = made.noise_model, 1.0
        if len(mixture.noise) > 1:
            name = mixture.noise[rng.integers(len(mixture.noise))]
            strength = relative_strength(made.code, made.rounds, one.basis, made.noise_model, name)
        random = max(varied) > 1
        # random models of any rate are made from one, which is worked out once
        key = (made.code, one.sampled_rounds, one.basis)
        experiment = (*key, name, (made.noise_p if random else p) * strength)
        seed = int(rng.integers(2**63))
        if made.components is None:
            sampler = circuit(*experiment).compile_detector_sampler(seed=seed)
            parts += sampler.sample(shots, separate_observables=True, bit_packed=True)
            continue
        types = tuple(made.components)
        model, components = noise(*experiment, types)
        around, at_sites, probability = None, None, np.empty(0)
        if random or made.told is not None:
            around = random_noise(*experiment, made.told and tuple(type for type, *_ in made.told))
            probability = around.mechanisms.probability
        if around is not None and random:
            probability = around.draw(rng, *varied) * p / made.noise_p
            errors, events = around.mechanisms.sample(probability, shots, np.random.default_rng(seed))
        else:
            events, _, errors = model.compile_sampler(seed=seed).sample(shots, return_errors=True)
            assert errors is not None
        if around is not None and made.told is not None:
            at_sites = around.priors.at_sites(probability, made.told)
        flipped = components.flipped(errors)
        if name != made.noise_model:
            flipped = flipped[:, same_components(*key, made.noise_model, name, made.noise_p, types)]
        if one.cut:
            seen = window(made, one)
            events, flipped = events[:, seen.detector], flipped[:, seen.component]
            at_sites = None if at_sites is None else at_sites[seen.site]
        parts += [np.packbits(bits, axis=1, bitorder="little") for bits in (events, flipped)]
        told += [] if at_sites is None else [at_sites]
    return Rows(np.concatenate(parts, axis=1), np.concatenate(told) if told else None)


class Producers:
    """Background processes that keep the next micro-batches ready, in order.

    They end with the `with` block, and by themselves should this process be killed.

    Parameters
    ----------
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
        with signals_blocked():
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

    def __iter__(self) -> Iterator[Rows]:
        """Micro-batch after micro-batch, as `sample` gives them."""
        for number, key in enumerate(_keys(self._steps, self._micros)):
            if self._processes:
                yield self._receive(*self._processes[number % self._workers])
            else:
                yield sample(self._recipe, TRAINING, *key, self._recipe.batch.shots)

    def _receive(self, process: BaseProcess, reader: Connection) -> Rows:
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


def _on_grid(rate: float, last: float) -> float:
    return last if rate == last else exp(round(log(rate) / _RATE_GRID) * _RATE_GRID)
