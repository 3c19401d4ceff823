"""What a decoder says of a batch of shots."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError

_Result = TypeVar("_Result", bound="DecodeResult")


@dataclass(frozen=True, repr=False, eq=False)
class DecodeResult:
    """Predictions for a batch of shots, and what else the decoder knows of them.

    Where a fallback decided (`escalated`), probabilities and confidence stay those of the first decoder: the
    confidence is the doubt for which the fallback was asked, and a probability may lie on the other side of 1/2 than
    its observable.

    Attributes
    ----------
    observables : bool [shots, k]
        Whether each logical observable was flipped: the jointly likeliest values.
    probabilities : float32 [shots, k] or None
        P(observable flipped).
    confidence : float32 [shots] or None
        P(no observable wrong).
    escalated : bool [shots] or None
        Whether the fallback decided; None where there is none.
    discarded : bool [shots] or None
        Shots that shall not count; None where the decoder keeps all.

    Examples
    --------
    >>> result = DecodeResult(np.array([[True], [False]]), confidence=np.array([0.6, 0.99], np.float32))
    >>> result
    <DecodeResult: 2 shots, 1 observables, 1 with flips, confidence 0.6 to 0.99>
    >>> len(result[result.confidence > 0.9])
    1
    """

    observables: NDArray[np.bool_]
    probabilities: NDArray[np.floating] | None = None
    confidence: NDArray[np.floating] | None = None
    escalated: NDArray[np.bool_] | None = None
    discarded: NDArray[np.bool_] | None = None

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

    def confidence_of(self, name: str) -> NDArray[np.floating]:
        """The confidence, for those who cannot do without; `name` is what the error calls the decoder.

        Raises
        ------
        CascadeError
            If the decoder does not know it.
        """
        if self.confidence is None:
            raise CascadeError(f"expected a decoder that tells its confidence, got {name}, which does not")
        return self.confidence

    def __repr__(self) -> str:
        shots, k = self.observables.shape
        parts = [f"{shots} shots", f"{k} observables", f"{int(self.observables.any(axis=1).sum())} with flips"]
        if self.confidence is not None and shots:
            parts.append(f"confidence {self.confidence.min():.3g} to {self.confidence.max():.3g}")
        parts += [
            f"{int(chosen.sum())} {name}"
            for name in ("escalated", "discarded")
            if (chosen := getattr(self, name)) is not None
        ]
        return f"<{type(self).__name__}: {', '.join(parts)}>"


@dataclass(frozen=True, repr=False, eq=False)
class NetworkResult(DecodeResult):
    """What a network says of a batch of shots: always with probabilities and confidence."""

    probabilities: NDArray[np.float32]  # pyright: ignore[reportGeneralTypeIssues]
    confidence: NDArray[np.float32]  # pyright: ignore[reportGeneralTypeIssues]
