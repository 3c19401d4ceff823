"""Learning curves: block error of validations against shots seen in training."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from matplotlib.figure import Figure
from pydantic import AliasPath, BaseModel, Field, ValidationError

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.curves import Dot, curves_figure
from cascade_qec.plotting.panels import log_axis, number
from cascade_qec.plotting.points import family_of, rank_of
from cascade_qec.plotting.style import Look
from cascade_qec.statistics import Interval, wilson

Parsed = TypeVar("Parsed", bound=BaseModel)

# Colours of runs, which are no decoders; further runs have the same ones with hollow markers and dashes.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_LOOKS = (
    *(Look(color, marker, "-") for color, marker in zip(_COLORS, _MARKERS, strict=True)),
    *(Look(color, marker, "--", fill="none") for color, marker in zip(_COLORS, _MARKERS, strict=True)),
)


@dataclass(frozen=True)
class Validation:
    """What the weights of a run were worth at one noise rate, after so many shots.

    A run is called after its folder; the family of its code is empty where it does not tell. Shots `seen` include those
    of earlier stretches.
    """

    run: str
    family: str
    p: float
    seen: int
    block: Interval


class _Line(BaseModel):
    """A line of metrics.jsonl with a validation."""

    shots: int = Field(gt=0)
    validation_shots: int = Field(ge=1)
    block_error: dict[Annotated[float, Field(gt=0, le=1)], Annotated[float, Field(ge=0, le=1)]]

    def validations(self, run: str, family: str, before: int) -> Iterator[Validation]:
        """One of each noise rate, of a run that had seen so many shots before this stretch."""
        for p, rate in self.block_error.items():
            failed = round(rate * self.validation_shots)
            yield Validation(run, family, p, before + self.shots, wilson(failed, self.validation_shots))


class _Stretch(BaseModel):
    """What run.json has of an earlier stretch."""

    shots: int = Field(ge=0)
    validations: list[_Line]


class _Record(BaseModel):
    """What is wanted of run.json."""

    code: str | None = Field(default=None, validation_alias=AliasPath("recipe", "code"))
    earlier: list[_Stretch] = []


def read_validations(path: Path) -> list[Validation]:
    """Read the validations of a training run from its metrics.jsonl, and of earlier stretches from the run.json beside.

    Raises
    ------
    CascadeError
        If a file cannot be read, neither has a validation, or metrics.jsonl a line that is none of a run's; a last line
        that was cut short by a kill is passed over.
    """
    run, before, validations = path.absolute().parent.name, 0, []
    beside = path.with_name("run.json")
    record = _parsed(_Record, _text(beside), beside) if beside.exists() else _Record()
    family = family_of(record.code) if record.code else ""
    for stretch in record.earlier:
        validations += [found for line in stretch.validations for found in line.validations(run, family, before)]
        before += stretch.shots
    lines = [line for line in _text(path).splitlines(keepends=True) if line.endswith("\n")]
    found = [_validated(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1)]
    rows = [row for row in found if row is not None]
    validations += [found for line in rows for found in line.validations(run, family, before)]
    if not validations:
        raise CascadeError(f"{path}: expected lines with a block_error, as a training run validates, got none")
    return validations


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CascadeError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CascadeError(f"{path}: expected JSON, found bytes that are no text") from error


def _validated(line: str, where: str) -> _Line | None:
    """A line as it is, None if it has no validation."""
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CascadeError(f"{where}: expected a JSON object, got {line.strip()[:40]!r}")
    return _parsed(_Line, line, where) if "block_error" in found else None


def _parsed(kind: type[Parsed], text: str, where: object) -> Parsed:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors()[0]
        raise CascadeError(f"{where}, {'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error


def learning_figure(validations: Sequence[Validation], *, title: str | None = None) -> Figure:
    """Block error against the shots seen, both logarithmic: a curve for each run, which the legend has in their order.

    There is a panel for each noise rate, and for each family of codes where runs tell theirs.

    Raises
    ------
    CascadeError
        If there are no validations, two of one run at one place, or more runs than looks.
    """
    runs = list(dict.fromkeys(one.run for one in validations))
    if len({(one.run, one.p, one.seen) for one in validations}) != len(validations):
        raise CascadeError(
            "expected one validation of each run for each number of shots and noise rate; some occur twice: runs are "
            "told apart by the names of their folders"
        )
    if len(runs) > len(_LOOKS):
        raise CascadeError(f"expected at most {len(_LOOKS)} runs, got {len(runs)}: leave some out")
    look = dict(zip(runs, _LOOKS, strict=False))
    dots = [
        Dot(f"{one.family}{', ' if one.family else ''}p = {number(100 * one.p)} %", one.run, one.seen, one.block)
        for one in sorted(validations, key=lambda one: (rank_of(one.family), one.p))
    ]
    return curves_figure(
        dots,
        log_axis,
        y_label="block error in validation",
        x_label="shots seen in training",
        look=look,
        quiet=True,
        notes=["Each stretch of a run is validated on the same shots every time."],
        title=title,
    )
