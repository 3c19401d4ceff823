"""The list of measurements, and which of them are of the present weights."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from cascade_qec.tables import Circumstances, put_rows, read_rows
from cascade_qec.zoo import registry
from workshop import CHECKOUT, RESULTS

LIST = CHECKOUT / "benchmarks" / "results.toml"

MADE = RESULTS / "made.csv"
"""What was measured, and of which weights."""


class Measurement(BaseModel):
    """A table of results, or a part of one.

    Attributes
    ----------
    models
        Whose weights it depends on.
    clear
        Patterns of files in benchmarks/results that are removed before it is made of other weights.
    command
        Run by bash in the checkout.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    models: list[str]
    clear: list[str] = []
    command: str

    def weights(self) -> str:
        """The beginnings of the SHA-256 of its models' files, as they are now."""
        return " ".join(hashlib.sha256(registry.path(name).read_bytes()).hexdigest()[:16] for name in self.models)

    def files(self) -> list[Path]:
        return sorted(path for pattern in self.clear for path in RESULTS.glob(pattern))


class Made(Circumstances):
    """A measurement that has begun, and of which weights.

    Attributes
    ----------
    ended
        False if it was cut short: the same command goes on.
    seconds
        That it took in all; the machine may have done other work.
    """

    name: str
    weights: str
    ended: bool
    seconds: float


def measurements() -> list[Measurement]:
    """Those of benchmarks/results.toml, in their order."""
    return [Measurement.model_validate(each) for each in tomllib.loads(LIST.read_text())["measurements"]]


def made() -> dict[str, Made]:
    """What has begun, by name."""
    return {row.name: row for row in read_rows(MADE, Made)} if MADE.exists() else {}


def note(row: Made) -> None:
    """Put it in place of the last one of that name."""
    put_rows(MADE, [row], place=lambda each: each.name)


def older() -> list[Measurement]:
    """Measurements whose tables are not of the present weights, or not complete."""
    known = made()
    return [
        each
        for each in measurements()
        if each.name not in known or not known[each.name].ended or known[each.name].weights != each.weights()
    ]
