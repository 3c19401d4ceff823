"""Muon for matrices, Lion for the rest, with learning rates that carry over from width to width (MuP)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import cos, pi, sqrt
from typing import Any

import torch
from lion_pytorch.foreach import Lion

from cascade_qec.kernels.cpu import bfloat16_pays
from cascade_qec.nn import CascadeNetwork
from cascade_qec.training.recipe import OptimizerSettings

# pyright: reportPrivateImportUsage=false
# torch's own optimizers stand on its foreach functions, which have no public names


class Muon(torch.optim.Muon):
    """`torch.optim.Muon` with its defaults, but the matrices of one shape share each operation.

    A network has many small matrices of few shapes; one at a time they are so many launches that a device waits for
    the host. State and groups are those of `torch.optim.Muon`, so that either goes on from the other's checkpoint.
    """

    def __init__(self, matrices: Iterable[torch.nn.Parameter], *, lr: float, weight_decay: float) -> None:
        super().__init__(matrices, lr=lr, weight_decay=weight_decay)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Apply the gradients, which all matrices have."""
        for group in self.param_groups:
            by_shape: defaultdict[torch.Size, list[torch.Tensor]] = defaultdict(list)
            for matrix in group["params"]:
                by_shape[matrix.shape].append(matrix)
            for matrices in by_shape.values():
                self._step(matrices, group)

    def _step(self, matrices: list[torch.Tensor], group: dict[str, Any]) -> None:
        gradients: list[torch.Tensor] = [matrix.grad for matrix in matrices]  # pyright: ignore[reportAssignmentType]
        momenta = [self._momentum(matrix) for matrix in matrices]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, momenta, group["momentum"])  # Nesterov's
        directions = _orthogonal(torch.stack(ahead), group).float().unbind()
        rows, columns = matrices[0].shape
        torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(matrices, directions, alpha=-group["lr"] * sqrt(max(1, rows / columns)))

    def _momentum(self, matrix: torch.Tensor) -> torch.Tensor:
        state = self.state[matrix]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        return state["momentum_buffer"]


def _orthogonal(matrices: torch.Tensor, group: dict[str, Any]) -> torch.Tensor:
    """Newton's and Schulz's iteration, which brings all singular values near 1.

    Parameters
    ----------
    matrices : [n, rows, columns]

    Returns
    -------
    [n, rows, columns], contiguous
        bfloat16, as its author has it, or float32 where the device would have to emulate that.
    """
    a, b, c = group["ns_coefficients"]
    tall = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if tall else matrices).to(torch.bfloat16 if bfloat16_pays(matrices.device) else torch.float32)
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=group["eps"])
    for _ in range(group["ns_steps"]):
        square = x @ x.mT
        polynomial = torch.baddbmm(square, square, square, beta=b, alpha=c)
        x = torch.baddbmm(x, polynomial, x, beta=a)
    return (x.mT if tall else x).contiguous()


class Optimizers:
    """Both optimizers as one.

    Muon's update of a matrix has a spectral norm that depends on its shape alone, so its rate needs no
    scaling with width. Lion moves every entry by its rate whatever the gradient; the output weights sum over
    2 H hidden channels, so theirs falls with 1 / H. The weights of depthwise convolutions are no matrices, though
    stored as one: every channel has its own.
    """

    def __init__(self, network: CascadeNetwork, settings: OptimizerSettings) -> None:
        self.settings = settings
        matrices, vectors = [], []
        for name, parameter in network.named_parameters():
            if parameter is network.head.output:
                continue
            by_channel = network.settings.depthwise and ".convolutions." in name
            table = name in ("trunk.embedding", "trunk.told") or name.endswith(".position_bias")
            is_matrix = parameter.dim() == 2 and not table and not by_channel
            (matrices if is_matrix else vectors).append(parameter)
        output_lr = settings.lion_lr * settings.base_width / network.settings.width
        decay = settings.weight_decay
        self._optimizers: list[torch.optim.Optimizer] = [
            Muon(matrices, lr=settings.muon_lr, weight_decay=decay),
            Lion(
                [
                    {"params": vectors, "lr": settings.lion_lr, "weight_decay": 0.0},
                    {"params": [network.head.output], "lr": output_lr, "weight_decay": decay},
                ],
                lr=settings.lion_lr,
            ),
        ]
        self._peaks = [[group["lr"] for group in o.param_groups] for o in self._optimizers]

    def step(self, step: int) -> None:
        """Apply the gradients with the learning rate of this step."""
        factor = learning_rate_factor(self.settings, step)
        for optimizer, peaks in zip(self._optimizers, self._peaks, strict=True):
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
            optimizer.step()

    def state_dict(self) -> list[dict]:
        return [optimizer.state_dict() for optimizer in self._optimizers]

    def load_state_dict(self, states: list[dict]) -> None:
        for optimizer, state in zip(self._optimizers, states, strict=True):
            optimizer.load_state_dict(state)


def learning_rate_factor(settings: OptimizerSettings, step: int) -> float:
    """Linear warm-up to 1, then a cosine down to `final_lr` at the last step."""
    warmup = min(1.0, (step + 1) / settings.warmup_steps) if settings.warmup_steps else 1.0
    after = max(0, step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps)
    cosine = settings.final_lr + (1 - settings.final_lr) * (1 + cos(pi * min(1.0, after))) / 2
    return warmup * cosine
