"""From what the network says of many logical operators to one decision about all observables.

The k observables of a shot have 2^k joint values, the logical classes. Each operator that the network is asked about is
a sum of observables and of checks, whose values the detectors know: for or against every class it has something to say.
Its evidence is the log-odds that its sum of observables is odd.

Evidence is added up as if operators were independent, which they are not: they come from the same events. So the sum is
scaled as if two classes differed in k operators, the number of independent ones. With one observable that is the mean.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float32
from numpy.typing import NDArray

from cascade_qec.codes.gf2 import Bits

MOST_EXACT = 12
"""Observables up to which all logical classes are compared: the work grows as 2^k."""


def logical_classes(k: int) -> Bits:
    """The joint values of k observables, uint8 [2^k, k]; the first is that of none flipped."""
    return ((np.arange(2**k)[:, None] >> np.arange(k)) & 1).astype(np.uint8)


def votes(logicals: Bits) -> NDArray[np.float32]:
    """What an operator's evidence adds to the log-odds of each logical class, float32 [operators, 2^k]."""
    classes = logical_classes(logicals.shape[1])
    return (logicals @ classes.T % 2 * _scale(*logicals.shape)).astype(np.float32)


def _scale(operators: int, k: int) -> float:
    differing = operators * 2 ** (k - 1) / (2**k - 1)  # between two classes, in the mean over all pairs
    return k / differing


def together(log_odds: torch.Tensor, dim: int) -> torch.Tensor:
    """Log-odds that several independent things all hold, from those of each along a dimension, float64."""
    any_fails = torch.nn.functional.softplus(-log_odds.double(), threshold=torch.inf).sum(dim=dim)  # -ln P(all hold)
    return -torch.log(torch.expm1(any_fails).clamp(min=torch.finfo(any_fails.dtype).tiny))


