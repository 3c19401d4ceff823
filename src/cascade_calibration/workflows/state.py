"""Where a run stands: all that the next decision depends on, as it is kept in the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict
from scipy.stats import norm

from cascade_calibration.analysis import Estimate
from cascade_calibration.quantities import Quantity

Reason = Literal[
    "done",
    "attempts",
    "no way on",
    "out of bounds",
    "unreadable",
    "laboratory",
    "budget of runs",
    "budget of time",
    "stopped",
]
"""Why a target is not worked on any more."""

_SHARE, _TOGETHER = 0.95, 0.99
"""Of intervals alone, and of all of a run together."""


class Result(BaseModel):
    """A setting that was learnt: its value and the ends of its 95 % interval, in a base unit.

    Attributes
    ----------
    step, run
        That it comes from; runs of experiments count from 1 on.
    """

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float
    unit: str
    step: str
    run: int

    @property
    def estimate(self) -> Estimate:
        """The same as verdicts have it; the error is that of a normal distribution with this interval."""
        error = (self.high - self.low) / (2 * float(norm.ppf((1 + _SHARE) / 2)))
        return Estimate(self.value, error, self.low, self.high, self.unit)

    @property
    def interval(self) -> str:
        """Its ends, to be read."""
        return f"{Quantity(self.low, self.unit)} to {Quantity(self.high, self.unit)}"


class Target(BaseModel):
    """A target's settings in force, what was learnt, and runs of each step; `reason` is empty while it goes on."""

    settings: dict[str, Quantity]
    results: dict[str, Result] = {}
    attempts: dict[str, int] = {}
    reason: Reason | Literal[""] = ""
    text: str = ""


class State(BaseModel):
    """Where a run stands.

    Attributes
    ----------
    runs, seconds
        That were spent, the time as the laboratory counts it.
    target, step
        What is next; both are empty at the end.
    changes
        Parameters of the next run of this step that are not the workflow's, by name.
    why
        The next run is done.
    """

    targets: dict[str, Target]
    runs: int = 0
    seconds: float = 0.0
    target: str = ""
    step: str = ""
    changes: dict[str, Quantity] = {}
    why: str = ""

    @property
    def results(self) -> dict[tuple[str, str], Result]:
        """All that was learnt, by target and name."""
        return {(target, name): one for target, has in self.targets.items() for name, one in has.results.items()}


def together(results: Mapping[tuple[str, str], Result]) -> dict[tuple[str, str], Result]:
    """The same with intervals so wide that all of them hold together with a probability of 99 % at least.

    Each alone holds with 95 %, so of forty two would miss. These are the intervals widened as those of a normal
    distribution are for a probability of 1 - 0.01 / n each (Bonferroni).
    """
    if not results:
        return {}
    wider = float(norm.isf((1 - _TOGETHER) / 2 / len(results)) / norm.isf((1 - _SHARE) / 2))
    return {
        key: one.model_copy(
            update={
                "low": one.value - wider * (one.value - one.low),
                "high": one.value + wider * (one.high - one.value),
            }
        )
        for key, one in results.items()
    }


@dataclass(frozen=True)
class Proposal:
    """What would be run next: checked, and within all bounds and budgets.

    Attributes
    ----------
    run
        Its number, from 1 on.
    by
        Who proposed it: "workflow", or whoever changed it.
    seconds
        How long it is expected to take.
    """

    run: int
    target: str
    step: str
    experiment: str
    parameters: Mapping[str, Quantity]
    why: str
    by: str
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)
