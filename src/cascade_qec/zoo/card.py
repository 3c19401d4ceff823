"""What is known about a trained model: how it was made and how well it was measured to decode."""

from datetime import date as Date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cascade_qec import codes, limits
from cascade_qec.codes import CSSCode
from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole
from cascade_qec.guards import Guards
from cascade_qec.statistics import Interval
from cascade_qec.tables import as_html


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Measurement(_Part):
    """One measured block error, with its 95 % interval."""

    p: float = Field(gt=0, lt=1)
    """Physical error rate of the memory experiment."""
    basis: Literal["X", "Z", "both"]
    """Basis of the memory experiment; "both" pools equal numbers of shots of the two."""
    rounds: int = Field(ge=1, le=limits.ROUNDS)
    code: str | None = None
    """Code of the memory experiment; None for the card's."""
    shots: int = Field(ge=1)
    failures: int = Field(ge=0)
    """Shots with any observable predicted wrongly."""
    block_error: float = Field(ge=0, le=1)
    """failures / shots."""
    low: float = Field(ge=0, le=1)
    """Lower end of the 95 % interval of the block error."""
    high: float = Field(ge=0, le=1)
    """Upper end of the 95 % interval of the block error."""
    per_logical_per_cycle: float | None = Field(ge=0, le=1)
    """Logical error rate per logical qubit per cycle; None where too high to be defined."""

    @property
    def interval(self) -> Interval:
        """The block error with its interval."""
        return Interval(self.block_error, self.low, self.high)

    @property
    def who(self) -> str:
        """Whose measurement it is, as tables call it."""
        return "Cascade"

    @model_validator(mode="after")
    def _figures_agree(self) -> Self:
        if self.failures > self.shots:
            raise ValueError(f"failures: expected at most {self.shots} (the shots), got {self.failures}")
        fraction = self.failures / self.shots
        if abs(self.block_error - fraction) > 1e-3 * fraction:
            raise ValueError(f"block_error: expected failures / shots = {fraction:.4g}, got {self.block_error}")
        if not self.low <= self.block_error <= self.high:
            raise ValueError(f"block_error: expected in [{self.low}, {self.high}], got {self.block_error}")
        return self


class RivalMeasurement(Measurement):
    """The same of another decoder on experiments of the same kind."""

    decoder: str

    @property
    def who(self) -> str:
        return self.decoder


class ZeroSyndrome(_Part):
    """What the model makes of shots without any detection event."""

    observables_flipped: int = Field(ge=0)
    """Observables predicted flipped, summed over both bases."""
    min_confidence: float | None = Field(ge=0, le=1)
    """Smaller one of the confidences of the two bases; None of a model without a calibration."""

    def __str__(self) -> str:
        sure = "no confidence told" if self.min_confidence is None else f"confidence {self.min_confidence:.5f}"
        return f"{self.observables_flipped} observables flipped, {sure}"


class Card(_Part):
    """A model's card, kept as JSON beside its weights."""

    name: str
    code: str
    bases: list[Literal["X", "Z"]]
    rounds: list[Annotated[int, Field(ge=1, le=limits.ROUNDS)]]
    """Numbers of rounds of the experiments that it was trained on."""
    network: dict[str, Any]
    """Settings of the network: width, depth, kind of convolution."""
    parameters: int = Field(ge=1)
    """Trained numbers in the network."""
    recipe: dict[str, Any]
    """The recipe that it was trained by, as read from its TOML file."""
    seed: int
    shots: int = Field(ge=0)
    """Shots seen in training."""
    hardware: str
    hours: float = Field(ge=0)
    """Wall-clock hours of training."""
    commit: str
    versions: dict[str, str]
    """Versions of the packages that it was trained with."""
    date: Date
    measurements: list[Measurement]
    rivals: list[RivalMeasurement] = []
    zero_syndrome: ZeroSyndrome
    guards: Guards | None = None
    """What the guards saw, the floor among the measurements above; None on cards older than they are."""
    notes: str = ""

    @property
    def own_rounds(self) -> int:
        """The number of rounds that the model is described at: that of its recipe."""
        own = self.recipe.get("rounds")
        return own if own in self.rounds else self.rounds[0]

    @property
    def local(self) -> bool:
        """Whether it is a local model, for any number of rounds of all codes locally like its own."""
        return self.recipe.get("head") == "local"

    def serves(self, code: CSSCode) -> bool:
        """Whether the model decodes a code."""
        return self.code == code.name or (self.local and codes.get(self.code).locally_like(code))

    def measured_on(self, code: str) -> list[Measurement]:
        """The model's own rows for a code."""
        return [row for row in self.measurements if (row.code or self.code) == code]

    def _repr_html_(self) -> str:
        rows = [
            (
                row.who,
                row.code or self.code,
                row.rounds,
                row.basis,
                f"{row.p:g}",
                f"{row.failures:,} / {row.shots:,}",
                *row.interval.texts(),
            )
            for row in (*self.measurements, *self.rivals)
        ]
        about = f"{self.name}: {self.code}, {self.parameters:,} weights, {self.shots:,} shots of training"
        head = ("decoder", "code", "rounds", "basis", "p", "failures", "block error", "95 %")
        return as_html(about, head, rows)

    @classmethod
    def read(cls, path: Path) -> "Card":
        """Read a card from its JSON file.

        Raises
        ------
        CascadeError
            If there is none, or a field is missing, unknown or out of range; the message names file and
            field.
        """
        if not path.is_file():
            raise CascadeError(f"{path}: expected the model's card, found no file of that name")
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            found = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg'].removeprefix('Value error, ')}"
                for e in error.errors()
            )
            raise CascadeError(f"{path}: not a card that can be used: {found}") from None

    def write(self, path: Path) -> None:
        """Write the card as JSON, whole or not at all."""
        with written_whole(path) as file:
            file.write(self.model_dump_json(indent=2).encode() + b"\n")
