"""What weights are worth: statistics at the training noise, then block errors at the recipe's rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from cascade_qec import codes
from cascade_qec.codes import Operators
from cascade_qec.codes.css import Basis
from cascade_qec.guards import Guards, floor, unequal_bases, worst_head
from cascade_qec.nn import CascadeNetwork, Geometry, collect_statistics
from cascade_qec.statistics import Counts
from cascade_qec.training import data
from cascade_qec.training.class_scores import ClassScores
from cascade_qec.training.recipe import Recipe
from cascade_qec.training.unpacking import Unpacker


@dataclass(frozen=True)
class Validation:
    """What a network made of the validation shots.

    Attributes
    ----------
    shots : int
        Of each basis and noise rate.
    failures : dict
        Shots with any observable wrong, by noise rate and basis.
    pooled : dict
        Failures and shots of all bases together, by noise rate.
    guards : Guards
        The heads' losses are those at the highest noise rate.
    """

    shots: int
    failures: dict[float, dict[Basis, int]]
    pooled: dict[float, Counts]
    guards: Guards


def measure_statistics(
    network: CascadeNetwork, geometry: Geometry, recipe: Recipe, step: int, dtype: torch.dtype
) -> None:
    """Measure the batch-norm statistics on fresh batches of the noise that a step trains at."""
    unpack = Unpacker(recipe, next(network.parameters()).device)
    with torch.no_grad(), collect_statistics(network):
        for batch in range(recipe.validation.statistics_batches):
            states, _ = unpack(data.sample(recipe, data.STATISTICS, step, batch, recipe.batch.shots))
            network(states, geometry, dtype)


def validate(
    network: CascadeNetwork, geometry: Geometry, operators: Operators, recipe: Recipe, dtype: torch.dtype
) -> Validation:
    """Decode the validation shots, at each noise rate and in each basis.

    Decided are the logical classes for which the operators of the geometry speak together. The shots are the same at
    every call, so that the figures of one run can be compared with less noise.
    """
    device = next(network.parameters()).device
    unpack = Unpacker(recipe, device, operators)
    code, bases, validation = codes.get(recipe.code), recipe.bases, recipe.validation
    class_scores = ClassScores(recipe, device, operators)
    counts = class_scores.operators

    def ask(packed: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits against the truth, float32 [shots, operators]; the truth; what is wrong, bool [bases, shots]."""
        states, labels = unpack(packed)
        with torch.no_grad():
            against = network(states, geometry, dtype) * (1 - 2 * labels)
        return against, labels, torch.stack([scores.amax(dim=1) > 0 for scores in class_scores(against)])

    batches = -(-validation.shots // recipe.batch.shots)
    shots, highest = batches * recipe.batch.shots, max(validation.p)
    failures, packed = {}, np.empty(0)
    losses = flips = torch.zeros(sum(counts), device=device)
    was_training = network.training
    network.eval()
    for p in dict.fromkeys(validation.p):
        failed = torch.zeros(len(bases), dtype=torch.int64, device=device)
        for batch in range(batches):
            packed = data.sample(recipe, data.VALIDATION, 0, batch, recipe.batch.shots, p)
            against, labels, wrong = ask(packed)
            failed += wrong.sum(dim=1)
            if p == highest:
                losses = losses + F.softplus(against).sum(dim=0)  # binary cross-entropy
                flips = flips + labels.sum(dim=0)
        failures[p] = dict(zip(bases, failed.tolist(), strict=True))
    _, _, wrong = ask(np.zeros_like(packed))  # of the same shape, which compiled kernels need not see anew
    network.train(was_training)

    heads = zip(bases, losses.split(counts), flips.split(counts), strict=True)
    pooled = {p: Counts(sum(by_basis.values()), len(bases) * shots) for p, by_basis in failures.items()}
    guards = Guards(
        p=highest,
        heads={b: worst_head(b, (loss / shots).tolist(), flipped.tolist(), shots) for b, loss, flipped in heads},
        floor=floor(pooled, code.k),
        bases=unequal_bases(failures, shots, code.k),
        flips_on_silence=[basis for basis, flipped in zip(bases, wrong.any(dim=1).tolist(), strict=True) if flipped],
    )
    return Validation(shots, failures, pooled, guards)
