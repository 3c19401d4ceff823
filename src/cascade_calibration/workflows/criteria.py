"""What a verdict must say for a step to be done, checked by machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cascade_calibration.analysis import Estimate, Verdict
from cascade_calibration.quantities import Quantity
from cascade_calibration.workflows.expressions import Expression
from cascade_qec.errors import CascadeError

_LIMIT = re.compile(r"(?:(relative uncertainty of|uncertainty of|evidence)\s+)?(\S.*?)\s*(<=|>=)\s*(\S.*)")
_STATUS = re.compile(r"status\s+(\w+(?:\s+or\s+\w+)*)")
_FORMS = (
    "'status SUCCESS', 'relative uncertainty of T1 <= 0.05', 'uncertainty of f_01 <= 20 kHz', 'T1 >= 2 * t2', "
    "'evidence signal to noise >= 5' or 'probability >= 0.9'"
)
_NONE = Expression("0")


@dataclass(frozen=True)
class Checked:
    """A criterion and what became of it.

    Attributes
    ----------
    excess
        How many times too large an uncertainty is; 0 if it is met, or no uncertainty.
    """

    criterion: str
    met: bool
    found: str
    excess: float = 0.0


@dataclass(frozen=True)
class Criterion:
    """One condition. The uncertainty of a parameter is half of its 95 % interval.

    Attributes
    ----------
    kind
        "status", "relative uncertainty of", "uncertainty of", "evidence", or "" for a value (or the probability).
    name, below, limit
        Of what, whether the limit is an upper one, and the limit, which may depend on settings.
    statuses
        That will do.
    """

    text: str
    kind: str
    name: str = ""
    below: bool = True
    limit: Expression = _NONE
    statuses: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> Criterion:
        """Read one.

        Raises
        ------
        CascadeError
            If it is none.
        """
        text = text.strip()
        if found := _STATUS.fullmatch(text):
            return cls(text, "status", statuses=tuple(re.split(r"\s+or\s+", found[1])))
        found = _LIMIT.fullmatch(text) if len(text) < 200 else None
        if not found:
            raise CascadeError(f"expected a criterion such as {_FORMS}, got {text[:80]!r}")
        return cls(text, found[1] or "", found[2], found[3] == "<=", Expression(found[4]))

    def check(self, verdict: Verdict, settings: Mapping[str, Quantity]) -> Checked:
        """Whether a verdict meets it; what it does not state is not met.

        Raises
        ------
        CascadeError
            If the limit cannot be computed.
        """
        if self.kind == "status":
            return Checked(self.text, verdict.status in self.statuses, verdict.status)
        found = self._found(verdict)
        if found is None:
            return Checked(self.text, False, "not stated")
        limit = self.limit.value(settings, {})
        fits = found.unit == limit.unit
        met = fits and (found.value <= limit.value if self.below else found.value >= limit.value)
        uncertain = "uncertainty" in self.kind and fits and not met and self.below and limit.value > 0
        return Checked(self.text, met, str(found), found.value / limit.value if uncertain else 0.0)

    def _found(self, verdict: Verdict) -> Quantity | None:
        if self.kind == "evidence":
            return _finite(verdict.evidence.get(self.name))
        if not self.kind and self.name == "probability":
            return Quantity(verdict.probability)
        estimate = verdict.parameters.get(self.name)
        if estimate is None:
            return None
        if not self.kind:
            return _finite(estimate.value, estimate.unit)
        return _uncertainty(estimate, relative=self.kind.startswith("relative"))


def _uncertainty(estimate: Estimate, *, relative: bool) -> Quantity | None:
    half = (estimate.high - estimate.low) / 2
    if not relative:
        return _finite(half, estimate.unit)
    return _finite(half / abs(estimate.value)) if estimate.value else None


def _finite(value: float | None, unit: str = "") -> Quantity | None:
    return Quantity(value, unit) if value is not None and abs(value) < float("inf") else None
