"""Tables of calibration and post-selection: their rows, their files, and going on with those of a run cut short."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.measurement import Outcome
from cascade_qec.evaluation.reliability.scores import (
    Estimate,
    brier_parts,
    equal_mass_bins,
    error_if_calibrated,
    expected_calibration_error,
    log_odds_bins,
)
from cascade_qec.statistics import Interval
from cascade_qec.tables import write_table

Record = Mapping[str, object]

# The last one to be written: an experiment is complete if it is in there.
FILES = ("reliability.csv", "calibration.csv", "post_selection.csv")


@dataclass(frozen=True)
class Setting:
    """One experiment: what its rows begin with.

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

    def columns(self, decoder: str) -> dict[str, object]:
        return {"decoder": decoder, "code": self.code, "p": self.p, "rounds": self.rounds, "basis": self.basis}


def reliability_records(setting: Setting, outcome: Outcome) -> list[Record]:
    """Rows of reliability.csv: bins of equal width in log-odds, empty ones left out.

    ``confidence`` is the mean predicted probability, ``correct`` the number of predictions that came true. `of`
    is "shot", "observable" or "flip" (see `Outcome`); for "flip" they are P(observable flipped) and the
    observables that were. ``shots`` are predictions: with k observables each shot has k of them.
    """
    records = []
    for of, counts in outcome.counts.items():
        bins = log_odds_bins(counts)
        for low, high, number, predicted, happened, error in zip(
            bins.low, bins.high, bins.number, bins.predicted, bins.happened, bins.error, strict=True
        ):
            records.append(
                setting.columns(outcome.decoder)
                | {"of": of, "bin_low": float(low), "bin_high": float(high), "shots": int(number)}
                | {"confidence": float(predicted), "correct": round(float(number * happened))}
                | {"error_of_fraction": float(error), "seed": setting.seed}
            )
    return records


def calibration_records(setting: Setting, outcome: Outcome, bins: int) -> list[Record]:
    """Rows of calibration.csv: scores with their intervals, one row for each kind of prediction.

    The calibration error is over at most `bins` bins of equal mass; the Brier score is decomposed over the bins of
    reliability.csv, which are narrow where predictions are certain.
    """
    records = []
    for of, counts in outcome.counts.items():
        masses = equal_mass_bins(counts, bins)
        parts = brier_parts(counts, log_odds_bins(counts))
        records.append(
            setting.columns(outcome.decoder)
            | {"of": of, "shots": outcome.shots, "failures": outcome.failures, "bins": len(masses.number)}
            | _with_interval("ece", expected_calibration_error(masses))
            | {"ece_if_calibrated": error_if_calibrated(masses)}
            | _with_interval("brier", counts.brier.mean())
            | {"reliability": parts.reliability, "resolution": parts.resolution}
            | {"uncertainty": parts.uncertainty, "within_bins": parts.within_bins}
            | _with_interval("log_loss", counts.log_loss.mean())
            | {"seed": setting.seed}
        )
    return records


def post_selection_records(setting: Setting, outcome: Outcome) -> list[Record]:
    """Rows of post_selection.csv: shots and failures are those of the half that did not choose the threshold."""
    return [
        setting.columns(outcome.decoder)
        | {"method": method, "discard": selection.discard, "threshold": selection.threshold}
        | {"accepted": selection.accepted, "shots": selection.shots, "failures": selection.failures}
        | _with_interval("accepted_fraction", selection.accepted_fraction)
        | _with_interval("block_error", selection.block_error)
        | {"seed": setting.seed}
        for method, selections in outcome.selections.items()
        for selection in selections
    ]


def _with_interval(name: str, figure: Estimate | Interval | None) -> dict[str, object]:
    values = ("", "", "") if figure is None else (figure.value, figure.low, figure.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


@dataclass
class ConfidenceTables:
    """The three tables of a folder, each file whole at any time.

    Parameters
    ----------
    folder
        Made if it is not there.
    """

    folder: Path
    records: dict[str, list[Record]] = field(default_factory=lambda: {name: [] for name in FILES})

    @classmethod
    def open(cls, folder: Path, *, resume: bool) -> ConfidenceTables:
        """Start tables, or with `resume` go on with those of the folder.

        Raises
        ------
        CascadeError
            If the folder is a file, has tables already and `resume` is not set, or a table cannot be read.
        """
        if folder.exists() and not folder.is_dir():
            raise CascadeError(f"{folder}: expected a folder for the tables, found a file")
        tables = cls(folder)
        for name in FILES:
            if (folder / name).exists():
                if not resume:
                    raise CascadeError(f"{folder}: expected a folder without {name}, or --resume to go on with it")
                tables.records[name] = _read(folder / name)
        return tables

    def keep(self, complete: Mapping[Setting, Iterable[tuple[str, float]]]) -> set[Setting]:
        """Keep the experiments that are complete, drop those that were cut short.

        Parameters
        ----------
        complete
            What a complete experiment has in post_selection.csv: pairs of a decoder's name and a discard rate.

        Returns
        -------
        set of Setting
            The complete ones.

        Raises
        ------
        CascadeError
            If the tables have another experiment than these.
        """
        found: dict[Setting, set[tuple[str, float]]] = {setting: set() for setting in complete}
        by_key = {_key(setting.columns("") | {"seed": setting.seed}): setting for setting in complete}
        for name, records in self.records.items():
            for record in records:
                setting = by_key.get(_key(record))
                fits = setting is not None and (
                    name == FILES[0] or int(str(record["shots"])) == setting.shots // (2 if name == FILES[2] else 1)
                )
                if setting is None or not fits:
                    raise CascadeError(
                        f"{self.folder / name}: expected only experiments that --resume asks for again, found "
                        f"{', '.join(map(str, _key(record)))} (code, p, rounds, basis, seed), shots {record['shots']}"
                    )
                if name == FILES[2]:
                    found[setting].add((str(record["decoder"]), float(str(record["discard"]))))
        done = {setting for setting, pairs in found.items() if set(complete[setting]) == pairs}
        for name, records in self.records.items():
            self.records[name] = [record for record in records if by_key[_key(record)] in done]
        return done

    def add(self, setting: Setting, outcomes: Sequence[Outcome], *, bins: int) -> None:
        """Add an experiment and write the tables."""
        for outcome in outcomes:
            self.records[FILES[0]] += reliability_records(setting, outcome)
            self.records[FILES[1]] += calibration_records(setting, outcome, bins)
            self.records[FILES[2]] += post_selection_records(setting, outcome)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, records in self.records.items():
            write_table(self.folder / name, list(records[0]), records)


def _key(record: Record) -> tuple[object, ...]:
    return (
        str(record["code"]),
        float(str(record["p"])),
        int(str(record["rounds"])),
        str(record["basis"]),
        int(str(record["seed"])),
    )


def _read(path: Path) -> list[Record]:
    needed = ("decoder", "code", "p", "rounds", "basis", "shots", "seed")
    needed += ("discard",) if path.name == FILES[2] else ()
    try:
        records: list[Record] = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        for record in records:
            _key(record)
            int(str(record["shots"]))
            if path.name == FILES[2]:
                float(str(record["discard"]))
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise CascadeError(f"{path}: expected a table with {', '.join(needed)}, cannot be read: {error!r}") from error
    return records
