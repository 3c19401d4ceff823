"""A workflow is data: steps, what each must reach, and what must never happen."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    model_validator,
)

from cascade_calibration import analysis
from cascade_calibration.laboratory import Experiment, Guarded, Laboratory
from cascade_calibration.quantities import Quantity
from cascade_calibration.workflows.criteria import Criterion
from cascade_calibration.workflows.expressions import Expression
from cascade_qec.errors import CascadeError, unknown

_SHIPPED = resources.files("cascade_calibration.workflows") / "shipped"
_MOST = 10_000


def _expression(given: Any) -> Expression:
    return given if isinstance(given, Expression) else Expression(given if isinstance(given, str) else repr(given))


def _criterion(given: Any) -> Criterion:
    return given if isinstance(given, Criterion) else Criterion.of(str(given))


_Text = PlainSerializer(lambda one: one.text)
_Expression = Annotated[Expression, PlainValidator(_expression), _Text]
_Criterion = Annotated[Criterion, PlainValidator(_criterion), _Text]
_Quantity = Annotated[Quantity, PlainValidator(Quantity.of), PlainSerializer(lambda one: f"{one.value!r} {one.unit}")]
Settings = Mapping[str, Mapping[str, Quantity]]
"""By target and name."""

_Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z_0-9]{0,40}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Budget(_Section):
    """What a run may cost: runs of experiments, and time in the laboratory."""

    runs: int = Field(ge=1, le=_MOST)
    time: _Quantity

    @model_validator(mode="after")
    def _is_time(self) -> Budget:
        if self.time.unit != "s" or self.time.value <= 0:
            raise ValueError(f"expected a time such as '2 h', got {self.time}")
        return self


class Step(_Section):
    """One experiment, until its criteria are met.

    Attributes
    ----------
    parameters
        Expressions of settings. What is not named is the setting of the same name, or the experiment's default.
    criteria
        All must be met. Without one on the status, it must be the family's good one.
    learns
        Settings from what was measured.
    on
        By status that does not do: a step to go back to, or parameters to change. Without, the range that the verdict
        suggests is tried, and more shots where only an uncertainty is too large.
    attempts
        Runs of this step for one target, in all.
    then
        The next step; by default the next of the list.
    """

    name: _Name
    experiment: str
    about: str = ""
    parameters: dict[str, _Expression] = {}
    criteria: tuple[_Criterion, ...] = ()
    learns: dict[_Name, _Expression] = {}
    on: dict[str, str | dict[str, _Expression]] = {}
    attempts: int = Field(default=5, ge=1, le=100)
    then: str = ""


class Workflow(_Section):
    """Steps that each target goes through, from the first to the last, and their limits.

    Attributes
    ----------
    bounds
        Narrower bounds of parameters, by name.
    approval
        "person" if somebody has to agree to each run of an experiment, by name.
    """

    name: _Name
    about: str = ""
    budget: Budget
    approval: Literal["none", "person"] = "none"
    bounds: dict[str, tuple[_Quantity, _Quantity]] = {}
    steps: tuple[Step, ...] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _names_are_known(self) -> Workflow:
        names = [one.name for one in self.steps]
        if len(set(names)) < len(names):
            raise ValueError(f"expected a name of its own for each step, got {', '.join(names)}")
        for step in self.steps:
            for name in [step.then, *(one for one in step.on.values() if isinstance(one, str))]:
                if name and name not in names:
                    raise unknown("step", name[:80], names)
        return self

    def __getitem__(self, name: str) -> Step:
        return next(one for one in self.steps if one.name == name)

    def after(self, step: Step) -> str:
        """Name of the step after one; empty after the last."""
        names = [one.name for one in self.steps]
        return step.then or next(iter(names[names.index(step.name) + 1 :]), "")

    def guarded(self, laboratory: Laboratory, settings: Settings | None = None) -> Guarded:
        """The laboratory, within this workflow's bounds too; every name of the workflow is checked against it.

        Parameters
        ----------
        settings
            What is known of targets besides what the laboratory says.

        Raises
        ------
        CascadeError
            If a bound, an experiment, a parameter or a status is unknown, or a setting when a step needs it; if a value
            that is known at the start has another unit than its parameter.
        """
        guarded = Guarded(laboratory, self.bounds)
        targets = started(guarded, settings).values()
        known = {name for one in targets for name in one if all(name in other for other in targets)}
        at_start = set(known)
        for step in self.steps:
            try:
                experiment = guarded.experiment(step.experiment)
                self._check(step, experiment, known)
                for name, expression in step.parameters.items():
                    if expression.names <= at_start:
                        for one in targets:
                            experiment[name].read(expression.value(one, {}))
            except CascadeError as error:
                raise CascadeError(f"step {step.name}: {error}") from error
            known |= step.learns.keys()
            at_start -= step.learns.keys()
        return guarded

    def _check(self, step: Step, experiment: Experiment, known: set[str]) -> None:
        learnt = {name for each in self.steps for name in each.learns}
        if early := sorted({name for one in step.parameters.values() for name in one.names} & learnt - known):
            raise CascadeError(
                f"expected a value of {', '.join(early)} to begin with: take the settings that an earlier run ended "
                "with (--settings)"
            )
        statuses = analysis.get(experiment.family).statuses
        wanted = [one for criterion in step.criteria for one in criterion.statuses]
        for status in (*wanted, *step.on):
            if status not in statuses:
                raise unknown(f"status of {experiment.family}", status[:80], statuses)
        changes = [one for one in step.on.values() if not isinstance(one, str)]
        for table in (step.parameters, *changes):
            for name in table:
                experiment[name]
        _check_names(step.parameters.values(), known, measured=False)
        own = known.union(one.name for one in experiment.parameters)
        for table in (step.learns, *changes):
            _check_names(table.values(), own, measured=True)
        _check_names((one.limit for one in step.criteria), own, measured=False)
        for one in experiment.parameters:
            if one.default is None and one.name not in known | step.parameters.keys():
                raise CascadeError(f"expected a value for {one.name}, which no setting is yet")


def started(guarded: Guarded, settings: Settings | None) -> dict[str, dict[str, Quantity]]:
    """Settings of each target at the start: what the laboratory says, and what is known besides."""
    given = settings or {}
    return {name: {**known, **given.get(name, {})} for name, known in guarded.targets.items()}


def _check_names(expressions: Iterable[Expression], known: set[str], *, measured: bool) -> None:
    for one in expressions:
        for name in one.names:
            if name not in known:
                raise unknown("setting", name[:80], sorted(known))
        if len(one.measured) > measured:
            most = "one measured parameter at most" if measured else "settings alone"
            raise CascadeError(f"expected {most}, got {one.text!r}")


def names() -> tuple[str, ...]:
    """Names of the workflows that are shipped."""
    return tuple(sorted(one.name.removesuffix(".toml") for one in _SHIPPED.iterdir() if one.name.endswith(".toml")))


def load_workflow(name: str | Path) -> Workflow:
    """A shipped workflow by its name, or one from a TOML file.

    Raises
    ------
    CascadeError
        If there is none, or the file is none: where, what was expected, and what came.
    """
    if str(name) in names():
        return read_workflow((_SHIPPED / f"{name}.toml").read_text(encoding="utf-8"), str(name))
    path = Path(name)
    if not path.is_file():
        raise unknown("workflow", str(name)[:80], names(), f"a TOML file, or one of {', '.join(names())}")
    try:
        return read_workflow(path.read_text(encoding="utf-8"), str(name))
    except (OSError, UnicodeDecodeError) as error:
        raise CascadeError(f"{name}: cannot be read: {error}") from error


def read_workflow(text: str, source: str = "workflow") -> Workflow:
    """A workflow from the text of a TOML file.

    Raises
    ------
    CascadeError
        If it is none.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # no TOML, or a number of too many digits
        raise CascadeError(f"{source}: expected TOML: {error}") from error
    return workflow_of(tables, source)


def workflow_of(tables: Mapping[str, Any], source: str = "workflow") -> Workflow:
    """A workflow from the tables that its TOML file would have.

    Raises
    ------
    CascadeError
        If it is none.
    """
    try:
        return Workflow.model_validate(tables)
    except ValidationError as error:
        first = max(error.errors(), key=lambda one: len(one["loc"]))  # of alternatives the one that went furthest
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise CascadeError(f"{source}: {f'{where}: ' if where else ''}{message}"[:500]) from error
