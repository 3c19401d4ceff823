"""Panels, curves with error bars, axes and legends, as every figure has them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.markers import CARETUPBASE
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from cascade_qec.plotting.style import PANEL_HEIGHT, PANEL_WIDTH, Look
from cascade_qec.statistics import Interval

_COLUMNS = 3
# Lines up the error bars of curves at one place beside each other.
_SIDESTEP = 0.012
# Inches of a letter of a legend, and of what stands before and after its words.
_LETTER, _HANDLE = 0.075, 0.65
# Ticks nearer than this share of an axis would have their labels touch.
_CLOSEST = 0.11
# Share of a panel's width that the name of a budget takes.
_BUDGET_ROOM = 0.12

BUDGETS = {1.0: "1 µs", 1000.0: "1 ms"}
"""Time for one cycle, in microseconds: of superconducting qubits, and of trapped ions and neutral atoms."""


def make_panels(count: int, *, y_label: str) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels, in rows of three (four of them in rows of two), and a label before each row."""
    columns = 2 if count == 4 else min(count, _COLUMNS)
    rows = -(-count // columns)
    figure = Figure(figsize=(max(PANEL_WIDTH * columns, 4.2), PANEL_HEIGHT * rows + 0.8), layout="constrained")
    panels = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    for first in panels[::columns]:
        first.set_ylabel(y_label)
    return figure, panels


def sidestep(place: int, count: int) -> float:
    """Factor by which the curve at a place among several is moved along a logarithmic axis."""
    return (1 + _SIDESTEP) ** (place - (count - 1) / 2)


def draw_rates(
    axes: Axes,
    x: Sequence[float],
    rates: Sequence[Interval],
    look: Look,
    *,
    label: str,
    connected: bool = True,
    x_bars: Sequence[tuple[float, float]] | None = None,
    ceiling: bool = False,
) -> None:
    """Points with their intervals, on a logarithmic vertical axis.

    A rate of zero has no place on it: an arrow hangs down from the upper end of its interval instead. One that is
    known to be zero, without an interval, is a triangle on the horizontal axis.

    Parameters
    ----------
    axes
        Where to draw.
    x, rates
        The points, in the order in which the line joins them.
    look
        How.
    label
        Name of the curve.
    connected
        Join the points.
    x_bars
        Lengths of horizontal bars to the left and to the right of each point.
    ceiling
        Rates of one have no place on the axis either: an arrow stands on the lower end of their intervals.
    """
    top = [i for i, rate in enumerate(rates) if ceiling and rate.value == 1]
    seen = [i for i, rate in enumerate(rates) if rate.value > 0 and i not in top]
    unseen = [i for i, rate in enumerate(rates) if rate.value == 0 and rate.high > 0]
    never = [i for i, rate in enumerate(rates) if rate.high == 0]

    def sideways(chosen: Sequence[int]) -> list[list[float]] | None:
        return None if x_bars is None else [[x_bars[i][side] for i in chosen] for side in (0, 1)]

    axes.errorbar(
        [x[i] for i in seen],
        [rates[i].value for i in seen],
        yerr=[
            [rates[i].value - rates[i].low for i in seen],
            [rates[i].high - rates[i].value for i in seen],
        ],
        xerr=sideways(seen),
        label=label,
        capsize=2.5,
        elinewidth=0.9,
        **(look.line() if connected else look.points()),
    )
    if unseen:
        tops = [rates[i].high for i in unseen]
        axes.errorbar(
            [x[i] for i in unseen],
            tops,
            yerr=[[top / 2 for top in tops], [0.0 for _ in tops]],
            xerr=sideways(unseen),
            uplims=True,
            elinewidth=0.9,
            **look.points(),
        )
    if top:
        bottoms = [rates[i].low for i in top]
        axes.errorbar(
            [x[i] for i in top],
            bottoms,
            yerr=[[0.0 for _ in bottoms], [(1 - bottom) / 2 for bottom in bottoms]],
            xerr=sideways(top),
            lolims=True,
            elinewidth=0.9,
            **look.points(),
        )
    if never:
        style: dict[str, Any] = look.points() | {"marker": CARETUPBASE, "markersize": 5}
        bottom = axes.get_xaxis_transform()
        axes.plot([x[i] for i in never], [0.0] * len(never), transform=bottom, label=f"_zero {label}", **style)


def log_axis(axis: Axis, values: Iterable[float], *, at: Sequence[float] | None = None) -> None:
    """A logarithmic axis with as many labels as fit, and a fine grid.

    Parameters
    ----------
    axis
        Horizontal or vertical axis.
    values
        What is drawn along it; those that are not positive are passed over.
    at
        Where to put labels, but for those that would touch; a decade has one or three of them by default.
    """
    positive = [value for value in values if value > 0] or [0.1, 1.0]
    decades = math.log10(max(positive) / min(positive))
    _set_scale(axis, "log")
    if at is not None:
        axis.set_major_locator(FixedLocator(_apart(at)))
        axis.set_minor_locator(FixedLocator(sorted(at)))
        if len(set(at)) == 1:
            limits = axis.axes.set_xlim if axis is axis.axes.xaxis else axis.axes.set_ylim
            limits(at[0] / 1.5, at[0] * 1.5)
    elif decades < 0.6:
        axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2.2 else (1.0,), numticks=12))
        axis.set_minor_locator(LogLocator(subs=tuple(range(2, 10)), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axis.set_minor_formatter(NullFormatter())
    grid(axis)


def linear_axis(axis: Axis, *, integers: bool = False) -> None:
    """A linear axis with a grid."""
    axis.set_major_locator(MaxNLocator(nbins=6, integer=integers))
    grid(axis)


def _set_scale(axis: Axis, scale: str) -> None:
    (axis.axes.set_xscale if axis is axis.axes.xaxis else axis.axes.set_yscale)(scale)


def grid(axis: Axis) -> None:
    """Fine lines at the ticks of an axis, finer ones at those between."""
    axis.grid(True, which="major", linewidth=0.6, color="0.82")
    axis.grid(True, which="minor", linewidth=0.35, color="0.91")


def _apart(values: Sequence[float]) -> list[float]:
    """Those of the values whose labels do not touch on a logarithmic axis; the ends are kept."""
    values = sorted(set(values))
    if len(values) < 3:
        return values
    gap = _CLOSEST * math.log(values[-1] / values[0])
    kept = [values[0]]
    for value in values[1:-1]:
        if math.log(value / kept[-1]) >= gap and math.log(values[-1] / value) >= gap:
            kept.append(value)
    return [*kept, values[-1]]


def number(value: float) -> str:
    """A number as a label has it: 0.005, 20, or a power of ten."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:g}"
    exponent = math.floor(math.log10(abs(value)) + 1e-9)
    mantissa = value / 10**exponent
    power = f"10^{{{exponent}}}"
    return f"${power}$" if math.isclose(mantissa, 1) else rf"${mantissa:.3g}\times{power}$"


def finish(
    figure: Figure, legend: Mapping[str, Look], caption: Sequence[str], *, title: str | None, lines: bool = True
) -> None:
    """Title and legend above the panels, where they cover none of them, and notes below.

    Parameters
    ----------
    figure
        With all its panels.
    legend
        Looks by label.
    caption
        Lines of the notes.
    title
        Above everything.
    lines
        Whether points are joined in the figure, and so in the legend.
    """
    widest = max((len(label) for label in legend), default=0) * _LETTER + _HANDLE
    figure.legend(
        handles=[look.handle(label, line=lines) for label, look in legend.items()],
        loc="outside upper center",
        ncols=max(1, min(len(legend), int(figure.get_figwidth() / widest))),
        frameon=False,
        title=title,
        title_fontsize=11,
    )
    figure.supxlabel("\n".join(caption), fontsize="small")


def bars_caption(rates: Sequence[Interval], intervals: str = "95 % intervals") -> list[str]:
    """What error bars and arrows mean, for the notes below a figure."""
    caption = [f"Bars: {intervals}."]
    if any(rate.value == 0 < rate.high for rate in rates):
        caption.append("Arrows: no failure, upper end of the interval.")
    if any(rate.high == 0 for rate in rates):
        caption.append("Triangles on the axis: exactly zero.")
    return caption


def draw_budgets(axes: Axes, axis: Axis) -> None:
    """Mark the budgets for one cycle that lie within an axis in microseconds."""
    upright = axis is axes.xaxis
    low, high = axes.get_xlim() if upright else axes.get_ylim()
    for budget, name in BUDGETS.items():
        if low < budget < high:
            line = axes.axvline if upright else axes.axhline
            line(budget, color="0.35", linewidth=0.9, linestyle=(0, (1, 2)), zorder=0.5)
            # at the right of its line, where there is room for it
            after = math.log(high / budget) > _BUDGET_ROOM * math.log(high / low)
            axes.annotate(
                name,
                (budget, 1.0) if upright else (1.0, budget),
                xycoords=("data", "axes fraction") if upright else ("axes fraction", "data"),
                xytext=(2 if after else -2, -2) if upright else (3, 0),
                textcoords="offset points",
                ha="left" if after or not upright else "right",
                va="top" if upright else "center",
                fontsize="x-small",
                color="0.25",
            )
