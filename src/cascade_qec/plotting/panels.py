"""Panels, axes and legends, as every figure has them."""

import itertools
import math
import textwrap
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, Formatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.style import PANEL_HEIGHT, PANEL_WIDTH, Look
from cascade_qec.statistics import Interval

Row = TypeVar("Row")
Key = TypeVar("Key", bound=Hashable)

_COLUMNS = 3
# Ticks nearer than this share of an axis would have their labels touch.
_CLOSEST = 0.11
# Share of a panel's width that the name of a budget takes.
_BUDGET_ROOM = 0.12

BUDGETS = {1.0: "1 µs", 1000.0: "1 ms"}
"""Time for one cycle, in microseconds: of superconducting qubits, and of trapped ions and neutral atoms."""


def grouped(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, list[Row]]:
    """Rows by a key, in the order in which they first occur.

    Raises
    ------
    CascadeError
        If there are no rows.
    """
    groups: dict[Key, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    if not groups:
        raise CascadeError("expected rows to plot, got 0 rows")
    return groups


def check_once(places: Sequence[Hashable], of: str) -> None:
    """Refuse rows of which two belong at one place of a curve.

    Raises
    ------
    CascadeError
        Naming what they are rows of.
    """
    if len(set(places)) != len(places):
        raise CascadeError(f"expected one row for each place of a curve; some of {of} occur twice")


def make_panels(count: int, *, y_label: str) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels, in rows of three (four of them in rows of two), and a label before each row."""
    columns = 2 if count == 4 else min(count, _COLUMNS)
    rows = -(-count // columns)
    figure = Figure(figsize=(PANEL_WIDTH * columns, PANEL_HEIGHT * rows + 0.8), layout="constrained")
    panels = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    for first in panels[::columns]:
        first.set_ylabel(y_label)
    return figure, panels


def log_axis(axis: Axis, values: Iterable[float], *, ticked: bool = False) -> None:
    """A logarithmic axis with as many labels as fit, and a fine grid.

    Parameters
    ----------
    values
        What is drawn along it; those that are not positive are passed over.
    ticked
        Labels stand at the values, but for those that would touch; otherwise a decade has one or three of them.
    """
    positive = sorted({value for value in values if value > 0}) or [0.1, 1.0]
    decades = math.log10(positive[-1] / positive[0])
    upright = axis is axis.axes.yaxis
    (axis.axes.set_yscale if upright else axis.axes.set_xscale)("log")
    if ticked:
        axis.set_major_locator(FixedLocator(_apart(positive)))
        axis.set_minor_locator(FixedLocator(positive))
        if len(positive) == 1:
            (axis.axes.set_ylim if upright else axis.axes.set_xlim)(positive[0] / 1.5, positive[0] * 1.5)
    elif decades < 0.6:
        axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        axis.set_minor_locator(NullLocator())
    else:
        # labels below each other may stand closer than labels side by side
        close = decades < (2.2 if upright else 1.7)
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if close else (1.0,), numticks=12))
        axis.set_minor_locator(LogLocator(subs=tuple(range(2, 10)), numticks=12))
    axis.set_major_formatter(Numbers())
    axis.set_minor_formatter(NullFormatter())
    grid(axis)


def linear_axis(axis: Axis, *, integers: bool = False) -> None:
    """A linear axis with a grid."""
    axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=integers))
    grid(axis)


def share_axis(axis: Axis, shares: Iterable[float]) -> None:
    """A horizontal axis of shares: logarithmic but for the last decade below the smallest, which is linear to none."""
    smallest = min((share for share in shares if share), default=0.1)
    end = 10 ** math.floor(math.log10(smallest))
    axis.axes.set_xscale("symlog", linthresh=end, linscale=0.5)
    axis.axes.set_xlim(-0.2 * end, 1.3)
    axis.set_major_formatter(Numbers())
    grid(axis)


def grid(axis: Axis) -> None:
    """Fine lines at the ticks of an axis, finer ones at those between."""
    axis.grid(True, which="major", linewidth=0.6, color="0.82")
    axis.grid(True, which="minor", linewidth=0.35, color="0.91")


def _apart(values: list[float]) -> list[float]:
    """Those of ascending values whose labels do not touch on a logarithmic axis; the ends are kept."""
    if len(values) < 3:
        return values
    gap = _CLOSEST * math.log(values[-1] / values[0])
    kept = [values[0]]
    for value in values[1:-1]:
        if math.log(value / kept[-1]) >= gap and math.log(values[-1] / value) >= gap:
            kept.append(value)
    return [*kept, values[-1]]


def number(value: float, *, powers: bool | None = None) -> str:
    """A number as a label has it: 0.005, 20, or a power of ten; by default whichever is shorter."""
    plain = 1e-3 <= abs(value) < 1e4 if powers is None else not powers
    if value == 0 or plain:
        return f"{value:g}"
    exponent = math.floor(math.log10(abs(value)) + 1e-9)
    mantissa = value / 10**exponent
    power = f"10^{{{exponent}}}"
    return f"${power}$" if math.isclose(mantissa, 1) else rf"${mantissa:.3g}\times{power}$"


class Numbers(Formatter):
    """Labels of an axis, all of them plain numbers or all of them powers of ten."""

    def __call__(self, value: float, pos: int | None = None) -> str:
        """A label by itself."""
        return number(value)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Labels of all ticks, decided by those within the axis."""
        low, high = sorted(self.axis.get_view_interval()) if self.axis else (-math.inf, math.inf)
        powers = any(value and not self.is_short(value) for value in values if low <= value <= high)
        return [self.text(value, powers=powers) for value in values]

    def is_short(self, value: float) -> bool:
        """Whether a plain number would do."""
        return 1e-3 <= abs(value) < 1e4

    def text(self, value: float, *, powers: bool) -> str:
        """A label in one of the notations."""
        return number(value, powers=powers)


def finish(
    figure: Figure, legend: Mapping[str, Look], caption: Sequence[str], *, title: str | None, lines: bool = True
) -> None:
    """Title, legend and notes, where they cover no panel and nothing is cut.

    The legend stands above the panels, of a figure with one column of panels at their right.

    Parameters
    ----------
    caption
        Sentences of the notes below the panels.
    lines
        Whether points are joined in the figure, and so in the legend.
    """
    handles = [look.handle(label, line=lines) for label, look in legend.items()]
    narrow = figure.get_figwidth() <= PANEL_WIDTH
    if narrow and handles:
        beside = figure.legend(handles=handles, loc="outside right upper", frameon=False)
        figure.set_figwidth(PANEL_WIDTH + beside.get_window_extent().width / figure.dpi)
    for rows in range(1, 1 if narrow else len(handles) + 1):
        above = figure.legend(
            handles=handles,
            loc="outside upper center",
            ncols=math.ceil(len(handles) / rows),
            frameon=False,
            title=title,
            title_fontsize=11,
        )
        if _fits(above):
            break
        above.remove()
    if title and (narrow or not handles):
        figure.suptitle(title, fontsize=11)
    text = " ".join(caption)
    notes = figure.supxlabel(text, fontsize="small")
    # lines of about one length; Matplotlib's own wrapping makes room for fewer of them than it draws
    for rows in itertools.takewhile(lambda _: not _fits(notes), itertools.count(2)):
        notes.set_text(textwrap.fill(text, len(text) // rows + 8))


def _fits(artist: Artist) -> bool:
    figure = artist.get_figure(root=True)
    return figure is None or artist.get_window_extent().width <= 0.96 * figure.bbox.width


def bars_caption(rates: Iterable[Interval], intervals: str = "95 % intervals") -> list[str]:
    """What error bars and arrows mean, for the notes below a figure."""
    rates = list(rates)
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
