"""Accuracy against latency."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.labels import PointLabel, place_labels
from cascade_qec.plotting.panels import bars_caption, draw_budgets, draw_rates, finish, log_axis, make_panels, number
from cascade_qec.plotting.points import PER_LABELS, Codes, check_per
from cascade_qec.plotting.style import Look, label_of, looks, styled
from cascade_qec.plotting.tables import LatencyLine
from cascade_qec.statistics import Interval, per_logical_per_cycle


def latency_figure(
    lines: Sequence[LatencyLine], codes: Codes, *, per: str = "cycle", title: str | None = None
) -> Figure:
    """Rates against the time for one cycle, one panel for each code and p.

    How many shots are decoded at once changes the time and not the rate, so each decoder on a device is a level
    line with a point for each batch size. It stands at the rate of the row with the most shots, whose interval is
    drawn once, at that row's point. The smallest and the largest batch size stand beside their points; from the
    smallest a bar goes from the median to the 99th percentile of the time.

    Parameters
    ----------
    lines
        Measured latencies.
    codes
        Gives k of each code; asked only for rates per cycle.
    per
        "block" or "cycle".
    title
        Above all panels.

    Raises
    ------
    CascadeError
        If there are no lines, or two of one decoder, device and batch.
    """
    check_per(per)
    if not lines:
        raise CascadeError("expected rows to plot, got 0 rows")
    panels: dict[tuple, list[LatencyLine]] = {}
    for line in lines:
        panels.setdefault((line.code, line.p, line.rounds, line.basis), []).append(line)
    names = _names(lines)
    look = looks(names.values())
    drawn: list[_Curve] = []
    labels: list[PointLabel] = []
    with styled():
        figure, axes = make_panels(len(panels), y_label=PER_LABELS[per])
        for here, (key, inside) in zip(axes, panels.items(), strict=True):
            code, p, _, basis = key
            curves = [
                _curve(label, [line for line in inside if names[_series(line)] == label], per, codes)
                for label in dict.fromkeys(names[_series(line)] for line in inside)
            ]
            for curve in curves:
                _draw(here, curve, look[curve.label])
                labels += _labels(here, curve, look[curve.label].color)
            log_axis(here.xaxis, [t for line in inside for t in (line.us_per_cycle_p50, line.us_per_cycle_p99)])
            log_axis(here.yaxis, [end for curve in curves for end in (curve.rate.value, curve.rate.high)])
            # labels of a curve's ends stand beside it
            here.margins(x=0.24, y=0.12)
            draw_budgets(here, here.xaxis)
            here.set_xlabel("time per cycle (µs)")
            here.set_title(f"{code}, p = {number(100 * p)} %" + (f", basis {basis}" if len(basis) == 1 else ""))
            drawn += curves
        caption = bars_caption(
            [curve.rate for curve in drawn],
            "95 % intervals of the rate; median to 99th percentile of the time, smallest batch",
        )
        finish(
            figure,
            {label: look[label] for label in dict.fromkeys(curve.label for curve in drawn)},
            [*caption, "Points: batch sizes; small numbers: the smallest and the largest."],
            title=title,
        )
        place_labels(figure, labels)
    return figure


@dataclass(frozen=True)
class _Curve:
    """One decoder on one device: its rows by batch size, and the rate of that with the most shots."""

    label: str
    lines: Sequence[LatencyLine]
    most: LatencyLine
    rate: Interval

    @property
    def height(self) -> float:
        """Where it is drawn: a rate of zero at the upper end of its interval."""
        return self.rate.value or self.rate.high


def _curve(label: str, lines: Sequence[LatencyLine], per: str, codes: Codes) -> _Curve:
    lines = sorted(lines, key=lambda line: line.batch)
    if len({line.batch for line in lines}) != len(lines):
        raise CascadeError(f"expected one row for each batch; some of {label} on {lines[0].code} occur twice")
    most = max(lines, key=lambda line: (line.shots, line.batch))
    return _Curve(label, lines, most, most.rate if per == "block" else _per_cycle(most, codes))


def _draw(axes: Axes, curve: _Curve, look: Look) -> None:
    first = curve.lines[0]
    times = [line.us_per_cycle_p50 for line in curve.lines]
    style: dict[str, Any] = look.line() | {"markersize": 3.0}
    axes.plot(times, [curve.height] * len(times), label=f"_batches {curve.label}", **style)
    # no cap where the bar begins: it would look like another marker
    bar = [first.us_per_cycle_p50, max(first.us_per_cycle_p50, first.us_per_cycle_p99)]
    axes.plot(
        bar,
        [curve.height] * 2,
        color=look.color,
        linewidth=0.9,
        marker="|",
        markevery=[1],
        markersize=5.0,
        label=f"_time {curve.label}",
    )
    draw_rates(axes, [curve.most.us_per_cycle_p50], [curve.rate], look, label=curve.label, connected=False)


def _labels(axes: Axes, curve: _Curve, color: str) -> list[PointLabel]:
    """The smallest and the largest batch size, each on the side that is away from the other."""
    ends = list(dict.fromkeys((curve.lines[0], curve.lines[-1])))
    leftmost = min(ends, key=lambda line: line.us_per_cycle_p50)
    return [
        PointLabel(axes, line.us_per_cycle_p50, curve.height, str(line.batch), color, -1 if line is leftmost else 1)
        for line in ends
    ]


def _series(line: LatencyLine) -> tuple[str, str, str, str, str]:
    return label_of(line.decoder, line.code), line.device, line.precision, line.threads, line.code


def _names(lines: Sequence[LatencyLine]) -> dict[tuple, str]:
    """A name for each curve, with what of device, precision and threads tells curves of one decoder apart."""
    series = list(dict.fromkeys(_series(line) for line in lines))
    names = {}
    for one in series:
        alike = [other for other in series if other[0] == one[0]]
        threads = f"{one[3]} thread" + ("" if one[3] == "1" else "s")
        told = [text for i, text in ((1, one[1]), (2, one[2]), (3, threads)) if len({other[i] for other in alike}) > 1]
        names[one] = f"{one[0]} ({', '.join(told)})" if told else one[0]
    return names


def _per_cycle(line: LatencyLine, codes: Codes) -> Interval:
    return per_logical_per_cycle(line.rate, k=codes(line.code).k, rounds=line.rounds)
