"""Points with their intervals, joined to curves: what most figures consist of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.markers import CARETUPBASE

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.panels import bars_caption, check_once, finish, grouped, log_axis, make_panels
from cascade_qec.plotting.style import Look, looks, styled
from cascade_qec.statistics import Interval

# Lines up the error bars of curves at one place beside each other on a logarithmic axis.
_FACTOR = 1.012


@dataclass(frozen=True)
class Dot:
    """A point of the curve `label` in the panel `panel`; `across` is the interval of `x`, if it has one to draw."""

    panel: str
    label: str
    x: float
    rate: Interval
    across: Interval | None = None


def curves_figure(
    dots: Sequence[Dot],
    dress: Callable[[Axis, list[float]], None],
    *,
    y_label: str,
    x_label: str,
    title: str | None,
    look: Mapping[str, Look] | None = None,
    beside: Callable[[float, float], float] = lambda x, places: x * _FACTOR**places,
    joined: Callable[[str, str], bool] = lambda panel, label: True,
    quiet: bool = False,
    notes: Sequence[str] = (),
) -> Figure:
    """A panel for each title, with a curve for each label, against a logarithmic vertical axis.

    Parameters
    ----------
    dots
        In any order; panels are in that in which they first occur.
    dress
        Makes a panel's horizontal axis, for the values along it.
    look
        By label, in the order of the legend; decoders' own by default.
    beside
        Moves a value along the axis by places (-1, 0 and 1 for three curves), so that bars do not cover each other.
    joined
        Whether a panel's curve is drawn as a line.
    quiet
        As of :func:`draw_rates`.
    notes
        Sentences below the figure, after what is said of its bars.

    Raises
    ------
    CascadeError
        If there are no dots, or two of one curve are at one place.
    """
    panels = grouped(dots, lambda dot: dot.panel)
    look = look or looks(dot.label for dot in dots)
    with styled():
        figure, axes = make_panels(len(panels), y_label=y_label)
        for here, (panel, inside) in zip(axes, panels.items(), strict=True):
            curves = grouped(inside, lambda dot: dot.label)
            for i, (label, curve) in enumerate(curves.items()):
                check_once([dot.x for dot in curve], f"{label} on {panel}")
                curve.sort(key=lambda dot: dot.x)
                place = i - (len(curves) - 1) / 2
                draw_rates(
                    here,
                    [beside(dot.x, place) for dot in curve],
                    [dot.rate for dot in curve],
                    look[label],
                    label=label,
                    connected=joined(panel, label),
                    quiet=quiet,
                    x_bars=[dot.across for dot in curve if dot.across] or None,
                )
            log_axis(here.yaxis, [end for dot in inside for end in (dot.rate.low, dot.rate.value, dot.rate.high)])
            dress(here.xaxis, [dot.x for dot in inside])
            here.set_xlabel(x_label)
            here.set_title(panel)
        finish(figure, look, [*bars_caption(dot.rate for dot in dots), *notes], title=title)
    return figure


def draw_rates(
    axes: Axes,
    x: Sequence[float],
    rates: Sequence[Interval],
    look: Look,
    *,
    label: str,
    connected: bool = True,
    quiet: bool = False,
    x_bars: Sequence[Interval] | None = None,
    ceiling: bool = False,
) -> None:
    """Points with their intervals, on a logarithmic vertical axis.

    A rate of zero has no place on it: an arrow hangs down from the upper end of its interval instead. One that is
    known to be zero, without an interval, is a triangle on the horizontal axis.

    Parameters
    ----------
    x, rates
        The points, in the order in which the line joins them.
    connected
        Join the points.
    quiet
        Pale bars without caps, for more points than could be told apart otherwise.
    x_bars
        Intervals of `x`.
    ceiling
        Rates of one have no place on the axis either: an arrow stands on the lower end of their intervals.

    Raises
    ------
    CascadeError
        If a rate is outside of its interval.
    """
    for rate in rates:
        if not rate.low <= rate.value <= rate.high:
            raise CascadeError(f"{label}: expected low <= value <= high, got {rate.low}, {rate.value}, {rate.high}")
    top = [i for i, rate in enumerate(rates) if ceiling and rate.value == 1]
    seen = [i for i, rate in enumerate(rates) if rate.value > 0 and i not in top]
    unseen = [i for i, rate in enumerate(rates) if rate.value == 0 and rate.high > 0]
    never = [i for i, rate in enumerate(rates) if rate.high == 0]

    def drawn(chosen: Sequence[int], heights: list[float], bars: Any, **style: Any) -> None:
        xerr = None if x_bars is None else _lengths([x_bars[i] for i in chosen])
        axes.errorbar([x[i] for i in chosen], heights, yerr=bars, xerr=xerr, **style)

    points: dict[str, Any] = look.points() | {"elinewidth": 0.9}
    bar: dict[str, Any] = {"elinewidth": 0.7, "ecolor": look.pale().color} if quiet else {"capsize": 2.5}
    line = look.line() if connected else {}
    drawn(seen, [rates[i].value for i in seen], _lengths([rates[i] for i in seen]), label=label, **points | line | bar)
    if unseen:
        tops = [rates[i].high for i in unseen]
        drawn(unseen, tops, [[end / 2 for end in tops], [0.0] * len(tops)], uplims=True, **points)
    if top:
        ends = [rates[i].low for i in top]
        drawn(top, ends, [[0.0] * len(ends), [(1 - end) / 2 for end in ends]], lolims=True, **points)
    if never:
        style: dict[str, Any] = look.points() | {"marker": CARETUPBASE, "markersize": 5}
        bottom = axes.get_xaxis_transform()
        axes.plot([x[i] for i in never], [0.0] * len(never), transform=bottom, label=f"_zero {label}", **style)


def _lengths(rates: Sequence[Interval]) -> list[list[float]]:
    """Of the bars below and above each rate: [2][rates]."""
    return [[rate.value - rate.low for rate in rates], [rate.high - rate.value for rate in rates]]
