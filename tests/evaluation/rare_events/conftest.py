# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import stim

from cascade_qec.decoders.result import DecodeResult
from cascade_qec.evaluation.rare_events.tallies import Run, Tallies


def small_model(p: float) -> stim.DetectorErrorModel:
    """Twelve mechanisms, each with a detector of its own, whose probabilities grow with p at different rates."""
    model = stim.DetectorErrorModel()
    for i in range(12):
        q = p * (1 + i % 4) * (1 + 5 * p * (i % 3))
        model.append("error", q, [stim.target_relative_detector_id(i)])
    model.append("logical_observable", [], [stim.target_logical_observable_id(0)])
    return model


@dataclass
class KnownDecoder:
    """Fails when at least two of the first six mechanisms have happened, or the last four all have."""

    shots: int = 0

    def decode_batch(self, dets: np.ndarray, *, bit_packed: bool = False) -> DecodeResult:
        self.shots += len(dets)
        return DecodeResult(known_failures(dets)[:, None])


def known_failures(dets: np.ndarray) -> np.ndarray:
    return (dets[:, :6].sum(axis=1) >= 2) | dets[:, 8:].all(axis=1)


def every_outcome(model: stim.DetectorErrorModel) -> tuple[np.ndarray, np.ndarray]:
    """All sets of the small model as bool [sets, mechanisms], and their probabilities."""
    q = np.array([i.args_copy()[0] for i in model if i.type == "error"])
    happened = np.array(list(itertools.product([False, True], repeat=len(q))))
    return happened, np.where(happened, q, 1 - q).prod(axis=1)


@functools.cache
def true_rate(p: float) -> float:
    happened, probabilities = every_outcome(small_model(p))
    return float(probabilities[known_failures(happened)].sum())


class Steps:
    """A clock that advances whenever it is read."""

    def __init__(self, step: float = 0.01) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def small():
    """The small model and the decoder of known behaviour, for tests to share."""
    return small_model


@pytest.fixture
def known():
    return KnownDecoder


@pytest.fixture
def outcomes():
    return every_outcome


@pytest.fixture
def truth():
    return true_rate


@pytest.fixture
def steps():
    return Steps


@pytest.fixture
def empty():
    """Tallies of a run at some strengths, with nothing counted yet."""

    def make(ps: Sequence[float], seed: int = 0) -> Tallies:
        names = {"decoder": "known", "parameters": "", "code": "small", "basis": "Z", "noise": "uniform"}
        return Tallies(Run(**names, rounds=1, sampled_at=max(ps), seed=seed), ps)

    return make
