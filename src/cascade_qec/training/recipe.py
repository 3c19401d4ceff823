"""A recipe is data: everything that, with a seed, makes a trained model."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cascade_qec import circuits, codes, limits
from cascade_qec.codes import Operators
from cascade_qec.errors import CascadeError
from cascade_qec.model import ModelDescription, NetworkSettings
from cascade_qec.training.experiments import component_types, usual_noise

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NoiseCurriculum(_Section):
    """Noise over the steps: low at the start, a linear ramp, then held or drawn log-uniformly.

    Training from scratch at a high rate can fail to learn anything for a long time; the short start at low
    noise is what prevents it.
    """

    model: str = Field(default="uniform", description="noise model of cascade_qec.circuits")
    p: float = Field(gt=0, le=0.1, description="rate at which the model is trained")
    start: float = Field(gt=0, le=0.1, description="rate of the first steps")
    hold_steps: int = Field(default=0, ge=0, le=limits.STEPS, description="steps at the starting rate")
    ramp_steps: int = Field(default=0, ge=0, le=limits.STEPS, description="steps from the starting rate to p")
    log_uniform_from: float | None = Field(
        default=None,
        gt=0,
        le=0.1,
        description="after the ramp, draw the rate of each micro-batch and basis from here to p",
    )
    spread: float = Field(default=1, ge=1, le=100, description="of every sort of error, drawn up or down")
    scatter: float = Field(default=1, ge=1, le=100, description="of every sort at every place, likewise")

    @field_validator("model")
    @classmethod
    def _known(cls, model: str) -> str:
        circuits.noise_model(model, 0.0)
        return model

    @model_validator(mode="after")
    def _in_order(self) -> NoiseCurriculum:
        if self.log_uniform_from is not None and self.log_uniform_from > self.p:
            raise ValueError(f"expected log_uniform_from at most p = {self.p}, got {self.log_uniform_from}")
        return self

    def rate(self, step: int, uniform: float) -> float:
        """The rate at a step; `uniform`, drawn from [0, 1), decides where the rate is random."""
        if step < self.hold_steps:
            return self.start
        ramp = (step - self.hold_steps) / self.ramp_steps if self.ramp_steps else 1.0
        if ramp < 1:
            return self.start + ramp * (self.p - self.start)
        if self.log_uniform_from is not None:
            return self.log_uniform_from * (self.p / self.log_uniform_from) ** uniform
        return self.p

    @property
    def ramp_end(self) -> int:
        return self.hold_steps + self.ramp_steps


class OptimizerSettings(_Section):
    """Muon for matrices, Lion for the rest; linear warm-up, cosine to a tenth, averaged weights."""

    steps: int = Field(ge=1, le=limits.STEPS)
    muon_lr: float = Field(default=3e-3, gt=0)
    lion_lr: float = Field(default=2e-4, gt=0, description="at base_width; output weights scale with 1/width")
    base_width: int = Field(default=64, ge=1, le=limits.WIDTH, description="width at which the rates were found (MuP)")
    weight_decay: float = Field(default=3e-3, ge=0)
    warmup_steps: int = Field(default=1000, ge=0, le=limits.STEPS)
    final_lr: float = Field(default=0.1, ge=0, le=1, description="share of the peak at the last step")
    clip: float = Field(default=1.0, gt=0, description="bound on the gradient's norm")
    ema: float = Field(default=0.9998, ge=0, lt=1, description="decay of the averaged weights")


class MixtureSettings(_Section):
    """What every micro-batch shows side by side, instead of the model's own experiment in its bases alone.

    So batch norm sees the mixture at every step, and a step always has the same shape.
    """

    rounds: list[Annotated[int, Field(ge=1, le=limits.ROUNDS)]] = Field(
        default=[], description="numbers of rounds, ascending, the model's own among them; by default that alone"
    )
    cut: list[Annotated[int, Field(ge=1, le=limits.ROUNDS)]] = Field(
        default=[], description="rounds of windows that are cut out of the middle of longer experiments"
    )
    noise: list[str] = Field(
        default=[],
        description="noise models, the model's own among them, one drawn for each experiment of a micro-batch; at one "
        "rate all have as many detection events",
    )

    @field_validator("rounds", "cut")
    @classmethod
    def _ascending(cls, rounds: list[int]) -> list[int]:
        if sorted(set(rounds)) != rounds:
            raise ValueError(f"expected numbers of rounds that ascend, got {rounds}")
        return rounds

    @field_validator("noise")
    @classmethod
    def _known(cls, models: list[str]) -> list[str]:
        for model in models:
            circuits.noise_model(model, 0.0)
        return models


NO_MIXTURE = MixtureSettings()


class BatchSettings(_Section):
    """A step sees `micro_batches` times `shots` shots of each experiment; statistics are a micro-batch's."""

    shots: int = Field(ge=2, le=limits.BATCH, description="shots of each basis (and number of rounds) in a micro-batch")
    micro_batches: int = Field(default=1, ge=1, le=limits.BATCH)


class ValidationSettings(_Section):
    p: list[Annotated[float, Field(gt=0, le=0.1)]] = Field(default=[0.002, 0.003, 0.005], min_length=1)
    shots: int = Field(default=4000, ge=1, le=limits.SHOTS, description="of each basis and rate")
    every: int = Field(default=1000, ge=1, le=limits.STEPS, description="steps between validations and checkpoints")
    statistics_batches: int = Field(
        default=16, ge=1, le=limits.STEPS, description="batches for batch norm's statistics"
    )


