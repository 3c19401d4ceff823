"""What weights are worth: statistics at the training noise, then block errors at the recipe's rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from cascade_qec import codes
from cascade_qec.codes import Basis
from cascade_qec.guards import Guards, floor, unequal_bases, worst_head
from cascade_qec.nn import CascadeNetwork, ModelDescription, collect_statistics
from cascade_qec.statistics import Counts
from cascade_qec.training import data
from cascade_qec.training.feed import Examples
from cascade_qec.training.recipe import Recipe


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
    network: CascadeNetwork, examples: Examples, recipe: Recipe, step: int, dtype: torch.dtype
) -> None:
    """Measure the batch-norm statistics on fresh batches of the noise that a step trains at."""
    with torch.no_grad(), collect_statistics(network):
        for batch in range(recipe.validation.statistics_batches):
            states, _ = examples.unpacking(data.sample(recipe, data.STATISTICS, step, batch, recipe.batch.shots))
            network(states, examples.geometry, dtype)


class Validator:
    """Decodes shots of a model's own experiments and judges what came of it.

    Decided are the logical classes for which the operators of the description speak together. The shots are the same at
    every call, so that the figures of one run can be compared with less noise.

    Parameters
    ----------
    made : ModelDescription
        Code, rounds, bases, noise model and operators.
    dtype : torch.dtype
        Of the activations.
    batch : int
        Shots at a time.

    Attributes
    ----------
    examples : Examples
    """

    def __init__(
        self, made: ModelDescription, *, device: torch.device, dtype: torch.dtype, batch: int, seed: int
    ) -> None:
        self._made, self._dtype, self._batch, self._seed = made, dtype, batch, seed
        self.examples = Examples(made, device)

    def __call__(self, network: CascadeNetwork, ps: Sequence[float], shots: int) -> Validation:
        """Decode at least so many shots of each basis at each noise rate; the network is left as it was."""
        bases, questions = self._made.bases, self.examples.questions
        batches = -(-shots // self._batch)
        shots, highest = batches * self._batch, max(ps)
        failures, packed = {}, np.empty(0)
        losses = flips = torch.zeros(len(questions.names), device=self.examples.device)
        was_training = network.training
        network.eval()
        for p in dict.fromkeys(ps):
            failed = torch.zeros(len(bases), dtype=torch.int64, device=self.examples.device)
            for batch in range(batches):
                packed = self._sample(p, batch)
                against, labels, wrong = self._ask(network, packed)
                failed += wrong.sum(dim=1)
                if p == highest:
                    losses = losses + questions.by_name(F.softplus(against).sum(dim=0))  # binary cross-entropy
                    flips = flips + questions.by_name(labels.sum(dim=0))
            failures[p] = dict(zip(bases, failed.tolist(), strict=True))
        # of the same shape, which compiled kernels need not see anew
        _, _, wrong = self._ask(network, np.zeros_like(packed))
        network.train(was_training)

        k = codes.get(self._made.code).k
        heads = zip(bases, losses.split(questions.counts), flips.split(questions.counts), strict=True)
        pooled = {p: Counts(sum(by_basis.values()), len(bases) * shots) for p, by_basis in failures.items()}
        guards = Guards(
            p=highest,
            heads={b: worst_head(b, (loss / shots).tolist(), flipped.tolist(), shots) for b, loss, flipped in heads},
            floor=floor(pooled, k),
            bases=unequal_bases(failures, shots, k),
            flips_on_silence=[
                basis for basis, flipped in zip(bases, wrong.any(dim=1).tolist(), strict=True) if flipped
            ],
        )
        return Validation(shots, failures, pooled, guards)

    def _sample(self, p: float, batch: int) -> np.ndarray:
        return data.sample_experiments(self._made, lambda _: p, self._batch, (self._seed, data.VALIDATION, 0, batch))

    def _ask(self, network: CascadeNetwork, packed: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits against the truth, float32 [shots, asked]; the truth; what is wrong, bool [bases, shots]."""
        states, labels = self.examples(packed)
        with torch.no_grad():
            against = network(states, self.examples.geometry, self._dtype) * (1 - 2 * labels)
        return against, labels, self.examples.questions.wrong(against, labels)
