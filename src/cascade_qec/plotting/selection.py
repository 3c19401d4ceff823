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
        for flag, wanted, name in self._fields():
            if wanted and any(_attribute(row, name) is None for row in rows):
                raise CascadeError(f"{flag}: rows of this figure's tables have no {name} to choose by")
        return [
            row
            for row in rows
            if all(not wanted or _asked(_value(row, name), wanted, name) for _, wanted, name in self._fields())
        ]

    def _fields(self) -> list[tuple[str, Sequence, str]]:
        return [
            ("--code", self.codes, "code"),
            ("--basis", self.bases, "basis"),
            ("--decoder", self.decoders, "decoder"),
            ("--p", self.rates, "p"),
        ]

    def _choice(self, rows: Sequence) -> str:
        chosen = [(flag, wanted, name) for flag, wanted, name in self._fields() if wanted]
        asked = [f"{flag} {' '.join(map(str, wanted))}" for flag, wanted, _ in chosen]
        values = {name: sorted({str(_value(row, name)) for row in rows}) for *_, name in chosen}
        there = [f"{name}: {', '.join(found)}" for name, found in values.items() if found]
        return (f" by {', '.join(asked)}" if asked else "") + (f" (there are {'; '.join(there)})" if there else "")


def _attribute(row: object, name: str) -> str | None:
    """Where a row has what rows are chosen by; tables do not agree on its name."""
    names = {"basis": ("basis", "bases"), "p": ("p", "sampled_at")}.get(name, (name,))
    return next((other for other in names if hasattr(row, other)), None)


def _value(row: object, name: str) -> Any:
    return getattr(row, _attribute(row, name) or name, None)


def _asked(value: Any, wanted: Sequence, name: str) -> bool:
    if name == "p":
        return value is not None and any(math.isclose(value, p, rel_tol=1e-9) for p in wanted)
    if name == "basis":
        return sorted(value) in [sorted(basis) for basis in wanted]
    return value in wanted or (name == "decoder" and value.partition(":")[0] in wanted)
