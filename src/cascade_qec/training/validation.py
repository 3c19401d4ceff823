"""What weights are worth: statistics at the training noise, then block errors at the recipe's rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from cascade_qec import codes
from cascade_qec.codes import Basis
from cascade_qec.guards import Guards, claims, fewer_rounds, floor, unequal_bases, worst_head
from cascade_qec.model import Calibration, ModelDescription, calibrated
from cascade_qec.nn import CascadeNetwork, Questions, collect_statistics
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
        Of each basis, noise rate and number of rounds.
    failures : dict
        Shots with any observable wrong, by noise rate and basis, at the model's own number of rounds.
    by_rounds : dict
        The same of all bases together, by noise rate and number of rounds, those halfway between two among them.
    pooled : dict
        Failures and shots of all bases together, by noise rate.
    guards : Guards
        Heads, floor and bases are those of the model's own number of rounds; losses are at the highest noise rate.
    calibration : Calibration or None
        The description's own. Where it has none, one that is fitted to the first half of the shots, if enough of them
        fail; the guards then judge it by the second half.
    """

    shots: int
    failures: dict[float, dict[Basis, int]]
    by_rounds: dict[float, dict[int, int]]
    pooled: dict[float, Counts]
    guards: Guards
    calibration: Calibration | None


def measure_statistics(
    network: CascadeNetwork, examples: Examples, recipe: Recipe, step: int, dtype: torch.dtype
) -> None:
    """Measure the batch-norm statistics on fresh batches of the noise that a step trains at."""
    with torch.no_grad(), collect_statistics(network):
        for batch in range(recipe.validation.statistics_batches):
            states, _, *noise = examples(data.sample(recipe, data.STATISTICS, step, batch, recipe.batch.shots))
            network(states, examples.geometry, dtype, *noise)


class Validator:
    """Decodes shots of a model's own experiments and judges what came of it.

    Decided are the logical classes for which the operators of the description speak together. The shots are the same at
    every call, so that the figures of one run can be compared with less noise. Of a model that was trained on several
    numbers of rounds, each is decoded, and those halfway between; a local model's search decides at its own number of
    rounds alone.

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
        if made.head == "local":
            made = made.model_copy(update={"mixed_rounds": None})
        if made.mixed_rounds is not None:
            between = [(fewer + more) // 2 for fewer, more in pairwise(made.mixed_rounds)]
            made = made.model_copy(update={"mixed_rounds": sorted({*made.mixed_rounds, *between})})
        self._made, self._dtype, self._batch, self._seed = made, dtype, batch, seed
        self.examples = Examples(made, device)
        self._own = [index for index, one in enumerate(self.examples.shown) if one.rounds == made.rounds]

    def __call__(
        self,
        network: CascadeNetwork,
        ps: Sequence[float],
        shots: int,
        report: Callable[[int], None] = lambda shots: None,
    ) -> Validation:
        """Decode at least so many shots of each basis at each noise rate; the network is left as it was.

        `report` is called after each batch with the number of shots in it.
        """
        bases, questions = self._made.bases, self.examples.questions
        batches = -(-shots // self._batch)
        shots, highest = batches * self._batch, max(ps)
        failures, by_rounds, packed = {}, {}, data.Rows(np.empty(0))
        log_odds: dict[float, NDArray[np.float32]] = {}
        failed: dict[float, NDArray[np.bool_]] = {}
        losses = flips = torch.zeros(len(questions.names), device=self.examples.device)
        was_training = network.training
        network.eval()
        for p in dict.fromkeys(ps):
            # filled in place: small tensors that stay, between large ones that go, leave holes in memory that add up
            log_odds[p] = np.zeros((len(self.examples.shown), shots), dtype=np.float32)
            failed[p] = np.empty(log_odds[p].shape, dtype=np.bool_)
            for batch in range(batches):
                packed = self._sample(p, batch)
                against, labels, wrong = self._ask(network, packed)
                here = slice(batch * self._batch, (batch + 1) * self._batch)
                failed[p][:, here] = wrong.cpu()
                # of a local head's answers there are none: a search decides by them
                if isinstance(questions, Questions):
                    log_odds[p][:, here] = questions.log_odds(against).cpu()
                report(len(bases) * self._batch)
                if p == highest:
                    losses = losses + questions.by_name(F.softplus(against).sum(dim=0))  # binary cross-entropy
                    flips = flips + questions.by_name(labels.sum(dim=0))
            counts = failed[p].sum(axis=1)
            failures[p] = dict(zip(bases, counts[self._own].tolist(), strict=True))
            by_number = counts.reshape(-1, len(bases)).sum(axis=1).tolist()
            by_rounds[p] = dict(zip(self._made.all_rounds, by_number, strict=True))
        # of the same shape, which compiled kernels need not see anew
        _, _, wrong = self._ask(network, packed._replace(bits=np.zeros_like(packed.bits)))
        network.train(was_training)
        calibration, judged = self._made.calibration, 0
        if calibration is None and isinstance(questions, Questions):
            calibration, judged = _fitted(log_odds, failed, shots // 2), shots // 2
        confidence = calibration and claims(
            {p: calibration(odds[:, judged:]) for p, odds in log_odds.items()},
            {p: wrong[:, judged:] for p, wrong in failed.items()},
        )

        k = codes.get(self._made.code).k
        by_head = list(zip(losses.split(questions.counts), flips.split(questions.counts), strict=True))
        flipping = wrong.view(-1, len(bases), wrong.shape[1]).any(dim=2).any(dim=0).tolist()
        pooled = {p: Counts(sum(by_basis.values()), len(bases) * shots) for p, by_basis in failures.items()}
        guards = Guards(
            p=highest,
            heads={
                basis: worst_head(basis, (loss / shots).tolist(), flipped.tolist(), shots)
                for basis, (loss, flipped) in zip(bases, [by_head[one] for one in self._own], strict=True)
            },
            floor=floor(pooled, k),
            bases=unequal_bases(failures, shots, k),
            rounds=fewer_rounds(by_rounds, len(bases) * shots, k),
            flips_on_silence=[basis for basis, flipped in zip(bases, flipping, strict=True) if flipped],
            confidence=confidence,
        )
        return Validation(shots, failures, by_rounds, pooled, guards, calibration)

    def _sample(self, p: float, batch: int) -> data.Rows:
        return data.sample_experiments(self._made, lambda _: p, self._batch, (self._seed, data.VALIDATION, 0, batch))

    def _ask(self, network: CascadeNetwork, packed: data.Rows) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits against the truth, float32 [shots, asked]; the truth; what is wrong, bool [experiments, shots]."""
        states, labels, *noise = self.examples(packed)
        with torch.no_grad():
            against = network(states, self.examples.geometry, self._dtype, *noise) * (1 - 2 * labels)
        return against, labels, self.examples.questions.wrong(against, labels)


def _fitted(
    log_odds: Mapping[float, NDArray[np.float32]], failed: Mapping[float, NDArray[np.bool_]], shots: int
) -> Calibration | None:
    """A calibration of the first shots of each experiment at all noise rates."""
    raw = np.concatenate([of_rate[:, :shots].ravel() for of_rate in log_odds.values()])
    wrong = np.concatenate([failed[p][:, :shots].ravel() for p in log_odds])
    return calibrated(raw, wrong, noise=sorted(log_odds), shots=shots)
