"""Tables of reliability and post-selection: their rows, their files, and going on with those of a run cut short."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from cascade_qec.codes import Basis
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.scores import (
    brier_parts,
    equal_mass_bins,
    error_if_calibrated,
    expected_calibration_error,
    log_odds_bins,
)
from cascade_qec.statistics import Interval
from cascade_qec.tables import put_rows, read_rows

if TYPE_CHECKING:  # readers of the tables need no decoder
    from cascade_qec.evaluation.reliability.measurement import Outcome

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Setting:
    """One experiment: what its rows have in common. Of the shots, an even number, half choose thresholds."""

    code: str
    p: float
    rounds: int
    basis: Basis
    shots: int
    seed: int


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)

    decoder: str
    code: str
    p: Fraction
    rounds: int
    basis: str


class ReliabilityRow(_Row):
    """A bin of predictions of equal width in log-odds; empty ones are left out.

    Attributes
    ----------
    of
        What is predicted: "shot", "observable" or "flip" (see `Outcome`).
    bin_low, bin_high
        Probabilities between which the predictions lie.
    shots
        Predictions: with k observables each shot has k of them.
    confidence
        Mean predicted probability; for "flip" that of a flip.
    correct
        Predictions that came true; for "flip" observables that flipped.
    error_of_fraction
        Standard error of the fraction that came true.
    """

    of: str
    bin_low: Fraction
    bin_high: Fraction
    shots: Count
    confidence: float | None
    correct: int
    error_of_fraction: float | None
    seed: int

    @model_validator(mode="after")
    def _counted(self) -> ReliabilityRow:
        if not 0 <= self.correct <= self.shots:
            raise ValueError(f"expected 0 <= correct <= shots, got {self.correct} of {self.shots}")
        return self

    @classmethod
    def of_outcome(cls, common: Mapping[str, Any], outcome: Outcome, bins: int) -> list[ReliabilityRow]:
        """The rows of what a decoder's outputs were worth, whose experiment is `common`."""
        rows = []
        for of, counts in outcome.counts.items():
            found = log_odds_bins(counts)
            correct = np.rint(found.number * found.happened).astype(int)
            columns = (found.low, found.high, found.number, found.predicted, correct, found.error)
            names = ("bin_low", "bin_high", "shots", "confidence", "correct", "error_of_fraction")
            for values in zip(*(column.tolist() for column in columns), strict=True):
                rows.append(cls(**{**common, **dict(zip(names, values, strict=True))}, of=of))
        return rows


class CalibrationRow(_Row):
    """Scores of one kind of prediction, with their intervals.

    The calibration error is over bins of equal mass; the Brier score is decomposed over the bins of reliability.csv,
    which are narrow where predictions are certain.
    """

    of: str
    shots: int
    failures: Count
    bins: int
    ece: Interval
    ece_if_calibrated: float
    brier: Interval
    reliability: float
    resolution: float
    uncertainty: float
    within_bins: float
    log_loss: Interval
    seed: int

    @classmethod
    def of_outcome(cls, common: Mapping[str, Any], outcome: Outcome, bins: int) -> list[CalibrationRow]:
        """One row for each kind of prediction, the error over at most `bins` bins."""
        rows = []
        for of, counts in outcome.counts.items():
            masses = equal_mass_bins(counts, bins)
            row = cls(
                **common,
                **vars(brier_parts(counts, log_odds_bins(counts))),
                of=of,
                failures=outcome.failures,
                bins=len(masses.number),
                ece=expected_calibration_error(masses),
                ece_if_calibrated=error_if_calibrated(masses),
                brier=counts.brier.mean(),
                log_loss=counts.log_loss.mean(),
            )
            rows.append(row)
        return rows


class PostSelectionRow(_Row):
    """What a threshold does to the half of the shots that did not choose it, as `Selection` has it."""

    method: str
    discard: float
    threshold: float
    accepted: Count
    shots: int = Field(ge=1)
    failures: Count
    accepted_fraction: Interval
    block_error: Interval | None
    seed: int

    @model_validator(mode="after")
    def _counted(self) -> PostSelectionRow:
        if not self.failures <= self.accepted <= self.shots:
            raise ValueError(
                f"expected failures <= accepted <= shots, got {self.failures}, {self.accepted}, {self.shots}"
            )
        return self

    @classmethod
    def of_outcome(cls, common: Mapping[str, Any], outcome: Outcome, bins: int) -> list[PostSelectionRow]:
        """One row for each method and threshold."""
        return [
            cls(
                **{**common, **vars(selection)},
                method=method,
                accepted_fraction=selection.accepted_fraction,
                block_error=selection.block_error,
            )
            for method, selections in outcome.selections.items()
            for selection in selections
        ]


KINDS: Mapping[str, type[ReliabilityRow | CalibrationRow | PostSelectionRow]] = {
    "reliability.csv": ReliabilityRow,
    "calibration.csv": CalibrationRow,
    "post_selection.csv": PostSelectionRow,
}
"""What the rows of each file are. The last file is written last: an experiment is complete if it is in there."""


def complete(
    folder: Path, settings: Iterable[Setting], points: set[tuple[str, float]], *, resume: bool
) -> set[Setting]:
    """Which experiments a folder's tables have already.

    Parameters
    ----------
    folder
        Need not be there.
    settings
        The experiments that there may be.
    points
        What a complete one has in post_selection.csv: pairs of a decoder's name and a discard rate.
    resume
        Whether there may be any.

    Raises
    ------
    CascadeError
        If the folder is a file, has tables and `resume` is not set, a table cannot be read, or has another experiment
        than these.
    """
    if folder.exists() and not folder.is_dir():
        raise CascadeError(f"{folder}: expected a folder for the tables, found a file")
    known, found = {_experiment(setting): setting for setting in settings}, defaultdict(set)
    for path, kind in ((folder / name, kind) for name, kind in KINDS.items() if (folder / name).exists()):
        if not resume:
            raise CascadeError(f"{folder}: expected a folder without {path.name}, or --resume to go on with it")
        for row in read_rows(path, kind):
            setting = known.get(_experiment(row))
            shots = {} if setting is None else {CalibrationRow: setting.shots, PostSelectionRow: setting.shots // 2}
            if setting is None or row.shots != shots.get(kind, row.shots):
                raise CascadeError(
                    f"{path}: expected only experiments that --resume asks for again, found "
                    f"{', '.join(map(str, _experiment(row)))} (code, p, rounds, basis, seed), shots {row.shots}"
                )
            if isinstance(row, PostSelectionRow):
                found[setting].add((row.decoder, row.discard))
    return {setting for setting, there in found.items() if there == points}


def put_outcomes(folder: Path, setting: Setting, outcomes: Sequence[Outcome], *, bins: int) -> None:
    """Put an experiment into the tables, in place of what a run that was cut short has left of it."""
    for name, kind in KINDS.items():
        rows = [row for o in outcomes for row in kind.of_outcome({**vars(setting), "decoder": o.decoder}, o, bins)]
        if rows:  # there are no scores of decoders without probabilities
            put_rows(folder / name, rows, place=_experiment)


def _experiment(row: Setting | ReliabilityRow | CalibrationRow | PostSelectionRow) -> tuple[str, float, int, str, int]:
    return row.code, row.p, row.rounds, row.basis, row.seed
