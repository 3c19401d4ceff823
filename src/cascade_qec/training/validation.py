"""What weights are worth: statistics at the training noise, then block errors at the recipe's rates."""

from __future__ import annotations

import torch

from cascade_qec.nn import CascadeNetwork, Geometry, collect_statistics
from cascade_qec.training import data
from cascade_qec.training.recipe import Recipe
from cascade_qec.training.unpacking import Unpacker


def measure_statistics(
    network: CascadeNetwork, geometry: Geometry, recipe: Recipe, step: int, dtype: torch.dtype
) -> None:
    """Measure the batch-norm statistics on fresh batches of the noise that a step trains at."""
    unpack = Unpacker(recipe, next(network.parameters()).device)
    with torch.no_grad(), collect_statistics(network):
        for batch in range(recipe.validation.statistics_batches):
            states, _ = unpack(data.sample(recipe, data.STATISTICS, step, batch, recipe.batch.shots))
            network(states, geometry, dtype)


def block_errors(
    network: CascadeNetwork, geometry: Geometry, recipe: Recipe, dtype: torch.dtype
) -> dict[float, dict[str, int]]:
    """Shots with any observable wrong, all bases pooled: {p: {"shots": ..., "failures": ...}}.

    The shots are the same at every call, so that the figures of one run can be compared with less noise.
    """
    unpack = Unpacker(recipe, next(network.parameters()).device)
    network.eval()
    rows = {}
    for p in recipe.validation.p:
        shots = failures = 0
        for batch in range(-(-recipe.validation.shots // recipe.batch.shots)):
            states, labels = unpack(data.sample(recipe, data.VALIDATION, 0, batch, recipe.batch.shots, p))
            with torch.no_grad():
                wrong = (network(states, geometry, dtype) > 0) != labels.bool()
            by_experiment = wrong.view(len(wrong), len(recipe.bases), -1).any(dim=2)
            shots += by_experiment.numel()
            failures += int(by_experiment.sum())
        rows[p] = {"shots": shots, "failures": failures}
    network.train()
    return rows