class Decision(torch.nn.Module):
    """The likeliest joint value of the observables.

    With up to `MOST_EXACT` observables of the code, posterior and decision are exact, over all logical classes. With
    more, the decision is the best class that changes of one or two observables at a time find, from what each
    observable's own operators say and from no flip; each observable is then judged given the others as decided, and
    they are put together as if they were independent.

    Parameters
    ----------
    logicals : uint8 [operators, k]
        The code's observables in each operator.
    wanted : uint8 [wanted, k], optional
        Sums of the code's observables to decide about; by default the observables themselves.
    """

    def __init__(self, logicals: Bits, wanted: Bits | None = None) -> None:
        super().__init__()
        k = logicals.shape[1]
        self.exact = k <= MOST_EXACT
        self._wanted = np.eye(k, dtype=np.uint8) if wanted is None else wanted
        if self.exact:
            self._add("votes", votes(logicals))
            classes = logical_classes(k).astype(np.int64)
            # Observables may be fewer than k, so that several classes give one value.
            values, of_class = np.unique(classes @ self._wanted.T % 2, axis=0, return_inverse=True)
            self._add("values", values.astype(np.float32))
            self._one_to_one = len(values) == len(classes)
            self._add("of_class", np.argsort(of_class.ravel()) if self._one_to_one else of_class.ravel())
        else:
            self._scale = _scale(*logicals.shape)
            one = np.eye(k, dtype=np.uint8)
            two = np.array([one[i] + one[j] for i in range(k) for j in range(i)], dtype=np.uint8).reshape(-1, k)
            steps = np.vstack([one, two])
            self._add("steps", steps > 0)
            self._add("odd", (logicals @ steps.T % 2).astype(np.float32))  # of each operator, after each step
            self._add("sums", self._wanted.astype(np.float32))
            alone = logicals * (logicals.sum(axis=1) == 1)[:, None]
            self._add("alone", alone.astype(np.float32))

    def scores(self, against: Float32[torch.Tensor, "shots operators"]) -> Float32[torch.Tensor, "shots classes"]:
        """Log-odds of each class against the true one, which is the first: float32 [shots, 2^k].

        Parameters
        ----------
        against : float32 [shots, operators]
            Log-odds of the operators' having another value than the true one.
        """
        return against @ self.get_buffer("votes")

    def wrong(self, against: Float32[torch.Tensor, "shots operators"]) -> Bool[torch.Tensor, " shots"]:
        """Whether another class than the true one is decided for: bool [shots]; `against` as of `scores`."""
        if self.exact:
            return self.scores(against).amax(dim=1) > 0
        return self._ascent(against)[0].any(dim=1)

    def forward(
        self, evidence: Float32[torch.Tensor, "shots operators"]
    ) -> tuple[
        Bool[torch.Tensor, "shots wanted"], Float32[torch.Tensor, "shots wanted"], Float32[torch.Tensor, " shots"]
    ]:
        """Decide.

        Parameters
        ----------
        evidence : float32 [shots, operators]
            Log-odds that an operator's sum of observables is odd.

        Returns
        -------
        observables : bool [shots, wanted]
        suspects : float32 [shots, wanted]
            P(this one is wrong, given that any is): with `log_odds` it gives each one's own probability.
        log_odds : float32 [shots]
            ln P(none of them wrong) / P(any wrong); infinite where nothing can be wrong.
        """
        if not self.exact:
            return self._decided_by_ascent(evidence)
        scores = self.scores(evidence)
        posterior = torch.softmax(scores, dim=1)
        of_class, values = self.get_buffer("of_class"), self.get_buffer("values")
        if self._one_to_one:
            joint = posterior[:, of_class]
        else:
            joint = torch.zeros(len(posterior), len(values), device=posterior.device)
            joint.index_add_(1, of_class, posterior)
        best = joint.argmax(dim=1)
        # A sum that is rounded to 1 leaves nothing to subtract: the winner and the others are weighed apart.
        if self._one_to_one:
            of_value = scores[:, of_class]
        else:
            weights = (scores - scores.amax(dim=1, keepdim=True)).double().exp()
            of_value = weights.new_zeros(joint.shape).index_add_(1, of_class, weights).log().float()
        winner = of_value.gather(1, best[:, None])
        others = of_value.scatter(1, best[:, None], -torch.inf)
        against = others.logsumexp(dim=1)
        observables = values[best] > 0
        flipped = torch.softmax(others, dim=1).nan_to_num() @ values  # where there are no others nothing is wrong
        suspects = torch.where(observables, 1 - flipped, flipped).clamp(0, 1)
        return observables, suspects, winner[:, 0] - against

    def _decided_by_ascent(self, evidence: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        flipped, gain = self._ascent(evidence)
        sums = self.get_buffer("sums")
        gain = gain.double()
        log_odds = together(-gain, dim=1)
        # A sum is wrong if an odd number of independent flips is: (1 - prod(1 - 2 p)) / 2.
        even = torch.where(sums[None] > 0, torch.log1p(-2 * torch.sigmoid(gain).clamp(max=0.5))[:, None], 0.0)
        suspects = (-torch.expm1(even.sum(dim=2)) / 2 / torch.sigmoid(-log_odds)[:, None]).clamp(0, 1)
        return (flipped.float() @ sums.t()) % 2 > 0, suspects.float(), log_odds.float()

    def _ascent(self, evidence: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A class that no step betters, bool [shots, k], and what a change of each observable would gain."""
        said = evidence @ self.get_buffer("alone") > 0
        flipped, gain, score = self._climbed(evidence, said)
        others, other_gain, other_score = self._climbed(evidence, torch.zeros_like(said))
        better = (other_score > score)[:, None]
        return torch.where(better, others, flipped), torch.where(better, other_gain, gain)

    def _climbed(
        self, evidence: torch.Tensor, flipped: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        steps, after = self.get_buffer("steps"), self.get_buffer("odd")
        while True:
            odd = (flipped.float() @ after[:, : self.k].t()) % 2  # [shots, operators]
            change = self._scale * evidence * (1 - 2 * odd)
            gain = change @ after
            most, at = gain.max(dim=1)
            climbs = most > 1e-5 * (1 + change.abs().sum(dim=1))  # beyond rounding, so that it ends
            if not climbs.any():
                return flipped, gain[:, : self.k], (self._scale * evidence * odd).sum(dim=1)
            flipped = flipped ^ (steps[at] & climbs[:, None])

    @property
    def k(self) -> int:
        """Observables of the code."""
        return self._wanted.shape[1]

    def _add(self, name: str, array: NDArray) -> None:
        self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)), persistent=False)