class Recipe(_Section):
    name: str = Field(pattern=r"^[a-z0-9_]+$")
    code: str
    rounds: int = Field(ge=1, le=limits.ROUNDS)
    bases: list[Literal["X", "Z"]] = Field(default=["Z", "X"], min_length=1, max_length=2)
    seed: int = Field(default=0, ge=0, le=limits.SEED)
    network: NetworkSettings
    head: Literal["logical", "local"] = Field(
        default="logical", description="learn logical operators, or every component of the error model"
    )
    told: bool = Field(default=False, description="let a local model know the error model of each experiment")
    operators: Operators = Field(
        default="translations",
        description="logical operators learnt: observables, translations, all no heavier, or two heavier at most",
    )
    loss: Literal["operators", "classes"] = Field(
        default="operators",
        description="cross-entropy of the operators, or besides it that of the logical class they decide for together",
    )
    noise: NoiseCurriculum
    mixture: MixtureSettings = NO_MIXTURE
    optimizer: OptimizerSettings
    batch: BatchSettings
    validation: ValidationSettings = ValidationSettings()

    @field_validator("code")
    @classmethod
    def _known(cls, code: str) -> str:
        codes.get(code)
        return code

    @field_validator("bases")
    @classmethod
    def _distinct(cls, bases: list[str]) -> list[str]:
        if len(set(bases)) != len(bases):
            raise ValueError(f"expected each basis once, got {bases}")
        return bases

    @model_validator(mode="after")
    def _fitting(self) -> Recipe:
        styles, convolution = codes.get(self.code).frame("Z").convolutions, self.network.convolution
        if convolution not in styles:
            expected = " or ".join(map(repr, styles))
            raise ValueError(f"expected network.convolution {expected} for {self.code}, got {convolution!r}")
        varied = max(self.noise.spread, self.noise.scatter) > 1
        if self.head != "local" and (self.told or varied):
            raise ValueError("expected head 'local' for a model that is told the noise, or learns from random noise")
        mixture = self.mixture
        if self.head != "local" and mixture.cut:
            raise ValueError("expected head 'local' for windows: where an experiment is cut, no observable is defined")
        if self.network.segment_rounds not in (None, self.rounds) or (
            self.head == "local" and self.network.segment_rounds
        ):
            raise ValueError(
                f"expected network.segment_rounds = rounds, which are {self.rounds}, of a logical head, or none, "
                f"got {self.network.segment_rounds} of a {self.head} one"
            )
        if mixture.rounds and self.rounds not in mixture.rounds:
            raise ValueError(f"expected rounds = {self.rounds} in mixture.rounds, got {mixture.rounds}")
        if mixture.noise and self.noise.model not in mixture.noise:
            raise ValueError(f"expected noise.model = {self.noise.model!r} in mixture.noise, got {mixture.noise}")
        return self

    @property
    def shots_per_step(self) -> int:
        experiments = len(self.bases) * (max(1, len(self.mixture.rounds)) + len(self.mixture.cut))
        return self.batch.shots * self.batch.micro_batches * experiments

    def description(self) -> ModelDescription:
        """What files say of the model that it makes."""
        rounds = tuple(dict.fromkeys([self.rounds, *self.mixture.rounds]))  # its own first
        experiments = (self.code, rounds, tuple(self.bases), self.noise.model, self.noise.p)
        return ModelDescription(
            name=self.name,
            code=self.code,
            rounds=self.rounds,
            mixed_rounds=self.mixture.rounds or None,
            bases=list(self.bases),
            noise_model=self.noise.model,
            noise_p=self.noise.p,
            network=self.network,
            head=self.head,
            operators=codes.get(self.code).decided_by(self.operators),
            components=component_types(*experiments) if self.head == "local" else None,
            told=usual_noise(*experiments) if self.told else None,
        )

    def differences(self, other: Recipe) -> list[str]:
        """Fields in which another recipe is not this one, with both values."""
        return _differences(self, other)


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe from a TOML file.

    Raises
    ------
    CascadeError
        If the file cannot be read, is not TOML, or has fields that are wrong; all of them are named.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CascadeError(f"cannot read recipe {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no text, no TOML, or a number of too many digits
        raise CascadeError(f"{path} is no TOML file: {error}") from error
    try:
        return Recipe.model_validate(data, strict=True)
    except ValidationError as error:
        raise CascadeError(f"recipe {path}: {'; '.join(map(_told, error.errors()))}") from error


def _told(error: ErrorDetails) -> str:
    """One wrong field: its name, what was expected, and what came."""
    told = error["msg"].removeprefix("Value error, ")
    if error["loc"]:
        told = f"{'.'.join(map(str, error['loc']))}: {told}"
    if error["type"] in ("missing", "value_error"):  # nothing came; our own messages say what
        return told
    return f"{told}, got {error['input']!r}"


def _differences(ours: BaseModel, theirs: BaseModel, section: str = "") -> list[str]:
    found = []
    for (key, value), (_, other) in zip(ours, theirs, strict=True):
        if isinstance(value, BaseModel):
            found += _differences(value, other, f"{key}.")
        elif value != other:
            found.append(f"{section}{key} = {other} instead of {value}")
    return found
