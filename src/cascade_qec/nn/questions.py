"""What the network is asked: logical operators, their true values, and what they decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float32, UInt8
from numpy.typing import NDArray

from cascade_qec.codes import Operators
from cascade_qec.engine import MOST_EXACT, Decision, votes
from cascade_qec.lattice import Lattice, logical_operators


def titles(lattices: Sequence[Lattice]) -> list[str]:
    """What the experiments of some lattices are called, such as "Z", or "R9:Z" where not all have as many rounds."""
    if len({(lattice.rounds, lattice.end) for lattice in lattices}) == 1:
        return [lattice.basis for lattice in lattices]
    return [f"R{one.rounds}{'' if one.end == 'closed' else one.end}:{one.basis}" for one in lattices]


class Questions(torch.nn.Module):
    """The logical operators of one or several experiments, the one's after the other's.

    Parameters
    ----------
    lattices : sequence of Lattice
        Side by side, as in `Geometry`.
    operators : {"observables", "translations", "lightest", "light"}
        Which ones, see `cascade_qec.codes.Operators`.

    joint : bool
        Whether the loss has that of the logical class, too, for which the operators decide together.

    Attributes
    ----------
    counts : list of int
        Operators of each experiment.
    names : list of str
        Of all operators, such as "Z3".
    """

    def __init__(self, lattices: Sequence[Lattice], operators: Operators, *, joint: bool = False) -> None:
        super().__init__()
        self._joint, self._k = joint, lattices[0].code.k
        asked = [logical_operators(lattice.code, lattice.basis, operators) for lattice in lattices]
        self.counts = [len(one.support) for one in asked]
        self.names = [f"{title}{i}" for title, n in zip(titles(lattices), self.counts, strict=True) for i in range(n)]
        offsets = np.cumsum([0, *(lattice.sites for lattice in lattices[:-1])])
        self._sums = torch.nn.ModuleList(
            _Sums(offset + lattice.check_sites(lattice.basis), np.hstack([one.logicals, one.checks]), lattice.code.k)
            for offset, lattice, one in zip(offsets, lattices, asked, strict=True)
        )
        self._decisions = [Decision(one.logicals) for one in asked]
        for number, one in enumerate(asked):
            if one.logicals.shape[1] <= MOST_EXACT:
                self.register_buffer(f"votes_{number}", torch.from_numpy(votes(one.logicals)), persistent=False)

    def labels(
        self, states: UInt8[torch.Tensor, "sites shots"], observables: Sequence[UInt8[torch.Tensor, "_ shots"]]
    ) -> Float32[torch.Tensor, "shots operators"]:
        """The value of each operator.

        Parameters
        ----------
        states : uint8 [sites, shots]
        observables : sequence of uint8 [k, shots]
            The flips of each experiment's observables, which the sampler knows.

        Returns
        -------
        float32 [shots, operators], zeros and ones
        """
        values = [sums(states, flips) for sums, flips in zip(self._sums, observables, strict=True)]
        return torch.cat(values).t().contiguous()

    def parities(self, states: UInt8[torch.Tensor, "sites shots"]) -> Float32[torch.Tensor, "shots operators"]:
        """The part that checks have in each operator's value: float32 [shots, operators]."""
        return torch.cat([sums(states, None) for sums in self._sums]).t()

    def scores(self, against: Float32[torch.Tensor, "shots operators"]) -> list[Float32[torch.Tensor, "shots classes"]]:
        """Log-odds of each class against the true one, which is the first: float32 [shots, 2^k] of each experiment.

        Parameters
        ----------
        against : float32 [shots, operators]
            Log-odds of the operators' having another value than the true one.
        """
        parts = against.split(self.counts, dim=1)
        return [part @ self.get_buffer(f"votes_{number}") for number, part in enumerate(parts)]

    def loss(
        self, against: Float32[torch.Tensor, "shots operators"]
    ) -> tuple[Float32[torch.Tensor, ""], Float32[torch.Tensor, " operators"]]:
        """Cross-entropy of log-odds against the truth, and the part of each operator."""
        losses = F.softplus(against).mean(dim=0)
        if not self._joint:
            return losses.mean(), losses
        by_experiment = torch.stack([scores.logsumexp(dim=1).mean() for scores in self.scores(against)])
        return losses.mean() + by_experiment.mean() / self._k, losses

    def by_name(self, values: Float32[torch.Tensor, " operators"]) -> Float32[torch.Tensor, " operators"]:
        """Themselves: every operator has a name."""
        return values

    def wrong(
        self, against: Float32[torch.Tensor, "shots operators"], labels: Float32[torch.Tensor, "shots operators"]
    ) -> Bool[torch.Tensor, "experiments shots"]:
        """`Decision.wrong` of each experiment, bool [experiments, shots]."""
        return self._decided(against, lambda decision, part: decision.wrong(part))

    def log_odds(self, against: Float32[torch.Tensor, "shots operators"]) -> Float32[torch.Tensor, "experiments shots"]:
        """Log-odds of each experiment's decision, as `Decision` gives them: float32 [experiments, shots]."""
        return self._decided(against, lambda decision, part: decision(part).log_odds)

    def _decided(
        self, against: torch.Tensor, ask: Callable[[Decision, NDArray[np.float32]], NDArray[np.generic]]
    ) -> torch.Tensor:
        parts = against.detach().cpu().split(self.counts, dim=1)
        found = [ask(decision, part.numpy()) for decision, part in zip(self._decisions, parts, strict=True)]
        return torch.from_numpy(np.stack(found)).to(against.device)


class _Sums(torch.nn.Module):
    """Operators as sums of observables and of checks, whose values events tell."""

    def __init__(self, check_sites: np.ndarray, sums: np.ndarray, k: int) -> None:
        super().__init__()
        self._k = k
        self.check_sites: torch.Tensor
        self.sums: torch.Tensor
        self.register_buffer("check_sites", torch.from_numpy(check_sites), persistent=False)
        self.register_buffer("sums", torch.from_numpy(sums).float(), persistent=False)

    def forward(self, states: torch.Tensor, flips: torch.Tensor | None) -> torch.Tensor:
        """uint8 [sites, shots] and [k, shots] to float32 [operators, shots]; without flips the checks' part alone."""
        # A check's last value is the parity of its events over time.
        checks = states[self.check_sites].sum(dim=0).float()
        if flips is None:
            return (self.sums[:, self._k :] @ checks) % 2
        return (self.sums @ torch.cat([flips.float(), checks])) % 2
