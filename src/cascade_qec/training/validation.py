"""What weights are worth: statistics at the training noise, then block errors at the recipe's rates."""

from __future__ import annotations

import torch

from cascade_qec import codes
from cascade_qec.lattice import Operators, readout
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
    network: CascadeNetwork, geometry: Geometry, operators: Operators, recipe: Recipe, dtype: torch.dtype
) -> dict[float, dict[str, int]]:
    """Shots with any observable wrong, all bases pooled: {p: {"shots": ..., "failures": ...}}.

    Decided are the logical classes for which the operators of the geometry speak together. The shots are the same at
    every call, so that the figures of one run can be compared with less noise.
    """
    device = next(network.parameters()).device
    unpack = Unpacker(recipe, device, operators)
    code = codes.get(recipe.code)
    values = [torch.from_numpy(readout(code, basis, operators).values).float().to(device) for basis in recipe.bases]
    network.eval()
    rows = {}
    for p in recipe.validation.p:
        shots = failures = 0
        for batch in range(-(-recipe.validation.shots // recipe.batch.shots)):
            states, labels = unpack(data.sample(recipe, data.VALIDATION, 0, batch, recipe.batch.shots, p))
            with torch.no_grad():
                against = network(states, geometry, dtype) * (1 - 2 * labels)
            # Wrong where the operators together speak for another class than the true one.
            by_basis = against.split([len(v) for v in values], dim=1)
            wrong = [((part @ v).amax(dim=1) > 0) for part, v in zip(by_basis, values, strict=True)]
            shots += len(wrong) * len(against)
            failures += int(torch.stack(wrong).sum())
        rows[p] = {"shots": shots, "failures": failures}
    network.train()
    return rows
