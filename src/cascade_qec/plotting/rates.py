"""Error rates against the strength of the noise, with fitted laws over them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fit_row import FitRow
from cascade_qec.evaluation.tables import Row
from cascade_qec.plotting.curves import Dot, curves_figure
from cascade_qec.plotting.panels import grouped, log_axis
from cascade_qec.plotting.points import PER_LABELS, Point, block_of_cycle
from cascade_qec.plotting.style import Look, label_of, looks, styled

_FIT_POINTS = 120
_TERMS = {"one term": (("a", "m1"),), "two terms": (("a", "m1"), ("b", "m2"))}


@dataclass(frozen=True)
class _Law:
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


def block_error_figure(rows: Sequence[Row]) -> Figure:
    """Block error against p from rows of a comparison; see :func:`rates_figure`."""
    return rates_figure(
        [
            Point(row.code, row.p, row.rounds, "".join(sorted(row.bases)), row.k, None, row.decoder, row.block_error)
            for row in rows
        ]
    )


def rates_figure(
    points: Sequence[Point], fits: Sequence[FitRow] = (), *, per: str = "block", title: str | None = None
) -> Figure:
    """Rates against p, one panel for each code and experiment, one curve for each decoder.

    Bars are 95 % intervals. A point without a failure has no place on a logarithmic axis: an arrow hangs down
    from the upper end of its interval instead. A decoder looks the same in every panel.

    Where a decoder has a fit to draw, its law takes the place of the line that joins the points: the sum of two
    powers of p if a second one is warranted, one otherwise. Codes and decoders come in the order in which they first
    occur.

    Raises
    ------
    CascadeError
        If there are no points, more decoders than looks, or two points of one decoder at one place.
    """
    titles = _titles(points)
    curves = grouped(points, lambda point: (titles[point], point.label))
    look = _looks(points)
    laws = _laws_of(fits)
    figure = curves_figure(
        [Dot(titles[point], point.label, 100 * point.p, point.rate(per)) for point in points],
        partial(log_axis, ticked=True),
        y_label=PER_LABELS[per],
        x_label="noise p (%)",
        look=look,
        joined=lambda *curve: not (curves[curve][0].method or _law_of(curves[curve][0], laws)),
        notes=["Lines: fitted laws."] if any(_law_of(point, laws) for point in points) else [],
        title=title,
    )
    with styled():
        for axes in figure.axes:
            inside = {label: curve for (panel, label), curve in curves.items() if panel == axes.get_title()}
            every = [point.p for curve in inside.values() for point in curve]
            for label, curve in inside.items():
                if law := _law_of(curve[0], laws):
                    _draw_law(axes, law, curve[0], (min(every), max(every)), look[label], per)
    return figure


def _looks(points: Sequence[Point]) -> dict[str, Look]:
    """Looks by label; what was found by a method for rare events looks like its decoder, with half a marker."""
    plain = looks(label_of(point.decoder, point.code) for point in points)
    result = {}
    for point in points:
        look = plain[label_of(point.decoder, point.code)]
        half = "left" if look.fill == "none" else "bottom"
        result[point.label] = replace(look, fill=half) if point.method else look
    return result


def _draw_law(axes: Axes, law: _Law, like: Point, ends: tuple[float, float], look: Look, per: str) -> None:
    low, high = ends
    ps = [low * (high / low) ** (i / (_FIT_POINTS - 1)) for i in range(_FIT_POINTS)]
    rates = [min(law(p), 0.5) for p in ps]
    if per == "block":
        rates = [block_of_cycle(rate, k=like.k, rounds=like.rounds) for rate in rates]
    axes.plot(
        [100 * p for p in ps],
        rates,
        color=look.color,
        linestyle=look.linestyle,
        linewidth=1.0,
        label=f"_fit {like.label}",
        zorder=1.5,
    )


def _titles(points: Sequence[Point]) -> dict[Point, str]:
    """Titles of the points' panels: the code, and what else tells panels apart."""
    by_code = grouped(points, lambda point: point.code)
    noises = {point.noise for point in points}

    def title(point: Point) -> str:
        alike = by_code[point.code]
        parts = [point.code]
        if len(point.basis) == 1 or any(other.basis != point.basis for other in alike):
            parts.append(f"basis {point.basis}")
        if any(other.rounds != point.rounds for other in alike):
            parts.append(f"{point.rounds} rounds")
        if len(noises) > 1:
            parts.append(point.noise)
        return ", ".join(parts)

    return {point: title(point) for point in points}


def _laws_of(fits: Sequence[FitRow]) -> list[_Law]:
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
    return [_Law(*subject, terms=_terms(subject, forms)) for subject, forms in tables.items()]


def _law_of(point: Point, laws: Sequence[_Law]) -> _Law | None:
    """The law of the curve that a point is on, if there is one: of its own basis, before one of both pooled."""
    fitting = [
        law
        for law in laws
        if (law.decoder, law.code) == (point.decoder, point.code)
        and not point.method
        and law.rounds in ("", str(point.rounds))
        and (not law.basis or set(point.basis) <= set(law.basis))
    ]
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
