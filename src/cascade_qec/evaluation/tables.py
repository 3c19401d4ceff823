"""Results of decoders as rows."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field, computed_field

from cascade_qec.statistics import Interval, per_logical_per_cycle, wilson


class Row(BaseModel):
    """What one decoder did on one experiment.

    Only counts and times are stored. The rates follow from them, with 95 % intervals; files have them too.

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

    @computed_field
    @property
    def block_error(self) -> Interval:
        """Fraction of shots with any observable wrong."""
        return wilson(self.failures, self.shots)

    @computed_field
    @property
    def per_logical_per_cycle(self) -> Interval:
        """Logical error rate of one logical qubit in one cycle."""
        return per_logical_per_cycle(self.block_error, k=self.k, rounds=self.rounds)

    @property
    def seconds(self) -> float:
        """Time of decoding."""
        return self.shots * self.microseconds_per_shot / 1e6

    def __add__(self, other: Row) -> Row:
        """The shots of both, which must be different ones; all else is the first's."""
        shots = self.shots + other.shots
        microseconds = 1e6 * (self.seconds + other.seconds) / shots
        counts = {"shots": shots, "failures": self.failures + other.failures}
        return self.model_copy(update=counts | {"microseconds_per_shot": microseconds})


def pool(rows: Iterable[Row]) -> list[Row]:
    """Rows of one code, decoder, noise rate and number of rounds as one, sorted by rate and rounds.

    The first one's seed stays. The shots must be different ones, that is of different seeds.
    """
    totals: dict[tuple, Row] = {}
    for row in rows:
        key = (row.code, row.p, row.rounds, row.bases, row.decoder, row.parameters)
        totals[key] = totals[key] + row if key in totals else row
    return sorted(totals.values(), key=lambda row: (row.p, row.rounds))
