"""What it costs to be as accurate as a slower decoder, by sending it the shots that the network doubts."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.panels import bars_caption, draw_rates, finish, grid, log_axis, number
from cascade_qec.plotting.style import PANEL_HEIGHT, PANEL_WIDTH, Look, label_of, looks, styled
from cascade_qec.plotting.tables import EscalationLine
from cascade_qec.statistics import Interval


def escalation_figure(lines: Sequence[EscalationLine], *, title: str | None = None) -> Figure:
    """Block error, and below it time per shot, against the share of shots escalated; a column for each experiment.

    There is a curve for each model and fallback, which begins at the network alone. A line across the panel is the
    fallback alone, shaded over its interval, and a ring the threshold that was chosen.

    Raises
    ------
    CascadeError
        If there are no lines, or two of one model and fallback with one threshold.
    """
    if not lines:
        raise CascadeError("expected rows to plot, got 0 rows")
    columns: dict[tuple, list[EscalationLine]] = {}
    for line in lines:
        columns.setdefault((line.code, line.p, line.rounds, line.basis), []).append(line)
    look = looks(_label(line) for line in lines)
    with styled():
        size = (max(PANEL_WIDTH * len(columns), 4.2), 2 * PANEL_HEIGHT + 0.8)
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(2, len(columns), sharex="col", squeeze=False)
        panels[0, 0].set_ylabel("block error")
        panels[1, 0].set_ylabel("time per shot (µs)")
        for (errors, times), ((code, p, rounds, basis), inside) in zip(panels.T, columns.items(), strict=True):
            for label in dict.fromkeys(_label(line) for line in inside):
                own = [line for line in inside if _label(line) == label]
                _check_once(own, f"{label} on {code}")
                _draw(errors, own, [line.rate for line in own], look[label], label)
                _draw(times, own, [line.time for line in own], look[label], label)
            _share_axis(times, inside)
            grid(errors.xaxis)
            log_axis(errors.yaxis, [end for line in inside for end in (line.rate.value, line.rate.high)])
            log_axis(times.yaxis, [end for line in inside for end in (line.time.low, line.time.high)])
            times.set_xlabel("fraction of shots escalated")
            errors.set_title(f"{code}, p = {number(100 * p)} %, {rounds} rounds, basis {basis}")
        caption = bars_caption([line.rate for line in lines])
        caption.append("Lines across: the fallback alone, shaded over its interval.")
        if any(line.part == "chosen" for line in lines):
            caption.append("Rings: thresholds chosen on one half of the shots, tried on the other.")
        finish(figure, look, caption, title=title)
    return figure


def _draw(axes: Axes, lines: Sequence[EscalationLine], values: Sequence[Interval], look: Look, label: str) -> None:
    """One quantity of one model and fallback."""
    drawn = sorted(zip(lines, values, strict=True), key=lambda pair: pair[0].fraction)
    curve = [(line.fraction, value) for line, value in drawn if line.part in ("network", "curve")]
    draw_rates(axes, [x for x, _ in curve], [value for _, value in curve], look, label=label)
    for line, value in drawn:
        if line.part == "fallback":
            axes.axhspan(value.low, value.high, color=look.color, alpha=0.13, linewidth=0, zorder=0.4)
            axes.axhline(value.value or value.high, color=look.color, linestyle=look.linestyle, linewidth=0.9)
        elif line.part == "chosen":
            # of half the shots, so that it need not lie on the curve
            draw_rates(axes, [line.fraction], [value], look, label=f"_chosen {label}", connected=False)
            axes.plot(line.fraction, value.value or value.high, "o", color="black", fillstyle="none", markersize=10)


def _share_axis(axes: Axes, lines: Sequence[EscalationLine]) -> None:
    """Logarithmic but for the last decade below the smallest share, which is linear, down to none."""
    smallest = min((line.fraction for line in lines if line.fraction), default=0.1)
    end = 10 ** math.floor(math.log10(smallest))
    axes.set_xscale("symlog", linthresh=end, linscale=0.5)
    axes.set_xlim(-0.2 * end, 1.3)
    grid(axes.xaxis)


def _label(line: EscalationLine) -> str:
    return f"{line.fallback}, after {label_of(line.decoder, line.code)}"


def _check_once(lines: Sequence[EscalationLine], name: str) -> None:
    places = [(line.part if line.part in ("chosen", "fallback") else "curve", line.threshold) for line in lines]
    alone = [part for part, _ in places if part != "curve"]
    if len(set(places)) != len(places) or len(set(alone)) != len(alone):
        raise CascadeError(f"expected one row for each threshold; some of {name} occur twice")
