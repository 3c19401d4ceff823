"""What an analyser says of a measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.units import with_prefix
from cascade_qec.tables import as_html

_TWO_SIGMA = 1.96


@dataclass(frozen=True)
class Estimate:
    """A parameter in its base unit: the best value, its standard error, and the ends of its 95 % interval."""

    value: float
    error: float
    low: float
    high: float
    unit: str

    def with_error(self, error: float) -> Estimate:
        """With a further error, normal and independent of the others."""
        down, up = (np.hypot(end - self.value, _TWO_SIGMA * error) for end in (self.low, self.high))
        low, high = min(self.low, self.value - float(down)), max(self.high, self.value + float(up))
        return replace(self, error=float(np.hypot(self.error, error)), low=low, high=high)

    def __str__(self) -> str:
        factor, unit = with_prefix(self.unit, self.value)
        value, error = factor * self.value, factor * self.error
        digits = int(np.clip(1 - np.floor(np.log10(error)), 0, 12)) if error > 0 and np.isfinite(error) else 4
        return f"{value:.{digits}f} ± {error:.{digits}f} {unit}".rstrip()


@dataclass(frozen=True)
class Range:
    """What to sweep next: an axis from `low` to `high` in its base unit, in so many evenly spaced points."""

    axis: str
    low: float
    high: float
    unit: str
    points: int

    def __str__(self) -> str:
        factor, unit = with_prefix(self.unit, self.low, self.high)
        ends = f"{factor * self.low:.4g} to {factor * self.high:.4g} {unit}".rstrip()
        return f"{self.axis} from {ends}, {self.points} points"


@dataclass(frozen=True)
class Curve:
    """A line of data with what was fitted to it, for figures; all arrays are [n], in base units.

    Attributes
    ----------
    marks
        Places on the axis that a figure should point out, by what stands there.
    """

    axis: str
    x_unit: str
    y_unit: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    fit: NDArray[np.float64] | None = None
    fine_x: NDArray[np.float64] | None = None
    fine_fit: NDArray[np.float64] | None = None
    outliers: NDArray[np.bool_] | None = None
    marks: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class Map:
    """A map for figures: values [ny, nx] over two axes, and lines over it (x, y) by what they are."""

    x_axis: str
    y_axis: str
    x_unit: str
    y_unit: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    values: NDArray[np.float64]
    lines: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = field(
        default_factory=dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    )


@dataclass(frozen=True)
class Verdict:
    """What a measurement says, and what to do next.

    Attributes
    ----------
    family, status, probability
        One of the family's statuses, and how probable it is.
    probabilities
        Of every status that was weighed; they add up to one.
    parameters
        What was measured, as far as the data can tell: none where they cannot.
    evidence
        Numbers that the status rests on.
    sentences
        The same in two or three sentences.
    suggested_range
        What to sweep next, one range for each axis to change; empty where no range would help.
    next_experiment
        What to do next, in a few words.
    picture
        Data and fit, for figures.
    """

    family: str
    status: str
    probability: float
    probabilities: Mapping[str, float]
    sentences: tuple[str, ...]
    next_experiment: str
    parameters: Mapping[str, Estimate] = field(default_factory=dict[str, Estimate])
    evidence: Mapping[str, float] = field(default_factory=dict[str, float])
    suggested_range: tuple[Range, ...] = ()
    picture: Curve | Map | None = field(default=None, repr=False, compare=False)

    def as_dict(self) -> dict[str, object]:
        """All but the picture, for JSON."""
        return {
            "family": self.family,
            "status": self.status,
            "probability": self.probability,
            "probabilities": dict(self.probabilities),
            "parameters": {name: asdict(one) for name, one in self.parameters.items()},
            "evidence": dict(self.evidence),
            "sentences": list(self.sentences),
            "suggested_range": [asdict(one) for one in self.suggested_range],
            "next_experiment": self.next_experiment,
        }

    def facts(self) -> list[tuple[str, str]]:
        """Titles and texts, as the command line and notebooks show them."""
        evidence = ", ".join(f"{name} {value:.3g}" for name, value in self.evidence.items())
        return [
            ("status", f"{self.status} ({self.probability:.0%})"),
            *((name, str(estimate)) for name, estimate in self.parameters.items()),
            ("why", " ".join(self.sentences)),
            ("evidence", evidence),
            ("measure next", "; ".join(map(str, self.suggested_range))),
            ("next", self.next_experiment),
        ]

    def _repr_html_(self) -> str:
        return as_html(self.family, (), [fact for fact in self.facts() if fact[1]])
