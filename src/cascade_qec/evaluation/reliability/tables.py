"""Tables of reliability and post-selection: their rows, their files, and going on with those of a run cut short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.scores import (
    brier_parts,
    equal_mass_bins,
    error_if_calibrated,
    expected_calibration_error,
    log_odds_bins,
)
from cascade_qec.statistics import Interval
from cascade_qec.tables import read_rows, write_rows

if TYPE_CHECKING:  # readers of the tables need no decoder
    from cascade_qec.evaluation.reliability.measurement import Outcome

Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Setting:
    """One experiment: what its rows have in common.

    Attributes
    ----------
    code, p, rounds, basis
        The circuit.
    shots
        An even number: half choose thresholds, half try them.
    seed
        Of the shots.
    """

    code: str
    p: float
    rounds: int
    basis: str
    shots: int
    seed: int

    def columns(self, outcome: Outcome) -> dict[str, object]:
        """What all rows of a decoder say of the experiment."""
        return {**vars(self), "decoder": outcome.decoder}


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


KINDS: Mapping[str, type[ReliabilityRow | CalibrationRow | PostSelectionRow]] = {
    "reliability.csv": ReliabilityRow,
    "calibration.csv": CalibrationRow,
    "post_selection.csv": PostSelectionRow,
}
"""What the rows of each file are. The last file is written last: an experiment is complete if it is in there."""


def reliability_rows(setting: Setting, outcome: Outcome) -> list[ReliabilityRow]:
    """Rows of reliability.csv."""
    rows = []
    for of, counts in outcome.counts.items():
        bins = log_odds_bins(counts)
        for i, number in enumerate(bins.number.tolist()):
            figures = {
                "bin_low": bins.low[i],
                "bin_high": bins.high[i],
                "shots": number,
                "confidence": bins.predicted[i],
                "correct": round(number * bins.happened[i]),
                "error_of_fraction": bins.error[i],
            }
            rows.append(ReliabilityRow.model_validate(setting.columns(outcome) | figures | {"of": of}))
    return rows


def calibration_rows(setting: Setting, outcome: Outcome, bins: int) -> list[CalibrationRow]:
    """Rows of calibration.csv, one for each kind of prediction, the error over at most `bins` bins."""
    rows = []
    for of, counts in outcome.counts.items():
        masses = equal_mass_bins(counts, bins)
        scores = vars(brier_parts(counts, log_odds_bins(counts))) | {
            "of": of,
            "shots": outcome.shots,
            "failures": outcome.failures,
            "bins": len(masses.number),
            "ece": expected_calibration_error(masses),
            "ece_if_calibrated": error_if_calibrated(masses),
            "brier": counts.brier.mean(),
            "log_loss": counts.log_loss.mean(),
        }
        rows.append(CalibrationRow.model_validate(setting.columns(outcome) | scores))
    return rows


def post_selection_rows(setting: Setting, outcome: Outcome) -> list[PostSelectionRow]:
    """Rows of post_selection.csv."""
    return [
        PostSelectionRow.model_validate(
            setting.columns(outcome)
            | vars(selection)
            | {"method": method}
            | {"accepted_fraction": selection.accepted_fraction, "block_error": selection.block_error}
        )
        for method, selections in outcome.selections.items()
        for selection in selections
    ]


@dataclass
class ReliabilityTables:
    """The three tables of a folder, each file whole at any time.

    Parameters
    ----------
    folder
        Made if it is not there.
    """

    folder: Path
    rows: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in KINDS})

    @classmethod
    def open(cls, folder: Path, *, resume: bool) -> ReliabilityTables:
        """Start tables, or with `resume` go on with those of the folder.

        Raises
        ------
        CascadeError
            If the folder is a file, has tables already and `resume` is not set, or a table cannot be read.
        """
        if folder.exists() and not folder.is_dir():
            raise CascadeError(f"{folder}: expected a folder for the tables, found a file")
        tables = cls(folder)
        for name, kind in KINDS.items():
            if (folder / name).exists():
                if not resume:
                    raise CascadeError(f"{folder}: expected a folder without {name}, or --resume to go on with it")
                tables.rows[name] = read_rows(folder / name, kind)
        return tables

    @property
    def calibration(self) -> list[CalibrationRow]:
        return self.rows["calibration.csv"]

    @property
    def post_selection(self) -> list[PostSelectionRow]:
        return self.rows["post_selection.csv"]

    def keep(self, settings: Iterable[Setting], points: set[tuple[str, float]]) -> set[Setting]:
        """Keep the experiments that are complete, drop those that were cut short.

        Parameters
        ----------
        settings
            The experiments that there may be.
        points
            What a complete one has in post_selection.csv: pairs of a decoder's name and a discard rate.

        Returns
        -------
        set of Setting
            The complete ones.

        Raises
        ------
        CascadeError
            If the tables have another experiment than these.
        """
        by_key = {_key(setting): setting for setting in settings}
        for name, rows in self.rows.items():
            for row in rows:
                setting = by_key.get(_key(row))
                shots = {} if setting is None else {CalibrationRow: setting.shots, PostSelectionRow: setting.shots // 2}
                if setting is None or row.shots != shots.get(type(row), row.shots):
                    raise CascadeError(
                        f"{self.folder / name}: expected only experiments that --resume asks for again, found "
                        f"{', '.join(map(str, _key(row)))} (code, p, rounds, basis, seed), shots {row.shots}"
                    )
        found: dict[tuple[str, float, int, str, int], set[tuple[str, float]]] = {}
        for row in self.post_selection:
            found.setdefault(_key(row), set()).add((row.decoder, row.discard))
        done = {key for key, there in found.items() if there == points}
        self.rows = {name: [row for row in rows if _key(row) in done] for name, rows in self.rows.items()}
        return {by_key[key] for key in done}

    def add(self, setting: Setting, outcomes: Sequence[Outcome], *, bins: int) -> None:
        """Add an experiment and write the tables."""
        for outcome in outcomes:
            self.rows["reliability.csv"] += reliability_rows(setting, outcome)
            self.rows["calibration.csv"] += calibration_rows(setting, outcome, bins)
            self.rows["post_selection.csv"] += post_selection_rows(setting, outcome)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.rows.items():
            if rows:  # a decoder without probabilities has no scores
                write_rows(self.folder / name, rows)


def _key(row: Setting | ReliabilityRow | CalibrationRow | PostSelectionRow) -> tuple[str, float, int, str, int]:
    return row.code, row.p, row.rounds, row.basis, row.seed
