"""Accuracy against latency."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascade_qec import codes
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.latency.table import LatencyRow
from cascade_qec.plotting.curves import draw_rates
from cascade_qec.plotting.panels import (
    bars_caption,
    check_once,
    draw_budgets,
    finish,
    grouped,
    log_axis,
    make_panels,
    number,
)
from cascade_qec.plotting.points import PER_LABELS
from cascade_qec.plotting.style import Look, label_of, looks, styled
from cascade_qec.statistics import Interval, per_logical_per_cycle, wilson


def latency_figure(rows: Sequence[LatencyRow], *, per: str = "cycle", title: str | None = None) -> Figure:
    """Rates against the time for one cycle, one panel for each code and p.

    How many shots are decoded at once changes the time and not the rate, so each decoder on a device is a level
    line with a point for each batch size. It stands at the rate of the row with the most shots, whose interval is
    drawn once, at that row's point. From the smallest batch a bar goes from the median to the 99th percentile of the
    time.

    Raises
    ------
    CascadeError
        If there are no rows, or two of one decoder, device and batch.
    """
    panels = grouped(rows, lambda row: (row.code, row.p, row.rounds, row.basis))
    names = _names(rows)
    look = looks(names.values())
    drawn: list[_Curve] = []
    with styled():
        figure, axes = make_panels(len(panels), y_label=PER_LABELS[per])
        for here, ((code, p, _, basis), inside) in zip(axes, panels.items(), strict=True):
            curves = [_curve(*curve, per) for curve in grouped(inside, lambda row: names[_series(row)]).items()]
            for curve in curves:
                _draw(here, curve, look[curve.label])
            rates = [curve.rate for curve in curves]
            log_axis(here.xaxis, [end for curve in curves for end in (*curve.times, curve.slow)])
            log_axis(here.yaxis, [end for rate in rates for end in (rate.low, rate.value, rate.high)])
            here.margins(0.08)
            draw_budgets(here, here.xaxis)
            here.set_xlabel("time per cycle (µs)")
            here.set_title(f"{code}, p = {number(100 * p)} %" + (f", basis {basis}" if len(basis) == 1 else ""))
            drawn += curves
        bars = "95 % intervals of the rate; median to 99th percentile of the time, smallest batch"
        batches = ", ".join(str(batch) for batch in sorted({row.batch for row in rows}))
        points = f"Points: batches of {batches} shots; the rate's bar is at the one with most shots."
        caption = [*bars_caption((curve.rate for curve in drawn), bars), points]
        finish(figure, look, caption, title=title)
    return figure


class _Curve(NamedTuple):
    """One decoder on one device, its times in microseconds for one cycle.

    Medians are by batch size, and `slow` is the smallest batch's 99th percentile. The rate is that of the row with the
    most shots, and stands at that row's median.
    """

    label: str
    times: list[float]
    slow: float
    rate: Interval
    at: float


def _curve(label: str, rows: Sequence[LatencyRow], per: str) -> _Curve:
    check_once([row.batch for row in rows], f"{label} on {rows[0].code}")
    for row in rows:
        p50, p99 = row.us_per_shot_p50.value, row.us_per_shot_p99.value
        if not 0 < p50 <= p99:
            raise CascadeError(f"{label} on {row.code}: expected 0 < p50 <= p99, got {p50} and {p99}")
    most = max(rows, key=lambda row: (row.shots, row.batch))
    rate = wilson(most.failures, most.shots)
    if per == "cycle":
        rate = per_logical_per_cycle(rate, k=codes.get(most.code).k, rounds=most.rounds)
    rows = sorted(rows, key=lambda row: row.batch)
    slow = rows[0].us_per_shot_p99.value / rows[0].rounds
    return _Curve(label, [row.us_per_cycle_p50 for row in rows], slow, rate, most.us_per_cycle_p50)


def _draw(axes: Axes, curve: _Curve, look: Look) -> None:
    height = curve.rate.value or curve.rate.high
    style: dict[str, Any] = look.line() | {"markersize": 3.0}
    axes.plot(curve.times, [height] * len(curve.times), label=f"_batches {curve.label}", **style)
    # no cap where the bar begins: it would look like another marker
    axes.plot(
        [curve.times[0], curve.slow],
        [height] * 2,
        color=look.color,
        linewidth=0.9,
        marker="|",
        markevery=[1],
        markersize=5.0,
        label=f"_time {curve.label}",
    )
    draw_rates(axes, [curve.at], [curve.rate], look, label=curve.label, connected=False)


def _series(row: LatencyRow) -> tuple[str, str, str, str, str]:
    threads = f"{row.threads} thread{'' if row.threads == 1 else 's'}"
    return label_of(row.decoder, row.code), row.device, row.precision, threads, row.code


def _names(rows: Sequence[LatencyRow]) -> dict[tuple, str]:
    """A name for each curve, with what of device, precision and threads tells curves of one decoder apart."""
    series = list(dict.fromkeys(map(_series, rows)))
    names = {}
    for one in series:
        alike = [other for other in series if other[0] == one[0]]
        told = [one[i] for i in (1, 2, 3) if len({other[i] for other in alike}) > 1]
        names[one] = f"{one[0]} ({', '.join(told)})" if told else one[0]
    return names
