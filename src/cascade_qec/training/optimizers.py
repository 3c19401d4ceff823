"""Muon for matrices, Lion for the rest, with learning rates that carry over from width to width (MuP)."""

from __future__ import annotations

from math import cos, pi

import torch
from lion_pytorch.foreach import Lion

from cascade_qec.nn import CascadeNetwork
from cascade_qec.training.muon import Muon
from cascade_qec.training.recipe import OptimizerSettings


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
            is_matrix = parameter.dim() == 2 and parameter is not network.trunk.embedding and not by_channel
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
