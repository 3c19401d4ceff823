"""What to collect, as data: codes, noise rates, rounds, bases and decoders, from a TOML file or from flags."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import stim
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from cascade_qec import circuits, codes, decoders, limits, zoo
from cascade_qec.codes import Basis
from cascade_qec.decoders import Decoder, classical
from cascade_qec.decoders.named import MODEL_PREFIX, NamedModel, parts, without_windows
from cascade_qec.error_models import error_model
from cascade_qec.errors import CascadeError

if TYPE_CHECKING:
    from cascade_qec.model import ModelDescription
    from cascade_qec.zoo.card import Card

EVERY_MODEL = "cascade"
"""The decoder's name in a plan that stands for every shipped model of the code."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Experiments(_Table):
    """Memory experiments, every combination of what is listed, and who decodes them.

    A decoder is one of `cascade_qec.decoders.classical.names`, ``cascade:<model>`` with a name in the zoo or the
    path of a .safetensors file, ``cascade:<model>@<threshold>``, which discards shots of less confidence, or
    ``cascade``: the shipped models of the code.
    """

    codes: list[str] = Field(min_length=1)
    p: list[Annotated[float, Field(gt=0, le=1)]] = Field(min_length=1)
    rounds: list[Annotated[int, Field(ge=1, le=limits.ROUNDS)] | Literal["d"]] = Field(default=["d"], min_length=1)
    bases: list[Basis] = Field(default=["Z", "X"], min_length=1)
    decoders: list[str] = Field(min_length=1)
    noise: str = Field(default="uniform", description="noise model of cascade_qec.circuits")
    max_shots: int | None = Field(
        default=None, ge=1, le=limits.SHOTS, description="of each combination; the plan's by default"
    )
    max_errors: int | None = Field(
        default=None, ge=1, le=limits.SHOTS, description="of each combination; the plan's by default"
    )

    @field_validator("codes")
    @classmethod
    def _codes_known(cls, names: list[str]) -> list[str]:
        for name in names:
            codes.get(name)
        return names

    @field_validator("decoders")
    @classmethod
    def _decoders_known(cls, names: list[str]) -> list[str]:
        for name in names:
            if name != EVERY_MODEL:
                decoders.get(name)
        return names

    @field_validator("noise")
    @classmethod
    def _noise_known(cls, name: str) -> str:
        circuits.noise_model(name, 0.0)
        return name


class Plan(_Table):
    """What a collection shall contain when it is complete."""

    max_shots: int | None = Field(
        default=None, ge=1, le=limits.SHOTS, description="shots that are enough for a combination; by default 1,000,000"
    )
    max_errors: int | None = Field(
        default=None,
        ge=1,
        le=limits.SHOTS,
        description="errors that are enough; by default 1000, and with max_shots alone no such limit",
    )
    experiments: list[Experiments] = Field(min_length=1)


@dataclass(frozen=True)
class Cell:
    """One combination of a plan: an experiment, its decoder, and when to stop.

    It is small, and whoever holds it can build the circuit: this is what travels to workers.
    """

    code: str
    p: float
    rounds: int
    basis: Basis
    noise: str
    decoder: str
    max_shots: int
    max_errors: int | None

    def circuit(self) -> stim.Circuit:
        """The noisy memory experiment."""
        noise = circuits.noise_model(self.noise, self.p)
        return circuits.memory(codes.get(self.code), rounds=self.rounds, basis=self.basis, noise=noise)

    def __str__(self) -> str:
        return f"{self.code} p={self.p:g} rounds={self.rounds} basis={self.basis} {self.decoder}"


def read_plan(path: Path) -> Plan:
    """Read a plan from a TOML file.

    Raises
    ------
    CascadeError
        If the file is missing, not TOML, or not a plan; the message names the key.
    """
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise CascadeError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no text, no TOML, or a number of too many digits
        raise CascadeError(f"{path}: expected a plan in TOML: {error}") from error
    return make_plan(content, str(path))


