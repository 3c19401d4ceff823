"""Error rates against the strength of the noise, with fitted laws over them."""

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascade_qec.evaluation.fit_row import FitRow
from cascade_qec.evaluation.tables import Row
from cascade_qec.plotting.curves import Dot, draw_curves
from cascade_qec.plotting.laws import Law, law_of, laws_of
from cascade_qec.plotting.panels import bars_caption, finish, grouped, log_axis
from cascade_qec.plotting.points import PER_LABELS, Point, block_of_cycle, check_per, point_of_row
from cascade_qec.plotting.style import Look, label_of, looks, styled

_FIT_POINTS = 120


def block_error_figure(rows: Sequence[Row]) -> Figure:
    """Block error against p from rows of a comparison; see :func:`rates_figure`."""
    return rates_figure([point_of_row(row) for row in rows])


def rates_figure(
    points: Sequence[Point], fits: Sequence[FitRow] = (), *, per: str = "block", title: str | None = None
) -> Figure:
    """Rates against p, one panel for each code and experiment, one curve for each decoder.

    Bars are 95 % intervals. A point without a failure has no place on a logarithmic axis: an arrow hangs down
    from the upper end of its interval instead. A decoder looks the same in every panel.

    Where a decoder has a fit to draw, its law takes the place of the line that joins the points: the sum of two
    powers of p if a second one is warranted, one otherwise.

    Parameters
    ----------
    points
        Results; codes and decoders come in the order in which they first occur.
    fits
        Parameters of fitted laws of the rate per logical per cycle.
    per
        "block" or "cycle".
    title
        Above all panels.

    Returns
    -------
    matplotlib.figure.Figure
        To be written by :func:`save`.

    Raises
    ------
    CascadeError
        If there are no points, more decoders than looks, or two points of one decoder at one place.
    """
    check_per(per)
    titles = _titles(points)
    curves = grouped(points, lambda point: (titles[point], point.label))
    look = _looks(points)
    laws = laws_of(fits)
    with styled():
        figure, panels = draw_curves(
            [Dot(titles[point], point.label, 100 * point.p, point.rate(per)) for point in points],
            look,
            y_label=PER_LABELS[per],
            x_label="noise p (%)",
            joined=lambda *curve: not (curves[curve][0].method or law_of(curves[curve][0], laws)),
        )
        caption = bars_caption(point.rate(per) for point in points)
        for panel, axes in panels.items():
            every = sorted({point.p for (here, _), curve in curves.items() if here == panel for point in curve})
            log_axis(axes.xaxis, [100 * p for p in every], at=[100 * p for p in every])
            for (here, label), curve in curves.items():
                law = law_of(curve[0], laws) if here == panel else None
                if law:
                    _draw_law(axes, law, curve[0], (every[0], every[-1]), look[label], per)
        if any(law_of(point, laws) for point in points):
            caption.append("Lines: fitted laws.")
        finish(figure, look, caption, title=title)
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


def _draw_law(axes: Axes, law: Law, like: Point, ends: tuple[float, float], look: Look, per: str) -> None:
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
