"""Muon for many matrices at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import sqrt
from typing import Any

import torch

# pyright: reportPrivateImportUsage=false
# torch's own optimizers stand on its foreach functions, which have no public names


class Muon(torch.optim.Muon):
    """`torch.optim.Muon` with its defaults, but the matrices of one shape share each operation.

    A network has many small matrices of few shapes; one at a time they are so many launches that a device waits for
    the host. State and groups are those of `torch.optim.Muon`, so that either goes on from the other's checkpoint.

    Parameters
    ----------
    matrices : iterable of Parameter
    lr, weight_decay : float
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
    bfloat16 [n, rows, columns], contiguous
    """
    a, b, c = group["ns_coefficients"]
    tall = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if tall else matrices).bfloat16()
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=group["eps"])
    for _ in range(group["ns_steps"]):
        square = x @ x.mT
        polynomial = torch.baddbmm(square, square, square, beta=b, alpha=c)
        x = torch.baddbmm(x, polynomial, x, beta=a)
    return (x.mT if tall else x).contiguous()
