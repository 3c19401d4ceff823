"""Learning curves: block error of validations against shots seen in training."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import BaseModel, Field, ValidationError

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.panels import bars_caption, draw_rates, finish, log_axis, make_panels, sidestep
from cascade_qec.plotting.style import Look, styled
from cascade_qec.statistics import Interval, wilson

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

    Attributes
    ----------
    run
        Name of the run's folder.
    p
        Noise rate.
    seen
        Shots of training, those of earlier stretches included.
    block
        Block error with its interval.
    """

    run: str
    p: float
    seen: int
    block: Interval


class _Line(BaseModel):
    """A line of metrics.jsonl with a validation."""

    shots: int = Field(gt=0)
    validation_shots: int = Field(ge=1)
    block_error: dict[Annotated[float, Field(gt=0, le=1)], Annotated[float, Field(ge=0, le=1)]]

    def validations(self, run: str, before: int) -> Iterator[Validation]:
        """One of each noise rate, of a run that had seen so many shots before this stretch."""
        for p, rate in self.block_error.items():
            failed = round(rate * self.validation_shots)
            yield Validation(run, p, before + self.shots, wilson(failed, self.validation_shots))


class _Stretch(BaseModel):
    """What run.json has of an earlier stretch."""

    shots: int = Field(ge=0)
    validations: list[_Line]


class _Record(BaseModel):
    """What is wanted of run.json."""

    earlier: list[_Stretch] = []


def read_validations(path: Path) -> list[Validation]:
    """Read the validations of a training run from its metrics.jsonl, and of earlier stretches from the run.json beside.

    Raises
    ------
    CascadeError
        If a file cannot be read, metrics.jsonl has no validation, or a line that is none of a run's; a last line that
        was cut short by a kill is passed over.
    """
    run, before, validations = path.absolute().parent.name, 0, []
    for stretch in _earlier(path.with_name("run.json")):
        validations += [found for line in stretch.validations for found in line.validations(run, before)]
        before += stretch.shots
    rows = _lines(path)
    if not rows:
        raise CascadeError(f"{path}: expected lines with a block_error, as a training run validates, got none")
    return validations + [found for line in rows for found in line.validations(run, before)]


def _earlier(record: Path) -> list[_Stretch]:
    if not record.exists():
        return []
    try:
        return _Record.model_validate_json(record.read_bytes()).earlier
    except OSError as error:
        raise CascadeError(f"{record}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise CascadeError(f"{record}, {_first_problem(error)}") from error


def _lines(path: Path) -> list[_Line]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CascadeError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CascadeError(f"{path}: expected JSON lines, found bytes that are no text") from error
    lines = enumerate(text.splitlines(keepends=True), start=1)
    rows = [_line(path, number, line) for number, line in lines if line.endswith("\n")]
    return [row for row in rows if row is not None]


def _line(path: Path, number: int, line: str) -> _Line | None:
    """A line as it is, None if it has no validation."""
    try:
        found = json.loads(line)
    except ValueError as error:
        raise CascadeError(f"{path}, line {number}: expected a JSON object, got {line.strip()[:40]!r}") from error
    if not isinstance(found, dict):
        raise CascadeError(f"{path}, line {number}: expected a JSON object, got {line.strip()[:40]!r}")
    if "block_error" not in found:
        return None
    try:
        return _Line.model_validate(found)
    except ValidationError as error:
        raise CascadeError(f"{path}, line {number}, {_first_problem(error)}") from error


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"


def learning_figure(validations: Sequence[Validation], *, title: str | None = None) -> Figure:
    """Block error against the shots seen, both logarithmic: a panel for each noise rate, a curve for each run.

    Parameters
    ----------
    validations
        Of runs in the order of the legend.
    title
        Above all panels.

    Raises
    ------
    CascadeError
        If there are no validations, two of one run at one place, or more runs than looks.
    """
    if not validations:
        raise CascadeError("expected validations to plot, got none")
    runs = list(dict.fromkeys(validation.run for validation in validations))
    if len(runs) > len(_LOOKS):
        raise CascadeError(f"expected at most {len(_LOOKS)} runs, got {len(runs)}: leave some out")
    look = dict(zip(runs, _LOOKS, strict=False))
    rates = sorted({validation.p for validation in validations})
    with styled():
        figure, panels = make_panels(len(rates), y_label="block error in validation")
        for axes, p in zip(panels, rates, strict=True):
            inside = [validation for validation in validations if validation.p == p]
            here = [run for run in runs if any(one.run == run for one in inside)]
            for place, run in enumerate(here):
                curve = sorted((one for one in inside if one.run == run), key=lambda one: one.seen)
                if len({one.seen for one in curve}) != len(curve):
                    raise CascadeError(
                        f"expected one validation of {run} at p = {p:g} for each number of shots; some occur twice: "
                        "runs are told apart by the names of their folders"
                    )
                step = sidestep(place, len(here))
                draw_rates(axes, [one.seen * step for one in curve], [one.block for one in curve], look[run], label=run)
            log_axis(axes.xaxis, [one.seen for one in inside])
            log_axis(axes.yaxis, [end for one in inside for end in (one.block.low, one.block.value, one.block.high)])
            axes.set_xlabel("shots seen in training")
            axes.set_title(f"p = {100 * p:g} %")
        own_shots = "Each stretch of a run is validated on the same shots every time."
        caption = [*bars_caption([one.block for one in validations]), own_shots]
        finish(figure, look, caption, title=title)
    return figure
