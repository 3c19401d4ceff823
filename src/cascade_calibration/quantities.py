"""Numbers with a unit, in base units, and what may be computed with them."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from cascade_calibration.units import to_base, with_prefix
from cascade_qec.errors import CascadeError

_TEXT = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*([^\d\s][^\s]*)?\s*")
_LONGEST = 60


@dataclass(frozen=True)
class Quantity:
    """A finite number in a base unit; whatever is no such number is refused.

    Raises
    ------
    CascadeError
        If the value is not finite.
    """

    value: float
    unit: str = ""

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise CascadeError(f"expected a finite number, got {self.value}")
        object.__setattr__(self, "value", float(self.value))  # whole numbers, too

    @classmethod
    def of(cls, given: object) -> Quantity:
        """From another quantity, a number without a unit, or a text such as ``"20 us"``.

        Raises
        ------
        CascadeError
            If it is none of them.

        Examples
        --------
        >>> Quantity.of("5 GHz")
        Quantity(value=5000000000.0, unit='Hz')
        """
        if isinstance(given, Quantity):
            return given
        if isinstance(given, int | float) and not isinstance(given, bool):
            try:
                return cls(float(given))
            except OverflowError:
                raise CascadeError("expected a finite number, got an integer beyond all bounds") from None
        text = given if isinstance(given, str) else ""
        found = _TEXT.fullmatch(text) if len(text) <= _LONGEST else None
        if not found:
            raise CascadeError(f"expected a number with its unit, such as '20 us', got {str(given)[:_LONGEST]!r}")
        factor, unit = to_base(found[2] or "")
        return cls(factor * float(found[1]), unit)

    def __str__(self) -> str:
        factor, unit = with_prefix(self.unit, self.value)
        return f"{factor * self.value:.10g} {unit}".rstrip()

    def __add__(self, other: Quantity) -> Quantity:
        if self.unit != other.unit:
            raise CascadeError(f"expected the same unit on both sides of + or -, got {self} and {other}")
        return Quantity(self.value + other.value, self.unit)

    def __neg__(self) -> Quantity:
        return Quantity(-self.value, self.unit)

    def __mul__(self, other: Quantity) -> Quantity:
        return Quantity(self.value * other.value, _product(self.unit, other.unit, 1))

    def __truediv__(self, other: Quantity) -> Quantity:
        if other.value == 0:
            raise CascadeError(f"expected a divisor that is not zero, got {self} / {other}")
        return Quantity(self.value / other.value, _product(self.unit, other.unit, -1))


def _product(first: str, second: str, power: int) -> str:
    """The unit of a product, or of a quotient where `power` is -1; frequencies are inverse times."""
    exponents: Counter[str] = Counter()
    for unit, sign in ((first, 1), (second, power)):
        if unit:
            exponents["s" if unit == "Hz" else unit] += -sign if unit == "Hz" else sign
    left = {base: exponent for base, exponent in exponents.items() if exponent}
    if not left:
        return ""
    if left == {"s": -1}:
        return "Hz"
    if len(left) == 1 and 1 in left.values():
        return next(iter(left))
    raise CascadeError(f"expected a product or quotient that has a unit of its own, got those of {first} and {second}")
