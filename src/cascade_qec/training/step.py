"""One step: forward and backward of its micro-batches, then the update. Nothing in it waits for the device."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch.optim.swa_utils import get_ema_multi_avg_fn

from cascade_qec import codes
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.nn import CascadeNetwork, Geometry, Questions
from cascade_qec.training import distributed
from cascade_qec.training.cuda import Throttle, captured
from cascade_qec.training.optimizers import Optimizers
from cascade_qec.training.recipe import Recipe


class Step:
    """Takes the steps of a recipe.

    On a CUDA device a micro-batch's forward, loss and backward are one CUDA graph, captured at the first of them.
    The update stays outside: its learning rates change, and the sum over processes is no work for a graph.

    Parameters
    ----------
    network : CascadeNetwork
        On the device. Its gradients are buffers that stay where they are, zero between steps.
    average : CascadeNetwork
        Follows the network's weights.
    geometry : Geometry
        On the device.
    questions : Questions
        What the geometry asks about, on the device.
    recipe : Recipe
    device : torch.device
    dtype : torch.dtype
        Of the activations; weights, averages and optimizer state are float32.
    micros : range
        Numbers of the micro-batches that this process has of each step.
    graph : bool
        Capture a CUDA graph; without it, or where the capture fails, every operation is launched by itself.

    Attributes
    ----------
    optimizers : Optimizers
    """

    def __init__(
        self,
        network: CascadeNetwork,
        average: CascadeNetwork,
        geometry: Geometry,
        questions: Questions,
        recipe: Recipe,
        *,
        device: torch.device,
        dtype: torch.dtype,
        micros: range,
        graph: bool = True,
    ) -> None:
        self.network = network.train()
        self.optimizers = Optimizers(network, recipe.optimizer)
        self._geometry, self._recipe, self._dtype, self._micros = geometry, recipe, dtype, micros
        self._parameters: list[torch.Tensor] = list(network.parameters())
        self._averages: list[torch.Tensor] = list(average.parameters())
        # all sums over the micro-batches of a step lie in one tensor, to be added over processes in one message
        sizes = [parameter.numel() for parameter in self._parameters]
        self._sums = torch.zeros(sum(sizes) + sum(questions.counts), device=device)
        *gradients, self._losses = self._sums.split([*sizes, sum(questions.counts)])
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient.view_as(parameter)
        self._k = codes.get(recipe.code).k
        self._questions = questions
        self._graph = graph and device.type == "cuda"
        self._run: Callable[..., torch.Tensor] | None = None
        self._throttle = Throttle(device)

    def __call__(self, batches: Iterator[tuple[torch.Tensor, torch.Tensor]], number: int) -> torch.Tensor:
        """All of a step.

        Parameters
        ----------
        batches : iterator of (states, labels)
            On the device, see `forward_backward`.
        number : int
            Of the step; sets the learning rates.

        Returns
        -------
        float32 [operators]
            Mean losses over all micro-batches of all processes, on the device.
        """
        for _ in self._micros:
            self.forward_backward(*next(batches))
        losses = self.update(number)
        self._throttle.step_done()
        return losses

    def forward_backward(self, states: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Add one micro-batch to the gradients.

        Parameters
        ----------
        states : uint8 [sites, shots]
        labels : float32 [shots, operators]

        Returns
        -------
        float32 [operators]
            Mean losses of the micro-batch.

        Raises
        ------
        CascadeError
            If the device's memory is too small.
        """
        try:
            if self._run is None:
                self._run = self._captured(states, labels) if self._graph else self._micro_batch
            return self._run(states, labels)
        except torch.OutOfMemoryError as error:
            batch = self._recipe.batch
            raise CascadeError(
                f"a micro-batch of {batch.shots} shots does not fit into the memory of {states.device}: lower "
                f"batch.shots and raise batch.micro_batches, now {batch.micro_batches}, by the same factor"
            ) from error

    def update(self, number: int) -> torch.Tensor:
        """Apply the gradients summed since the last update, with the learning rates of a step.

        Returns
        -------
        float32 [operators]
            Mean losses, as a step's.
        """
        settings = self._recipe.optimizer
        distributed.sum_over_processes(self._sums)
        torch.nn.utils.clip_grad_norm_(self._parameters, settings.clip)
        self.optimizers.step(number)
        # early on the average follows quickly, or it would drag the initial weights along
        decay = min(settings.ema, (1 + number) / (10 + number))
        get_ema_multi_avg_fn(decay)(self._averages, self._parameters, None)
        losses = self._losses.clone()
        self._sums.zero_()
        return losses

    def _micro_batch(self, states: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        logits = self.network(states, self._geometry, self._dtype)
        against = logits * (1 - 2 * labels)
        losses = F.softplus(against).mean(dim=0)  # binary cross-entropy
        loss = losses.mean()
        if self._recipe.loss == "classes":
            by_basis = torch.stack([scores.logsumexp(dim=1).mean() for scores in self._questions.scores(against)])
            loss = loss + by_basis.mean() / self._k
        share = 1 / self._recipe.batch.micro_batches
        (loss * share).backward()
        self._losses.add_(losses.detach(), alpha=share)
        return losses.detach()

    def _captured(self, states: torch.Tensor, labels: torch.Tensor) -> Callable[..., torch.Tensor]:
        """The micro-batch as a graph, or as it is; leaves the sums as they were."""
        before = self._sums.clone()
        try:
            return captured(self._micro_batch, states, labels)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            warnings.warn(f"trains without a CUDA graph, which could not be captured: {error}", CascadeWarning, 3)
            return self._micro_batch
        finally:
            self._sums.copy_(before)
