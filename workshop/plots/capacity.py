"""What the width of a network buys: rates against the noise, and how steeply they fall, against the width."""

import math
import re
from collections.abc import Sequence

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fit_row import FitRow
from cascade_qec.plotting.curves import draw_rates
from cascade_qec.plotting.panels import check_once, finish, grouped, linear_axis, log_axis, make_panels
from cascade_qec.plotting.points import PER_LABELS, Point
from cascade_qec.plotting.style import Look, looks, styled
from cascade_qec.statistics import Interval

# Wider is darker; the palest shades are lost on white paper.
_SHADES = colormaps["Blues"]
_PALEST, _DARKEST = 0.4, 1.0
_MARKERS = ("o", "h", "8", "p", "d", "H", "P", "D")


def capacity_figure(points: Sequence[Point], fits: Sequence[FitRow], *, title: str | None = None) -> Figure:
    """Block error against p for models of several widths and their rivals, and beside it the exponents of P = a p^m.

    The rivals' exponents, which know no width, are horizontal lines with their intervals as bands.

    Parameters
    ----------
    points
        Rates of one experiment; a decoder whose name ends in _H and a number is a model of this width.
    fits
        Parameters of fitted laws; m1 of one term is drawn, of decoders that have it.
    title
        Above the panels.

    Raises
    ------
    CascadeError
        If no decoder has a width, there are more widths than looks, points are of several experiments or two at one
        place, or no model has an exponent.
    """
    experiments = sorted({(point.code, point.rounds, point.basis) for point in points})
    if len(experiments) > 1:
        raise CascadeError(f"expected rates of one experiment, got {len(experiments)}, the first {experiments[:2]}")
    widths = {point.decoder: width for point in points if (width := _width(point.decoder)) is not None}
    exponents = {fit.decoder: fit for fit in fits if fit.form == "one term" and fit.parameter == "m1"}
    if not widths or not any(decoder in exponents for decoder in widths):
        raise CascadeError(
            "expected rates of models whose names end in their width, such as cascade:surface_d7_H64, and a table of "
            f"fits with their m1; got rates of {', '.join(sorted({point.decoder for point in points})) or 'none'}, and "
            f"m1 of {', '.join(sorted(exponents)) or 'none'}"
        )
    look = looks(point.decoder for point in points if point.decoder not in widths) | _blues(widths)
    with styled():
        figure, (rates, slopes) = make_panels(2, y_label=PER_LABELS["block"])
        _draw_rates(rates, points, look)
        _draw_exponents(slopes, widths, exponents, look)
        names = {decoder: f"H = {width}" for decoder, width in sorted(widths.items(), key=lambda item: item[1])}
        legend = {names.get(d, d): look[d] for d in [*names, *dict.fromkeys(p.decoder for p in points)]}
        finish(figure, legend, ["Bars and bands: 95 % intervals."], title=title)
    return figure


def _width(decoder: str) -> int | None:
    found = re.search(r"_H(\d+)$", decoder)
    return int(found[1]) if found else None


def _blues(widths: dict[str, int]) -> dict[str, Look]:
    """Looks of models, from the narrowest to the widest."""
    if len(widths) > len(_MARKERS):
        raise CascadeError(f"expected at most {len(_MARKERS)} widths, got {len(widths)}: leave some out")
    ordered = sorted(widths, key=lambda decoder: widths[decoder])
    step = (_DARKEST - _PALEST) / max(1, len(ordered) - 1)
    return {d: Look(to_hex(_SHADES(_DARKEST - i * step)), _MARKERS[i], "-") for i, d in enumerate(reversed(ordered))}


def _draw_rates(axes: Axes, points: Sequence[Point], look: dict[str, Look]) -> None:
    for decoder, curve in grouped(points, lambda point: point.decoder).items():
        check_once([point.p for point in curve], decoder)
        curve.sort(key=lambda point: point.p)
        draw_rates(
            axes, [100 * point.p for point in curve], [point.block for point in curve], look[decoder], label=decoder
        )
    rates = sorted({100 * point.p for point in points})
    log_axis(axes.xaxis, rates, ticked=True)
    log_axis(axes.yaxis, [end for point in points for end in (point.block.low, point.block.value, point.block.high)])
    axes.set_xlabel("noise p (%)")
    axes.set_title(f"{points[0].code}, {points[0].rounds} rounds")


def _draw_exponents(axes: Axes, widths: dict[str, int], exponents: dict[str, FitRow], look: dict[str, Look]) -> None:
    for decoder, fit in exponents.items():
        if decoder not in look:
            continue
        rate = _estimate(fit)
        if decoder in widths:
            draw_rates(axes, [widths[decoder]], [rate], look[decoder], label=decoder)
        else:
            axes.axhspan(rate.low, rate.high, color=look[decoder].color, alpha=0.12, linewidth=0)
            axes.axhline(rate.value, color=look[decoder].color, linestyle=look[decoder].linestyle, label=decoder)
    every = sorted({float(width) for width in widths.values()})
    log_axis(axes.xaxis, every, ticked=True)
    linear_axis(axes.yaxis)
    axes.set_xlabel("width H")
    axes.set_title("exponent m of the fitted P = a p$^m$")


def _estimate(fit: FitRow) -> Interval:
    numbers = [number for number in (fit.value, fit.value_low, fit.value_high) if number is not None]
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise CascadeError(f"expected m1 of {fit.decoder} with both ends of its interval, got {numbers}")
    return Interval(*numbers)
