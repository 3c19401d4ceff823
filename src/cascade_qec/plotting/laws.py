"""Fitted laws of the rate per logical per cycle, from tables of their parameters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fit_row import FitRow
from cascade_qec.plotting.points import Point

_TERMS = {"one term": (("a", "m1"),), "two terms": (("a", "m1"), ("b", "m2"))}


@dataclass(frozen=True)
class Law:
    """A sum of powers of p that was fitted to a curve; rounds and basis are empty where it holds for all of them."""

    decoder: str
    code: str
    rounds: str
    basis: str
    terms: tuple[tuple[float, float], ...]

    def __call__(self, p: float) -> float:
        """Rate per logical per cycle."""
        # amplitudes stand at p = 1, far from any data, and may be huge
        return sum(math.exp(math.log(a) + m * math.log(p)) for a, m in self.terms if a > 0)

    def holds_for(self, point: Point) -> bool:
        """Whether a point is on the curve, or on one of them."""
        return (
            (self.decoder, self.code) == (point.decoder, point.code)
            and not point.method
            and self.rounds in ("", str(point.rounds))
            and (not self.basis or set(point.basis) <= set(self.basis))
        )


def laws_of(fits: Sequence[FitRow]) -> list[Law]:
    """The law to draw over each curve: the form that the table marks as warranted, else the one that it has.

    Raises
    ------
    CascadeError
        If a law lacks a parameter or has one twice.
    """
    tables: dict[tuple[str, str, str, str], dict[str, dict[str, FitRow]]] = {}
    for row in fits:
        if row.form in _TERMS and row.p is None:
            subject = (row.decoder, row.code, row.rounds, "".join(sorted(row.bases)))
            parameters = tables.setdefault(subject, {}).setdefault(row.form, {})
            if row.parameter in parameters:
                raise CascadeError(
                    f"expected one {row.parameter} of {row.form} for {row.decoder} on {row.code}, got two"
                )
            parameters[row.parameter] = row
    return [Law(*subject, terms=_terms(subject, forms)) for subject, forms in tables.items()]


def law_of(point: Point, laws: Sequence[Law]) -> Law | None:
    """The law of the curve that a point is on, if there is one: of its own basis, before one of both pooled."""
    fitting = [law for law in laws if law.holds_for(point)]
    return min(fitting, key=lambda law: (law.basis != point.basis, not law.rounds), default=None)


def _terms(subject: tuple[str, ...], forms: dict[str, dict[str, FitRow]]) -> tuple[tuple[float, float], ...]:
    warranted = [form for form, rows in forms.items() if "warranted" in rows and rows["warranted"].value == 1]
    form = (warranted or list(forms))[0]

    def value(name: str) -> float:
        found = forms[form][name].value if name in forms[form] else None
        if found is None or not math.isfinite(found):
            raise CascadeError(f"{subject[0]} on {subject[1]}, {form}: expected a finite {name}, got {found}")
        return found

    return tuple((value(a), value(m)) for a, m in _TERMS[form])
