"""Which rows of a table go into a figure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cascade_qec.errors import CascadeError

Selected = TypeVar("Selected")


@dataclass(frozen=True)
class Selection:
    """Rows to keep; an empty field keeps all.

    Attributes
    ----------
    codes
        Names of codes.
    bases
        Bases of experiments; "XZ" and "ZX" are those whose shots are pooled.
    decoders
        Names of decoders; "cascade" stands for every "cascade:MODEL" too.
    rates
        Physical error rates p.
    """

    codes: Sequence[str] = ()
    bases: Sequence[str] = ()
    decoders: Sequence[str] = ()
    rates: Sequence[float] = ()

    def of(self, rows: Sequence[Selected]) -> list[Selected]:
        """Keep the rows that are asked for.

        Raises
        ------
        CascadeError
            If none is left, naming what there was to choose from; or if the rows have no such property.
        """
        kept = self._among(rows)
        if not kept:
            raise CascadeError(f"expected at least one row to plot, none is left of {len(rows)}{self._choice(rows)}")
        return kept

    def over(self, rows: Sequence[Selected]) -> list[Selected]:
        """Like :meth:`of` for what is drawn over other rows: only code and decoder count, and none may be left."""
        return Selection(codes=self.codes, decoders=self.decoders)._among(rows)

    def _among(self, rows: Sequence[Selected]) -> list[Selected]:
        for flag, (wanted, name) in self._fields().items():
            if wanted and any(not hasattr(row, name) for row in rows):
                raise CascadeError(f"{flag}: rows of this figure's tables have no {name} to choose by")
        return [row for row in rows if all(self._asked(row, *field) for field in self._fields().values())]

    def _fields(self) -> dict[str, tuple[Sequence, str]]:
        return {
            "--code": (self.codes, "code"),
            "--basis": (self.bases, "basis"),
            "--decoder": (self.decoders, "decoder"),
            "--p": (self.rates, "p"),
        }

    @staticmethod
    def _asked(row: Any, wanted: Sequence, name: str) -> bool:
        if not wanted:
            return True
        value = getattr(row, name)
        if name == "p":
            return any(math.isclose(value, p, rel_tol=1e-9) for p in wanted)
        if name == "basis":
            return sorted(value) in [sorted(basis) for basis in wanted]
        return value in wanted or (name == "decoder" and value.partition(":")[0] in wanted)

    def _choice(self, rows: Sequence) -> str:
        asked = [f"{flag} {' '.join(map(str, wanted))}" for flag, (wanted, _) in self._fields().items() if wanted]
        there = [
            f"{name}: {', '.join(sorted({str(getattr(row, name)) for row in rows}))}"
            for wanted, name in self._fields().values()
            if wanted and rows
        ]
        return (f" by {', '.join(asked)}" if asked else "") + (f" (there are {'; '.join(there)})" if there else "")
