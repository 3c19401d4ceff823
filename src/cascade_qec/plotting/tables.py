"""Result tables as figures need them: which columns, and how they are checked."""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cascade_qec.statistics import Interval, wilson

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class Line(BaseModel):
    """A row of a table. Columns that a figure has no use for may stand beside those it needs."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class FitLine(Line):
    """A figure of a law fitted to rates, or of the suppression with distance; ends of intervals may be infinite.

    Rounds and bases are empty where a fit holds for all of them.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=True)

    decoder: str
    code: str
    form: str
    parameter: str
    value: float | None
    value_low: float | None
    value_high: float | None
    p_value: float | None
    p: float | None = None
    rounds: str = ""
    bases: str = ""

    @property
    def basis(self) -> str:
        """Bases in alphabetical order."""
        return "".join(sorted(self.bases))


class SpectrumLine(Line):
    """Share of shots with exactly so many faults that a decoder fails on.

    Attributes
    ----------
    sampled_at
        Noise rate whose faults were drawn, and that a decoder with priors was told; 0 where the table does not say.
    """

    decoder: str
    code: str
    rounds: int
    basis: str
    faults: Count
    shots: Count
    failures: Count
    fraction: Fraction
    fraction_low: Fraction
    fraction_high: Fraction
    sampled_at: float = 0.0

    @property
    def p(self) -> float:
        """What rows are chosen by."""
        return self.sampled_at

    @property
    def rate(self) -> Interval:
        """The share with its interval."""
        return Interval(self.fraction, self.fraction_low, self.fraction_high)

    @model_validator(mode="after")
    def _ordered(self) -> "SpectrumLine":
        _check_ordered(self.rate, "fraction")
        return self


class RareLine(Line):
    """A block error that was not found by counting failures."""

    decoder: str
    code: str
    rounds: int = Field(ge=1)
    basis: str
    p: Fraction
    block_error: Fraction
    block_error_low: Fraction
    block_error_high: Fraction
    method: str

    @property
    def rate(self) -> Interval:
        """The block error with its interval."""
        return Interval(self.block_error, self.block_error_low, self.block_error_high)

    @model_validator(mode="after")
    def _ordered(self) -> "RareLine":
        _check_ordered(self.rate, "block_error")
        return self


class ReliabilityLine(Line):
    """Shots, or observables of shots, whose confidence fell into one bin."""

    decoder: str
    code: str
    p: Fraction
    rounds: int
    basis: str
    of: str
    bin_low: Fraction
    bin_high: Fraction
    shots: int = Field(ge=0)
    confidence: float | None
    correct: int
    error_of_fraction: float | None = None

    @property
    def came_true(self) -> Interval:
        """Share of predictions that came true.

        Its interval is Wilson's for independent predictions. Those of observables of one shot are not: theirs is
        Wilson's for the number of independent predictions that would have the standard error of the table. (Kish's
        design effect, the ratio of the variances; both with half an event added, as the table has it, so that it
        is finite where nothing was seen.)
        """
        rate = wilson(self.correct, self.shots)
        if self.of == "shot" or self.error_of_fraction is None:
            return rate
        independent = self.shots * rate.value * (1 - rate.value) + 0.5
        effect = max(1.0, (self.error_of_fraction * self.shots) ** 2 / independent)
        return wilson(self.correct / effect, self.shots / effect)

    @model_validator(mode="after")
    def _counted(self) -> "ReliabilityLine":
        if not 0 <= self.correct <= self.shots:
            raise ValueError(f"expected 0 <= correct <= shots, got {self.correct} of {self.shots}")
        if self.shots and (self.confidence is None or not 0 <= self.confidence <= 1):
            raise ValueError(f"expected a confidence from 0 to 1, got {self.confidence}")
        return self


