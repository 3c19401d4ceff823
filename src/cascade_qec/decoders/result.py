"""What a decoder says of a batch of shots."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError

_SHOWN = 10
"""Shots that notebooks show."""

_Result = TypeVar("_Result", bound="DecodeResult")


@dataclass(frozen=True, repr=False, eq=False)
class DecodeResult:
    """Predictions for a batch of shots, and what else the decoder knows of them.

    Where a fallback was asked (`escalated`), probabilities and log-odds stay those of the first decoder: they are the
    doubt for which it was, and a probability may lie on the other side of 1/2 than its observable.

    Attributes
    ----------
    observables : bool [shots, k]
        Whether each logical observable was flipped: the jointly likeliest values.
    probabilities : float32 [shots, k] or None
        P(observable flipped).
    log_odds : float32 [shots] or None
        ln P(no observable wrong) / P(any wrong). It tells apart what a probability rounds to 1.
    confidence : float64 [shots] or None
        P(no observable wrong), which is made of the log-odds.
    escalated : bool [shots] or None
        Whether the fallback was asked; None where there is none.
    discarded : bool [shots] or None
        Shots that shall not count; None where the decoder keeps all.

    Examples
    --------
    >>> result = DecodeResult(np.array([[True], [False]]), log_odds=np.array([0.5, 7], np.float32))
    >>> result
    <DecodeResult: 2 shots, 1 observables, 1 with flips, log-odds 0.5 to 7>
    >>> len(result[result.confidence > 0.9])
    1
    """

    observables: NDArray[np.bool_]
    probabilities: NDArray[np.floating] | None = None
    log_odds: NDArray[np.floating] | None = None
    escalated: NDArray[np.bool_] | None = None
    discarded: NDArray[np.bool_] | None = None

    @property
    def confidence(self) -> NDArray[np.float64] | None:
        """P(no observable wrong), float64 [shots]; None where the decoder does not know it."""
        return None if self.log_odds is None else sigmoid(self.log_odds)

    def __len__(self) -> int:
        return len(self.observables)

    def __getitem__(self: _Result, shots: slice | NDArray[Any]) -> _Result:
        """The results of some shots: a slice, indices or a mask."""
        known = {name: values[shots] for name, values in vars(self).items() if values is not None}
        return replace(self, **known)

    def flipped(self: _Result, observables: NDArray[np.bool_]) -> _Result:
        """The same where some of the observables, bool [k], mean the opposite."""
        known: dict[str, Any] = {"observables": self.observables ^ observables}
        if self.probabilities is not None:
            known["probabilities"] = np.where(observables, 1 - self.probabilities, self.probabilities)
        return replace(self, **known)

    def confidence_of(self, name: str) -> NDArray[np.float64]:
        """The confidence, for those who cannot do without; `name` is what the error calls the decoder.

        Raises
        ------
        CascadeError
            If the decoder does not know it.
        """
        confidence = self.confidence
        if confidence is None:
            raise CascadeError(f"expected a decoder that tells its confidence, got {name}, which does not")
        return confidence

    def __repr__(self) -> str:
        shots, k = self.observables.shape
        parts = [f"{shots} shots", f"{k} observables", f"{int(self.observables.any(axis=1).sum())} with flips"]
        if self.log_odds is not None and shots:
            parts.append(f"log-odds {self.log_odds.min():.3g} to {self.log_odds.max():.3g}")
        parts += [
            f"{int(chosen.sum())} {name}"
            for name in ("escalated", "discarded")
            if (chosen := getattr(self, name)) is not None
        ]
        return f"<{type(self).__name__}: {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        from cascade_qec.tables import as_html  # here: it is only for notebooks

        columns: dict[str, list[str]] = {
            "flipped": [" ".join(map(str, np.flatnonzero(row))) or "none" for row in self.observables[:_SHOWN]]
        }
        if self.probabilities is not None and self.observables.shape[1] == 1:
            columns["P(flipped)"] = [f"{p:.3g}" for p in self.probabilities[:_SHOWN, 0]]
        if self.log_odds is not None:
            columns["log-odds of no error"] = [f"{x:.3g}" for x in self.log_odds[:_SHOWN]]
        for name in ("escalated", "discarded"):
            if (chosen := getattr(self, name)) is not None:
                columns[name] = ["yes" if one else "" for one in chosen[:_SHOWN]]
        rows = [(str(shot), *cells) for shot, cells in enumerate(zip(*columns.values(), strict=True))]
        more = [("…", *[""] * len(columns))] if len(self) > _SHOWN else []
        return as_html(repr(self).strip("<>"), ("shot", *columns), rows + more)


def sigmoid(log_odds: NDArray[np.floating]) -> NDArray[np.float64]:
    """The probability of log-odds, float64."""
    return np.exp(-np.logaddexp(0, -np.asarray(log_odds, np.float64)))  # exact near 0 too


@dataclass(frozen=True, repr=False, eq=False)
class NetworkResult(DecodeResult):
    """What a network says of a batch of shots.

    Probabilities and log-odds are None where they were not checked, see `cascade_qec.decoders.loading.load`. Their
    types leave that out (`Any`), as most bindings know them.
    """

    probabilities: NDArray[np.float32] | Any = None
    log_odds: NDArray[np.float32] | Any = None

    @property
    def confidence(self) -> NDArray[np.float64] | Any:
        """P(no observable wrong), float64 [shots], or None."""
        return super().confidence
