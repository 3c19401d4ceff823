"""Results of decoders as rows, and rows as files."""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rates import Rate, block_error, per_logical_per_cycle
from cascade_qec.files import read_table, write_table, written_whole


class Row(BaseModel):
    """What one decoder did on one experiment.

    Only counts and times are stored. The rates follow from them; files have them too, each as three columns:
    the rate, and the ends of its 95 % interval.

    Attributes
    ----------
    code, p, rounds, bases
        The experiment; shots of several bases ("XZ") are pooled.
    k
        Logical qubits, of which none may be wrong in a shot.
    decoder, parameters
        Its name, and its settings as text.
    shots, failures
        Shots decoded, and those of them with any observable wrong.
    microseconds_per_shot
        Wall time of decoding; preparation and the first call are excluded.
    seed
        Seed of the experiment's shots.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    p: float = Field(ge=0, le=1)
    rounds: int = Field(ge=1)
    bases: str
    k: int = Field(ge=1)
    decoder: str
    parameters: str = ""
    shots: int = Field(ge=1)
    failures: int = Field(ge=0)
    microseconds_per_shot: float = Field(ge=0)
    seed: int

    @property
    def block_error(self) -> Rate:
        """Fraction of shots with any observable wrong."""
        return block_error(self.failures, self.shots)

    @property
    def per_logical_per_cycle(self) -> Rate:
        """Logical error rate of one logical qubit in one cycle."""
        return per_logical_per_cycle(self.block_error, k=self.k, rounds=self.rounds)

    def columns(self) -> dict[str, object]:
        """The row as it stands in files, with its rates."""
        rates = {}
        for name, rate in (
            ("block_error", self.block_error),
            ("per_logical_per_cycle", self.per_logical_per_cycle),
        ):
            rates |= {name: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high}
        return self.model_dump() | rates


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write rows as a CSV file with a header; the file appears whole or not at all.

    Raises
    ------
    CascadeError
        If there are no rows or the file cannot be written.
    """
    if not rows:
        raise CascadeError(f"{path}: expected at least one row to write, got none")
    write_table(path, list(rows[0].columns()), (row.columns() for row in rows))


def write_json(rows: Sequence[Row], path: Path) -> None:
    """Write rows as a JSON list of objects; the file appears whole or not at all.

    Raises
    ------
    CascadeError
        If the file cannot be written.
    """
    with written_whole(path) as file:
        file.write((json.dumps([row.columns() for row in rows], indent=1) + "\n").encode())


def read_csv(path: Path) -> list[Row]:
    """Read back what :func:`write_csv` wrote. Rates are computed from the counts, not read.

    Raises
    ------
    CascadeError
        If the file is missing or a row lacks a column or has a value out of range.
    """
    return read_table(path, Row)
