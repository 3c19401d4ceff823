"""Fitted laws of the rate per logical per cycle, from tables of their parameters."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.points import Point
from cascade_qec.plotting.tables import FitLine

Law = Callable[[float], float]
"""From p to the rate per logical per cycle."""

_TERMS = {"one term": (("a", "m1"),), "two terms": (("a", "m1"), ("b", "m2"))}
_USED = {"a", "m1", "b", "m2", "warranted", "likelihood_ratio"}
_SIGNIFICANT = 0.05

_Forms = dict[str, dict[str, FitLine]]


@dataclass(frozen=True)
class _Subject:
    """What a law was fitted to; rounds and basis are empty where it holds for all of them."""

    decoder: str
    code: str
    rounds: str
    basis: str

    def holds_for(self, point: Point) -> bool:
        return (
            (self.decoder, self.code) == (point.decoder, point.code)
            and self.rounds in ("", str(point.rounds))
            and (not self.basis or set(point.basis) <= set(self.basis))
        )


class Laws:
    """The law to draw over each curve: ``a p^m1 + b p^m2`` if the second term is warranted, else ``a p^m1``.

    Of fits in each basis and of both pooled, the one of the curve's own basis is taken.

    Parameters
    ----------
    fits
        Lines of fits.csv.

    Raises
    ------
    CascadeError
        If a law lacks a parameter or has one twice.
    """

    def __init__(self, fits: Sequence[FitLine]) -> None:
        forms: dict[_Subject, _Forms] = {}
        for line in fits:
            if line.form not in _TERMS or line.parameter not in _USED:
                continue
            subject = _Subject(line.decoder, line.code, line.rounds, line.basis)
            parameters = forms.setdefault(subject, {}).setdefault(line.form, {})
            if line.parameter in parameters:
                raise CascadeError(
                    f"expected one {line.parameter} of {line.form} for {line.decoder} on {line.code}, got two"
                )
            parameters[line.parameter] = line
        self._laws = {subject: _law(subject, by_form) for subject, by_form in forms.items()}

    def of(self, point: Point) -> Law | None:
        """The law of the curve that a point is on, if there is one."""
        fitting = [subject for subject in self._laws if subject.holds_for(point) and not point.method]
        fitting.sort(key=lambda subject: (subject.basis != point.basis, not subject.rounds))
        return self._laws[fitting[0]] if fitting else None


def _law(subject: _Subject, by_form: _Forms) -> Law:
    form = _warranted(by_form)
    terms = []
    for names in _TERMS[form]:
        values = []
        for name in names:
            line = by_form[form].get(name)
            if line is None or line.value is None or not math.isfinite(line.value):
                raise CascadeError(
                    f"{subject.decoder} on {subject.code}, {form}: expected a finite {name}, "
                    f"got {'none' if line is None else line.value}"
                )
            values.append(line.value)
        terms.append(tuple(values))

    def law(p: float) -> float:
        # amplitudes stand at p = 1, far from any data, and may be huge
        return sum(math.exp(math.log(a) + m * math.log(p)) for a, m in terms if a > 0)

    return law


def _warranted(by_form: _Forms) -> str:
    """The form that the table marks, or that its test decides for."""
    for form, parameters in by_form.items():
        if "warranted" in parameters and parameters["warranted"].value == 1:
            return form
    if len(by_form) == 1:
        return next(iter(by_form))
    test = by_form["two terms"].get("likelihood_ratio")
    significant = test is not None and test.p_value is not None and test.p_value < _SIGNIFICANT
    return "two terms" if significant else "one term"
