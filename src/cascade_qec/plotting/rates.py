"""Error rates against the strength of the noise, with fitted laws over them."""

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.tables import Row
from cascade_qec.plotting.laws import Law, Laws
from cascade_qec.plotting.panels import bars_caption, draw_rates, finish, log_axis, make_panels, sidestep
from cascade_qec.plotting.points import PER_LABELS, Point, block_of_cycle, check_per, point_of_row
from cascade_qec.plotting.style import Look, label_of, looks, styled
from cascade_qec.plotting.tables import FitLine

_FIT_POINTS = 120


def block_error_figure(rows: Sequence[Row]) -> Figure:
    """Block error against p from rows of a comparison; see :func:`rates_figure`."""
    return rates_figure([point_of_row(row) for row in rows])


def rates_figure(
    points: Sequence[Point], fits: Sequence[FitLine] = (), *, per: str = "block", title: str | None = None
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
    if not points:
        raise CascadeError("expected rows to plot, got 0 rows")
    panels: dict[tuple, list[Point]] = {}
    for point in points:
        panels.setdefault((point.code, point.basis, point.rounds, point.noise), []).append(point)
    look = _looks(points)
    laws = Laws(fits)
    with styled():
        figure, axes = make_panels(len(panels), y_label=PER_LABELS[per])
        for here, (key, inside) in zip(axes, panels.items(), strict=True):
            _draw_panel(here, inside, look, laws, per)
            here.set_title(_panel_title(key, list(panels)))
        caption = bars_caption([point.rate(per) for point in points])
        if any(laws.of(point) for point in points):
            caption.append("Lines: fitted laws.")
        order = dict.fromkeys(point.label for point in points)
        finish(figure, {label: look[label] for label in order}, caption, title=title)
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


def _draw_panel(axes: Axes, inside: Sequence[Point], look: dict[str, Look], laws: Laws, per: str) -> None:
    labels = list(dict.fromkeys(point.label for point in inside))
    for place, label in enumerate(labels):
        curve = sorted((point for point in inside if point.label == label), key=lambda point: point.p)
        if len({point.p for point in curve}) != len(curve):
            raise CascadeError(
                f"expected one row for each code, decoder and p; some of {label} on {curve[0].code} occur twice"
            )
        law = laws.of(curve[0])
        step = sidestep(place, len(labels))
        draw_rates(
            axes,
            [100 * point.p * step for point in curve],
            [point.rate(per) for point in curve],
            look[label],
            label=label,
            connected=law is None and not curve[0].method,
        )
    every = sorted({point.p for point in inside})
    rates = [point.rate(per) for point in inside]
    ends = [end for rate in rates for end in (rate.low, rate.value, rate.high)]
    log_axis(axes.xaxis, [100 * p for p in every], at=[100 * p for p in every])
    log_axis(axes.yaxis, ends)
    axes.set_xlabel("noise p (%)")
    for label in labels:
        point = next(point for point in inside if point.label == label)
        law = laws.of(point)
        if law:
            _draw_law(axes, law, point, (every[0], every[-1]), look[label], per)


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


def _panel_title(key: tuple, keys: Sequence[tuple]) -> str:
    code, basis, rounds, noise = key
    of_code = [other for other in keys if other[0] == code]
    parts = [code]
    if len(basis) == 1 or len({other[1] for other in of_code}) > 1:
        parts.append(f"basis {basis}")
    if len({other[2] for other in of_code}) > 1:
        parts.append(f"{rounds} rounds")
    if len({other[3] for other in keys}) > 1:
        parts.append(noise)
    return ", ".join(parts)
