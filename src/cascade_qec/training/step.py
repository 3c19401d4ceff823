"""One step: forward and backward of its micro-batches, then the update. Nothing in it waits for the device.

A CUDA device is kept busy by work that is recorded once and replayed, and by a host that does not run too far ahead.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.kernels.graphs import captured
from cascade_qec.nn import CascadeNetwork, Faults, Geometry, Questions
from cascade_qec.training import distributed
from cascade_qec.training.optimizers import Optimizers
from cascade_qec.training.recipe import Recipe

_STEPS_AHEAD = 2


class Throttle:
    """Holds the host back when it is two steps ahead of the device; the device never waits.

    Without it the host would queue up steps, and the memory of their batches, without bound. Does nothing on a CPU.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._ends: deque[torch.cuda.Event] = deque()

    def step_done(self) -> None:
        """Say that all work of a step has been queued on the current stream."""
        if self._device.type != "cuda":
            return
        end = torch.cuda.Event(blocking=True)  # sleeps, so that a core is left to those who sample shots
        end.record(torch.cuda.current_stream(self._device))
        self._ends.append(end)
        if len(self._ends) > _STEPS_AHEAD:
            self._ends.popleft().synchronize()


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
    questions : Questions or Faults
        What the geometry asks about, on the device.
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
        questions: Questions | Faults,
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
        self._questions = questions
        self._graph = graph and device.type == "cuda"
        self._run: Callable[..., torch.Tensor] | None = None
        self._throttle = Throttle(device)

    def __call__(self, batches: Iterator[tuple[torch.Tensor, ...]], number: int) -> torch.Tensor:
        """All of a step.

        Parameters
        ----------
        batches : iterator of (states, labels) or (states, labels, noise)
            On the device, see `forward_backward`.
        number : int
            Of the step; sets the learning rates.

        Returns
        -------
        float32 [names]
            Mean losses over all micro-batches of all processes, on the device.
        """
        for _ in self._micros:
            self.forward_backward(*next(batches))
        losses = self.update(number)
        self._throttle.step_done()
        return losses

    def forward_backward(self, states: torch.Tensor, labels: torch.Tensor, *noise: torch.Tensor) -> torch.Tensor:
        """Add one micro-batch to the gradients.

        Parameters
        ----------
        states : uint8 [sites, shots]
        labels : float32 [shots, asked]
        noise : float32 [sites, told], optional

        Returns
        -------
        float32 [names]
            Mean losses of the micro-batch.

        Raises
        ------
        CascadeError
            If the device's memory is too small.
        """
        try:
            if self._run is None:
                self._run = self._captured(states, labels, *noise) if self._graph else self._micro_batch
            return self._run(states, labels, *noise)
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
        float32 [names]
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

    def _micro_batch(self, states: torch.Tensor, labels: torch.Tensor, *noise: torch.Tensor) -> torch.Tensor:
        logits = self.network(states, self._geometry, self._dtype, *noise)
        against = logits * (1 - 2 * labels)
        loss, losses = self._questions.loss(against)
        share = 1 / self._recipe.batch.micro_batches
        (loss * share).backward()
        self._losses.add_(losses.detach(), alpha=share)
        return losses.detach()

    def _captured(self, *inputs: torch.Tensor) -> Callable[..., torch.Tensor]:
        """The micro-batch as a graph, or as it is; leaves the sums as they were."""
        before = self._sums.clone()
        try:
            return captured(self._micro_batch, *inputs)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            warnings.warn(f"trains without a CUDA graph, which could not be captured: {error}", CascadeWarning, 3)
            return self._micro_batch
        finally:
            self._sums.copy_(before)