class PostSelectionLine(Line):
    """What is left of the block error when shots below a threshold are discarded."""

    decoder: str
    code: str
    p: Fraction
    rounds: int
    basis: str
    method: str
    threshold: float
    accepted: Count
    shots: int = Field(ge=1)
    failures: Count
    discard: float | None = None

    @property
    def rate(self) -> Interval:
        """Block error of the accepted shots with its interval; that between 0 and 1 if none was accepted."""
        return wilson(self.failures, self.accepted) if self.accepted else Interval(0.0, 0.0, 1.0)

    @model_validator(mode="after")
    def _counted(self) -> "PostSelectionLine":
        if not self.failures <= self.accepted <= self.shots:
            raise ValueError(
                f"expected failures <= accepted <= shots, got {self.failures}, {self.accepted}, {self.shots}"
            )
        return self


class LatencyLine(Line):
    """How long a decoder took, and how often it was wrong, on the same shots."""

    decoder: str
    code: str
    p: Fraction
    rounds: int = Field(ge=1)
    device: str
    precision: str
    threads: str
    batch: int = Field(ge=1)
    shots: int = Field(ge=1)
    us_per_shot_p50: float = Field(gt=0)
    us_per_shot_p99: float | None
    us_per_cycle_p50: float = Field(gt=0)
    failures: Count
    basis: str = ""

    @property
    def rate(self) -> Interval:
        """Block error with its interval."""
        return wilson(self.failures, self.shots)

    @property
    def us_per_cycle_p99(self) -> float:
        """99th percentile of the time for one cycle; the median where too few calls were timed to tell."""
        return self.us_per_cycle_p50 if self.us_per_shot_p99 is None else self.us_per_shot_p99 / self.rounds

    @model_validator(mode="after")
    def _ordered(self) -> "LatencyLine":
        if self.us_per_shot_p99 is not None and self.us_per_shot_p99 < self.us_per_shot_p50:
            raise ValueError(f"expected p99 >= p50, got {self.us_per_shot_p99} < {self.us_per_shot_p50}")
        if self.failures > self.shots:
            raise ValueError(f"expected failures <= shots, got {self.failures} of {self.shots}")
        return self


class EscalationLine(Line):
    """What a threshold of escalation did to shots: "part" tells the network alone, thresholds of the curve, that
    chosen, and the fallback alone."""

    decoder: str
    fallback: str
    code: str
    p: Fraction
    rounds: int
    basis: str
    part: Literal["network", "curve", "chosen", "fallback"]
    threshold: float | None
    shots: int = Field(ge=1)
    escalated: Count
    failures: Count
    us_per_shot: float = Field(gt=0)
    us_per_shot_low: float = Field(ge=0)
    us_per_shot_high: float

    @property
    def fraction(self) -> float:
        """Share of the shots that were escalated."""
        return self.escalated / self.shots

    @property
    def rate(self) -> Interval:
        """Block error with its interval."""
        return wilson(self.failures, self.shots)

    @property
    def time(self) -> Interval:
        """Mean time of a shot with its interval, in microseconds."""
        return Interval(self.us_per_shot, self.us_per_shot_low, self.us_per_shot_high)

    @model_validator(mode="after")
    def _counted(self) -> "EscalationLine":
        if max(self.escalated, self.failures) > self.shots:
            raise ValueError(
                "expected escalated <= shots and failures <= shots, "
                f"got {self.escalated}, {self.failures}, {self.shots}"
            )
        _check_ordered(self.time, "us_per_shot")
        return self


class RooflineLine(Line):
    """A quantity computed for a network on a device."""

    architecture: str
    code: str
    width: int = Field(ge=1)
    depth: int
    quantity: str
    value: float
    unit: str
    device: str


AnyLine = TypeVar("AnyLine", bound=Line)


def _check_ordered(rate: Interval, name: str) -> None:
    if not rate.low <= rate.value <= rate.high:
        raise ValueError(f"expected {name}_low <= {name} <= {name}_high, got {rate.low}, {rate.value}, {rate.high}")
