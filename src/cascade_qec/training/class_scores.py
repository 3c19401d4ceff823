"""What the operators of a basis say together of each logical class, against the true one."""

from __future__ import annotations

import torch

from cascade_qec import codes
from cascade_qec.codes import Operators
from cascade_qec.lattice import logical_operators
from cascade_qec.training.recipe import Recipe


class ClassScores:
    """Scores of the logical classes of a recipe's experiments.

    Parameters
    ----------
    recipe : Recipe
    device : torch.device
    operators : {"observables", "translations", "lightest", "light"}
        Of the logits.
    """

    def __init__(self, recipe: Recipe, device: torch.device, operators: Operators) -> None:
        code = codes.get(recipe.code)
        self._votes = [
            torch.from_numpy(logical_operators(code, basis, operators).votes).to(device) for basis in recipe.bases
        ]
        self.operators = [len(votes) for votes in self._votes]
        """Their number in each basis."""

    def __call__(self, against: torch.Tensor) -> list[torch.Tensor]:
        """Log-odds of each class against the true one, which is the first, as the decoder will take them.

        Parameters
        ----------
        against : float32 [shots, operators]
            Logits of the operators' having another value than the true one; the bases follow one another.

        Returns
        -------
        list of float32 [shots, 2^k]
            One of each basis.
        """
        parts = against.split(self.operators, dim=1)
        return [part @ votes for part, votes in zip(parts, self._votes, strict=True)]
