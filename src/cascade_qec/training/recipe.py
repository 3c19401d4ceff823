"""A recipe is data: everything that, with a seed, makes a trained model."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cascade_qec import codes
from cascade_qec.errors import CascadeError
from cascade_qec.nn import NetworkSettings


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NoiseCurriculum(_Section):
    """Noise over the steps: low at the start, a linear ramp, then held; or drawn log-uniformly once the ramp is over.

    Training from scratch at a high rate can fail to learn anything for a long time; the short start at low noise
    is what prevents it.
    """

    model: str = Field(default="uniform", description="noise model of cascade_qec.circuits")
    p: float = Field(gt=0, le=0.1, description="rate at which the model is trained")
    start: float = Field(gt=0, le=0.1, description="rate of the first steps")
    hold_steps: int = Field(default=0, ge=0, description="steps at the starting rate")
    ramp_steps: int = Field(default=0, ge=0, description="steps from the starting rate to p")
    log_uniform_from: float | None = Field(
        default=None, gt=0, le=0.1, description="after the ramp, draw each micro-batch's rate from here to p"
    )

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

    steps: int = Field(ge=1)
    muon_lr: float = Field(default=3e-3, gt=0)
    lion_lr: float = Field(default=2e-4, gt=0, description="at base_width; output weights scale with 1/width")
    base_width: int = Field(default=64, ge=1, description="width at which the learning rates were found (MuP)")
    weight_decay: float = Field(default=3e-3, ge=0)
    warmup_steps: int = Field(default=1000, ge=0)
    final_lr: float = Field(default=0.1, ge=0, le=1, description="share of the peak at the last step")
    clip: float = Field(default=1.0, gt=0, description="bound on the gradient's norm")
    ema: float = Field(default=0.9998, ge=0, lt=1, description="decay of the averaged weights")


class BatchSettings(_Section):
    """A step sees `micro_batches` micro-batches of `shots` shots of each basis; statistics are per micro-batch."""

    shots: int = Field(ge=2, description="shots of each basis in a micro-batch")
    micro_batches: int = Field(default=1, ge=1)


class ValidationSettings(_Section):
    p: list[float] = Field(default=[0.002, 0.003, 0.005], min_length=1)
    shots: int = Field(default=4000, ge=1, description="of each basis and rate")
    every: int = Field(default=1000, ge=1, description="steps between validations, each of which writes a checkpoint")
    statistics_batches: int = Field(default=16, ge=1, description="batches over which statistics are measured")


class Recipe(_Section):
    name: str = Field(pattern=r"^[a-z0-9_]+$")
    code: str
    rounds: int = Field(ge=1)
    bases: list[Literal["X", "Z"]] = Field(default=["Z", "X"], min_length=1, max_length=2)
    seed: int = 0
    network: NetworkSettings
    noise: NoiseCurriculum
    optimizer: OptimizerSettings
    batch: BatchSettings
    validation: ValidationSettings = ValidationSettings()

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        codes.get(self.code)
        if len(set(self.bases)) != len(self.bases):
            raise ValueError(f"expected each basis once, got {self.bases}")
        return self

    @property
    def shots_per_step(self) -> int:
        return self.batch.shots * self.batch.micro_batches * len(self.bases)


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe from a TOML file; what is wrong with it is said field by field."""
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text())
    except OSError as error:
        raise CascadeError(f"cannot read recipe {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CascadeError(f"{path} is no TOML file: {error}") from error
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'recipe'}: {e['msg']}" for e in error.errors())
        raise CascadeError(f"recipe {path}: {wrong}") from error