def make_plan(content: dict[str, Any], source: str) -> Plan:
    """A plan from what a TOML file would hold; `source` is what errors call it.

    Raises
    ------
    CascadeError
        If it is not a plan; the message names the key.
    """
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise CascadeError(f"{source}, {key}: {problem['msg'].removeprefix('Value error, ')}") from error


def cells(plan: Plan, *, skipped: Callable[[str], None]) -> list[Cell]:
    """The combinations of a plan that can be decoded here, decoder by decoder within each experiment.

    Parameters
    ----------
    skipped
        Called once with each reason to leave decoders out: a missing package with the command that gets it, or
        a code that a decoder cannot decode.

    Raises
    ------
    CascadeError
        If nothing is left, a combination is asked for twice, or the circuits of one cannot be built.
    """
    found: list[Cell] = []
    reasons: dict[str, None] = {}
    for table in plan.experiments:
        enough = _enough(table, plan)
        for code in table.codes:
            usable = list(_usable_decoders(table, code, reasons))
            for p, rounds, basis, decoder in product(table.p, table.rounds, table.bases, usable):
                rounds = _distance(code) if rounds == "d" else rounds
                found.append(Cell(code, p, rounds, basis, table.noise, decoder, *enough))
    if not found:
        raise CascadeError("; ".join(reasons))
    seen: set[Cell] = set()
    for cell in found:
        combination = replace(cell, max_shots=1, max_errors=None)
        if combination in seen:
            raise CascadeError(f"expected each combination once in the plan, got twice: {cell}")
        seen.add(combination)
    for reason in reasons:
        skipped(reason)
    return found


def _enough(table: Experiments, plan: Plan) -> tuple[int, int | None]:
    """Shots and errors at which a combination ends. As in sinter, nobody who names shots alone is cut by errors."""
    shots, errors = table.max_shots or plan.max_shots, table.max_errors or plan.max_errors
    return shots or 1_000_000, 1000 if shots is None and errors is None else errors


def decoder_model(decoder: Decoder, circuit: stim.Circuit) -> stim.DetectorErrorModel:
    """The detector error model that a decoder is given.

    Raises
    ------
    CascadeError
        If the decoder wants errors decomposed into pairs and Stim cannot do that.
    """
    return error_model(circuit, decomposed=getattr(decoder, "decomposed", False))


def _usable_decoders(table: Experiments, code: str, reasons: dict[str, None]) -> Iterator[str]:
    for name in table.decoders:
        if name == EVERY_MODEL:
            models = zoo.models_of(codes.get(code))
            if not models:
                reasons[f"{name}: no shipped model of {code}"] = None
            yield from (NamedModel(model).name for model in models)
            continue
        try:
            _check_usable(name, table, code)
        except CascadeError as error:
            reasons[str(error)] = None
        else:
            yield name


def _check_usable(decoder: str, table: Experiments, code: str) -> None:
    """Whether a decoder can decode a code is seen at the first of each: noise only changes probabilities."""
    decoder, _ = without_windows(decoder)
    if decoder.startswith(MODEL_PREFIX):
        named = parts(decoder)
        made = _description(named.model)
        if not made.serves(codes.get(code)):
            raise CascadeError(f"{decoder} decodes {made.code}, not {code}")
        for basis in table.bases:
            if basis not in made.bases:
                raise CascadeError(f"{decoder} was trained for basis {' and '.join(made.bases)}, not {basis}")
        if named.fallback is not None:
            _check_usable(named.fallback, table, code)
        return
    method = classical.get(decoder)
    method.require()
    cell = Cell(code, table.p[0], 2, table.bases[0], table.noise, decoder, 1, None)
    try:
        method.check(decoder_model(method, cell.circuit()))
    except CascadeError as error:
        raise CascadeError(f"{decoder} cannot decode {code}: {error}") from error


def _description(model: str) -> Card | ModelDescription:
    """What a model's card says, or its file where it has none."""
    if model in zoo.names():
        return zoo.card(model)
    from cascade_qec.model import load_model

    return load_model(zoo.path(model))[1]


def _distance(code: str) -> int:
    distance = codes.get(code).d
    if distance is None:
        raise CascadeError(f'expected a number of rounds for {code}, whose distance is unknown, got "d"')
    return distance
