"""What a local head is asked: the components of the noise, what they are worth, and what they decide."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float32, UInt8

from cascade_qec.components import Components, OrderedStatistics, PosteriorMatching, decides
from cascade_qec.lattice import Lattice
from cascade_qec.nn.questions import titles


class Faults(torch.nn.Module):
    """The components of one or several experiments, the one's after the other's.

    Parameters
    ----------
    lattices : sequence of Lattice
        Side by side, as in `Geometry`.
    components : sequence of Components
        Of each experiment, all of known types.

    Attributes
    ----------
    counts : list of int
        Types of component of each experiment.
    names : list of str
        Of all types, such as "Z3".
    priors : float32 [types]
        Mean probability of the components of each type.
    """

    def __init__(self, lattices: Sequence[Lattice], components: Sequence[Components]) -> None:
        super().__init__()
        self._lattices, self._components = list(lattices), list(components)
        types = len(components[0].types)
        self.counts = [types] * len(lattices)
        self.names = [f"{title}{number}" for title in titles(lattices) for number in range(types)]
        type, prior = (np.concatenate([getattr(one, name) for one in components]) for name in ("type", "prior"))
        mean = np.bincount(type, prior, minlength=types) / np.bincount(type, minlength=types)
        self.priors = torch.from_numpy(mean).float()
        kind = np.concatenate([types * number + one.type for number, one in enumerate(components)])
        self._kind: torch.Tensor
        self._share: torch.Tensor
        self.register_buffer("_kind", torch.from_numpy(kind), persistent=False)
        size = np.maximum(np.bincount(kind, minlength=len(self.names)), 1)
        self.register_buffer("_share", torch.from_numpy(1 / size[kind]).float(), persistent=False)

    @cached_property
    def _decides(self) -> list[PosteriorMatching | OrderedStatistics]:
        return [decides(one) for one in self._components]

    def labels(
        self, states: UInt8[torch.Tensor, "sites shots"], flips: Sequence[UInt8[torch.Tensor, "_ shots"]]
    ) -> Float32[torch.Tensor, "shots components"]:
        """Whether each component is flipped, zeros and ones, from uint8 [components, shots] of each experiment."""
        return torch.cat(list(flips)).t().float()

    def loss(
        self, against: Float32[torch.Tensor, "shots components"]
    ) -> tuple[Float32[torch.Tensor, ""], Float32[torch.Tensor, " names"]]:
        """Cross-entropy of log-odds against the truth: the mean over all components, and the mean of each type."""
        losses = F.softplus(against).mean(dim=0)
        return losses.mean(), self.by_name(losses)

    def by_name(self, values: Float32[torch.Tensor, " components"]) -> Float32[torch.Tensor, " names"]:
        """The mean over the components of each type."""
        return torch.zeros(len(self.names), device=values.device).index_add(0, self._kind, values * self._share)

    def wrong(
        self, against: Float32[torch.Tensor, "shots components"], labels: Float32[torch.Tensor, "shots components"]
    ) -> Bool[torch.Tensor, "experiments shots"]:
        """Whether these posteriors decide wrongly on any observable: bool [experiments, shots]."""
        log_odds, flipped = (against * (2 * labels - 1)).neg().cpu().numpy(), labels.bool().cpu().numpy()
        ends = np.cumsum([len(one) for one in self._components])[:-1]
        wrong = []
        for lattice, one, decider, odds, flips in zip(
            self._lattices,
            self._components,
            self._decides,
            np.split(log_odds, ends, axis=1),
            np.split(flipped, ends, axis=1),
            strict=True,
        ):
            events, observables = one.symptoms(flips, lattice.detectors)
            wrong.append((decider.decode(odds, events) != observables).any(axis=1))
        return torch.from_numpy(np.stack(wrong)).to(against.device)
