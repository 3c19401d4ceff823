"""Streams at a fixed pace: rounds that wait, and how long the answer takes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascade_qec.evaluation.replay import ReplayRow
from cascade_qec.plotting.panels import check_once, finish, grouped, linear_axis, log_axis, make_panels, number
from cascade_qec.plotting.style import Look, label_of, looks, styled


def replay_figure(rows: Sequence[ReplayRow], *, title: str | None = None) -> Figure:
    """The backlog over the rounds, a panel for each pace; then the time to the answer at every pace.

    Raises
    ------
    CascadeError
        If two rows are of one decoder, experiment and pace.
    """
    experiments = grouped(rows, lambda row: (row.code, row.p, row.rounds, row.basis))
    look = looks(_label(row) for row in rows)
    paces = {key: sorted({row.cadence_us for row in inside}) for key, inside in experiments.items()}
    with styled():
        figure, axes = make_panels(sum(len(found) + 1 for found in paces.values()), y_label="")
        panels = iter(axes)
        for key, inside in experiments.items():
            about = key[0] if key[1] is None else f"{key[0]}, p = {number(100 * key[1])} %"
            check_once([(_label(row), row.cadence_us) for row in inside], about)
            for pace in paces[key]:
                here = next(panels)
                for row in inside:
                    if row.cadence_us == pace:
                        _draw_backlog(here, row, look[_label(row)])
                here.set_title(f"{about}, {number(pace)} µs a round")
                here.set_xlabel("round")
                here.set_ylabel("rounds that wait")
                linear_axis(here.xaxis, integers=True)
                linear_axis(here.yaxis)
                here.set_ylim(bottom=0)
            here = next(panels)
            for label, of_decoder in grouped(inside, _label).items():
                _draw_tail(here, sorted(of_decoder, key=lambda row: row.cadence_us), look[label])
            log_axis(here.xaxis, paces[key], ticked=True)
            log_axis(here.yaxis, [end for row in inside for end in (row.latency_us_p50.value, _slowest(row))])
            here.set_title(about)
            here.set_xlabel("time per round (µs)")
            here.set_ylabel("readout to answer (µs)")
        caption = ["Rounds that have come and are not decoded, mean over shots.", "Time: median, bars to the last "]
        caption[1] += "percentile that the shots tell (99 %, or 99.9 %)."
        finish(figure, look, caption, title=title)
    return figure


def _label(row: ReplayRow) -> str:
    return f"{label_of(row.decoder, row.code)}, {row.decided}+{row.ahead}{', server' if row.server else ''}"


def _slowest(row: ReplayRow) -> float:
    return (row.latency_us_p999 or row.latency_us_p99).value


def _draw_backlog(axes: Axes, row: ReplayRow, look: Look) -> None:
    rounds = np.linspace(1, row.rounds + 1, len(row.backlog))
    style: dict[str, Any] = look.line() | {"markersize": 2.5}
    axes.plot(rounds, row.backlog, **style)


def _draw_tail(axes: Axes, rows: Sequence[ReplayRow], look: Look) -> None:
    middle = [row.latency_us_p50.value for row in rows]
    over = [_slowest(row) - low for row, low in zip(rows, middle, strict=True)]
    paces = [row.cadence_us for row in rows]
    axes.errorbar(paces, middle, yerr=[[0.0] * len(rows), over], capsize=2, linewidth=1, markersize=4, **look.line())
