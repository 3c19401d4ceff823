"""Accuracy against latency."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rates import Rate, per_logical_per_cycle
from cascade_qec.plotting.panels import bars_caption, draw_budgets, draw_rates, finish, log_axis, make_panels, number
from cascade_qec.plotting.points import PER_LABELS, Codes, check_per
from cascade_qec.plotting.style import label_of, looks, styled
from cascade_qec.plotting.tables import LatencyLine


def latency_figure(
    lines: Sequence[LatencyLine], codes: Codes, *, per: str = "cycle", title: str | None = None
) -> Figure:
    """Rates against the time for one cycle, one panel for each code and p.

    The horizontal bar goes from the median to the 99th percentile; batch sizes stand beside their points, and a
    line joins those of one decoder on one device.

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
    with styled():
        figure, axes = make_panels(len(panels), y_label=PER_LABELS[per])
        for here, (key, inside) in zip(axes, panels.items(), strict=True):
            code, p, _, basis = key

            def rate(line: LatencyLine) -> Rate:
                return line.rate if per == "block" else _per_cycle(line, codes)

            labels = list(dict.fromkeys(names[_series(line)] for line in inside))
            for place, label in enumerate(labels):
                curve = sorted((line for line in inside if names[_series(line)] == label), key=lambda line: line.batch)
                if len({line.batch for line in curve}) != len(curve):
                    raise CascadeError(f"expected one row for each batch; some of {label} on {code} occur twice")
                draw_rates(
                    here,
                    [line.us_per_cycle_p50 for line in curve],
                    [rate(line) for line in curve],
                    look[label],
                    label=label,
                    x_bars=[(0.0, max(0.0, line.us_per_cycle_p99 - line.us_per_cycle_p50)) for line in curve],
                )
                for line in curve:
                    here.annotate(
                        str(line.batch),
                        (line.us_per_cycle_p50, rate(line).value or rate(line).high),
                        # above one curve, below the next
                        xytext=(-3, -9 if place % 2 else 4),
                        textcoords="offset points",
                        ha="right",
                        fontsize=6.5,
                        color=look[label].color,
                    )
            log_axis(here.xaxis, [t for line in inside for t in (line.us_per_cycle_p50, line.us_per_cycle_p99)])
            log_axis(here.yaxis, [end for line in inside for end in (rate(line).value, rate(line).high)])
            here.margins(0.15)
            draw_budgets(here, here.xaxis)
            here.set_xlabel("time per cycle (µs)")
            here.set_title(f"{code}, p = {number(100 * p)} %" + (f", basis {basis}" if len(basis) == 1 else ""))
        caption = bars_caption([line.rate for line in lines], "95 % intervals; median to 99th percentile of the time")
        order = dict.fromkeys(names[_series(line)] for line in lines)
        finish(
            figure,
            {label: look[label] for label in order},
            [*caption, "Small numbers: shots decoded at once."],
            title=title,
        )
    return figure


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


def _per_cycle(line: LatencyLine, codes: Codes) -> Rate:
    return per_logical_per_cycle(line.rate, k=codes(line.code).k, rounds=line.rounds)
