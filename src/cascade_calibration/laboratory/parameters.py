"""What an experiment can be told: named numbers with a unit and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cascade_calibration.quantities import Quantity
from cascade_qec.errors import CascadeError, unknown


@dataclass(frozen=True)
class Parameter:
    """A number that hardware takes.

    Attributes
    ----------
    unit
        A base unit ("Hz", "s", "V", ""), that of the bounds and of the default.
    low, high
        Hard bounds; both ends are allowed.
    default
        Where nobody says otherwise; None if somebody must.
    whole
        Whether only whole numbers will do.
    """

    name: str
    about: str
    unit: str
    low: float
    high: float
    default: float | None = None
    whole: bool = False

    def within(self, low: Quantity, high: Quantity) -> Parameter:
        """The same with bounds that are narrower, never wider.

        Raises
        ------
        CascadeError
            If nothing is left, or the units differ.
        """
        for end in (low, high):
            if end.unit != self.unit:
                raise self._wrong(f"bounds in {self.unit or 'no unit'}", end)
        narrow = replace(self, low=max(self.low, low.value), high=min(self.high, high.value))
        if narrow.low > narrow.high:
            raise self._wrong(f"bounds that overlap with {self.span}", f"{low} to {high}")
        return narrow

    def read(self, given: object) -> Quantity:
        """The value, whatever its size.

        Raises
        ------
        CascadeError
            If it is no finite number of this unit.
        """
        try:
            quantity = Quantity.of(given)
        except CascadeError as error:
            raise CascadeError(f"{self.name}: {error}") from error
        if quantity.unit != self.unit:
            raise self._wrong(f"a value in {self.unit or 'no unit'}", quantity)
        return quantity

    def check(self, given: object) -> Quantity:
        """The value.

        Raises
        ------
        CascadeError
            If it is no finite number of this unit within the bounds.
        """
        quantity = self.read(given)
        if not self.low <= quantity.value <= self.high:
            raise self._wrong(f"a value from {self.span}", quantity)
        if self.whole and quantity.value != int(quantity.value):
            raise self._wrong("a whole number", quantity)
        return quantity

    def nearest(self, value: float) -> float:
        """The allowed value that is nearest; `value` is finite."""
        value = float(round(value)) if self.whole else value
        return float(min(max(value, self.low), self.high))

    @property
    def span(self) -> str:
        """The bounds, to be read."""
        return f"{Quantity(self.low, self.unit)} to {Quantity(self.high, self.unit)}"

    def _wrong(self, expected: str, got: object) -> CascadeError:
        return CascadeError(f"{self.name}: expected {expected}, got {got}")


@dataclass(frozen=True)
class Experiment:
    """An experiment that a laboratory offers.

    Attributes
    ----------
    family
        Of :func:`cascade_calibration.families`: who reads the measurement.
    axes
        What is swept. Each axis NAME has the parameters NAME_from, NAME_to and NAME_points.
    """

    name: str
    about: str
    family: str
    parameters: tuple[Parameter, ...]
    axes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Parameter:
        """A parameter by its name.

        Raises
        ------
        CascadeError
            If there is none.
        """
        for one in self.parameters:
            if one.name == name:
                return one
        raise unknown(f"parameter of {self.name}", name[:80], [one.name for one in self.parameters])

    def check(self, given: Mapping[str, object]) -> dict[str, Quantity]:
        """Every parameter, those not given at their default.

        Raises
        ------
        CascadeError
            If one is unknown, missing, out of bounds, of another unit or no finite number, or a sweep has no length.
        """
        found = {name: self[name].check(value) for name, value in given.items()}
        for one in self.parameters:
            if one.name not in found:
                if one.default is None:
                    raise CascadeError(f"{self.name}: expected a value for {one.name}, got none")
                found[one.name] = one.check(Quantity(one.default, one.unit))
        for axis in self.axes:
            low, high = found[f"{axis}_from"], found[f"{axis}_to"]
            if not low.value < high.value:
                raise CascadeError(f"{self.name}: expected a sweep of {axis} that goes up, got {low} to {high}")
        return {one.name: found[one.name] for one in self.parameters}


def sweep(
    axis: str, about: str, unit: str, low: float, high: float, *, most: int, default: tuple[float, float] | None = None
) -> tuple[Parameter, Parameter, Parameter]:
    """The three parameters of an axis, with bounds of its values and the most points."""
    start, stop = default or (None, None)
    return (
        Parameter(f"{axis}_from", f"{about}, at the start of the sweep", unit, low, high, start),
        Parameter(f"{axis}_to", f"{about}, at the end of the sweep", unit, low, high, stop),
        Parameter(f"{axis}_points", "points of the sweep", "", 8, most, min(61, most), whole=True),
    )
