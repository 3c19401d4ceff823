"""What it costs to be as accurate as a slower decoder, by sending it the shots that the network doubts."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascade_qec.evaluation.escalation.table import EscalationRow
from cascade_qec.plotting.curves import draw_rates
from cascade_qec.plotting.panels import bars_caption, check_once, finish, grouped, log_axis, number, share_axis
from cascade_qec.plotting.style import PANEL_HEIGHT, PANEL_WIDTH, Look, label_of, looks, styled
from cascade_qec.statistics import Interval, wilson


def escalation_figure(rows: Sequence[EscalationRow], *, title: str | None = None) -> Figure:
    """Block error, and beside it time per shot, against the share of shots escalated; a row for each experiment.

    There is a curve for each model and fallback, which begins at the network alone. A line across the panel is the
    fallback alone, shaded over its interval, and a ring the threshold that was chosen.

    Raises
    ------
    CascadeError
        If there are no rows, or two of one model and fallback with one threshold.
    """
    experiments = grouped(rows, lambda row: (row.code, row.p, row.rounds, row.basis))
    look = looks(_label(row) for row in rows)
    with styled():
        size = (2 * PANEL_WIDTH, PANEL_HEIGHT * len(experiments) + 0.8)
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(len(experiments), 2, squeeze=False)
        for (errors, times), ((code, p, rounds, basis), inside) in zip(panels, experiments.items(), strict=True):
            for label, own in grouped(inside, _label).items():
                # the chosen threshold may be one of the curve's, too
                places = [row.part if row.part in ("chosen", "fallback") else row.threshold for row in own]
                check_once(places, f"{label} on {code}")
                _draw(errors, own, [row.block_error for row in own], look[label], label)
                _draw(times, own, [row.us_per_shot for row in own], look[label], label)
            log_axis(errors.yaxis, [end for row in inside for end in (row.block_error.value, row.block_error.high)])
            log_axis(times.yaxis, [end for row in inside for end in (row.us_per_shot.low, row.us_per_shot.high)])
            errors.set_ylabel("block error")
            times.set_ylabel("time per shot (µs)")
            for axes in (errors, times):
                share_axis(axes.xaxis, [_share(row) for row in inside])
                axes.set_xlabel("fraction of shots escalated")
                axes.set_title(f"{code}, p = {number(100 * p)} %, {rounds} rounds, basis {basis}")
        caption = bars_caption(row.block_error for row in rows)
        caption.append("Lines across: the fallback alone, shaded over its interval.")
        if any(row.part == "chosen" for row in rows):
            caption.append("Rings: thresholds chosen on one half of the shots, tried on the other.")
        finish(figure, look, caption, title=title)
    return figure


def _draw(axes: Axes, rows: Sequence[EscalationRow], values: Sequence[Interval], look: Look, label: str) -> None:
    """One quantity of one model and fallback."""
    drawn = sorted(zip(rows, values, strict=True), key=lambda pair: _share(pair[0]))
    curve = [(_share(row), value) for row, value in drawn if row.part in ("network", "curve")]
    draw_rates(axes, [x for x, _ in curve], [value for _, value in curve], look, label=label)
    for row, value in drawn:
        if row.part == "fallback":
            axes.axhspan(value.low, value.high, color=look.color, alpha=0.13, linewidth=0, zorder=0.4)
            axes.axhline(value.value or value.high, color=look.color, linestyle=look.linestyle, linewidth=0.9)
        elif row.part == "chosen":
            # of half the shots, so that it need not lie on the curve
            draw_rates(axes, [_share(row)], [value], look, label=f"_chosen {label}", connected=False)
            axes.plot(_share(row), value.value or value.high, "o", color="black", fillstyle="none", markersize=10)


def _label(row: EscalationRow) -> str:
    return f"{row.fallback}, after {label_of(row.decoder, row.code)}"


def _share(row: EscalationRow) -> float:
    return wilson(row.escalated, row.shots).value
