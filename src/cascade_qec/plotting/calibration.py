"""Reliability diagram: whether predictions come true as often as they say."""

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rates import Rate
from cascade_qec.plotting.panels import draw_rates, finish, grid, make_panels, number
from cascade_qec.plotting.style import label_of, looks, styled
from cascade_qec.plotting.tables import ReliabilityLine

# Nearer to 0 and 1 than this there is no room on the axes; probabilities of 0 and 1 are drawn there.
_EDGE = 1e-9
# Markers tell kinds of predictions of one decoder apart, and so does how they are filled.
_FILLS = {"shot": "full", "observable": "none", "flip": "bottom"}
# Factor in the odds by which curves stand beside each other.
_SIDESTEP = 1.25


def calibration_figure(lines: Sequence[ReliabilityLine], *, title: str | None = None) -> Figure:
    """Fraction of predictions that came true against the probability that was predicted for them.

    Both axes are in log-odds, so that rare events have as much room as even chances. There is a panel for each
    experiment and a curve for each decoder and kind of prediction; a calibrated one stays on the diagonal. Arrows
    stand for bins in which nothing, or everything, came true. Bins without predictions are left out.

    Raises
    ------
    CascadeError
        If there are no lines, or two of one decoder for one bin.
    """
    filled = [line for line in lines if line.shots]
    if not filled:
        raise CascadeError(f"expected rows with shots to plot, got {len(lines)} rows without")
    panels: dict[tuple, list[ReliabilityLine]] = {}
    for line in filled:
        panels.setdefault((line.code, line.p, line.rounds, "".join(sorted(line.basis))), []).append(line)
    look = looks(_label(line) for line in filled)
    for line in filled:
        look[_label(line)] = replace(look[_label(line)], fill=_FILLS.get(line.of, "full"))
    with styled():
        figure, axes = make_panels(len(panels), y_label="fraction that came true")
        for here, (key, inside) in zip(axes, panels.items(), strict=True):
            here.set_xscale("logit")
            here.set_yscale("logit")
            labels = list(dict.fromkeys(_label(line) for line in inside))
            for place, label in enumerate(labels):
                step = _SIDESTEP ** (place - (len(labels) - 1) / 2)
                curve = sorted((line for line in inside if _label(line) == label), key=lambda line: line.bin_low)
                if len({(line.bin_low, line.bin_high) for line in curve}) != len(curve):
                    raise CascadeError(f"expected one row for each bin; some of {label} on {key[0]} occur twice")
                draw_rates(
                    here,
                    [_moved(_inside(line.confidence or 0.0), step) for line in curve],
                    [_bar(line.came_true) for line in curve],
                    look[label],
                    label=label,
                    connected=False,
                    ceiling=True,
                )
            _dress(here, inside)
            code, p, rounds, basis = key
            here.set_title(f"{code}, p = {number(100 * p)} %, {rounds} rounds, basis {basis}")
        caption = ["Bars: 95 % intervals."]
        if any(line.correct in (0, line.shots) for line in filled):
            caption.append("Arrows: none or all came true, inner end of the interval.")
        finish(
            figure,
            {label: look[label] for label in dict.fromkeys(map(_label, filled))},
            caption,
            title=title,
            lines=False,
        )
    return figure


def _label(line: ReliabilityLine) -> str:
    return f"{label_of(line.decoder, line.code)} ({line.of})"


def _inside(probability: float) -> float:
    return min(max(probability, _EDGE), 1 - _EDGE)


def _dress(axes: Axes, inside: Sequence[ReliabilityLine]) -> None:
    rates = [line.came_true for line in inside]
    values = [_inside(line.confidence or 0.0) for line in inside]
    values += [rate.value for rate in rates] + [rate.low for rate in rates if rate.value == 1]
    values += [rate.high for rate in rates if rate.value == 0]
    within = [value for value in values if 0 < value < 1]
    # a factor of three in odds beyond what is drawn
    low, high = (odds / (1 + odds) for odds in (_odds(min(within)) / 3, _odds(max(within)) * 3))
    axes.plot([low, high], [low, high], color="0.45", linewidth=0.9, linestyle="--", zorder=1, label="_diagonal")
    for axis, limit in ((axes.xaxis, axes.set_xlim), (axes.yaxis, axes.set_ylim)):
        limit(low, high)
        _ticks(axis, low, high)
    axes.set_xlabel("predicted probability")


def _bar(rate: Rate) -> Rate:
    """An interval whose ends are on the axis."""
    return Rate(rate.value, max(rate.low, min(_EDGE, rate.value)), min(rate.high, max(1 - _EDGE, rate.value)))


def _moved(probability: float, factor: float) -> float:
    """A probability whose odds are larger by a factor."""
    odds = _odds(probability) * factor
    return odds / (1 + odds)


def _odds(probability: float) -> float:
    return probability / (1 - probability)


def _ticks(axis: Axis, low: float, high: float) -> None:
    powers = [10.0**-e for e in range(1, 10)]
    ticks = [*reversed([p for p in powers if p > low]), 0.5, *(1 - p for p in powers if 1 - p < high)]
    ticks = [tick for tick in ticks if low <= tick <= high]
    labelled = ticks[:: -(-len(ticks) // 7)] if len(ticks) > 7 else ticks
    axis.set_major_locator(FixedLocator(labelled))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: _near_one(value)))
    grid(axis)


def _near_one(value: float) -> str:
    if value <= 0.9 + 1e-12:
        return number(value)
    return f"{value:.6g}" if value < 0.9995 else f"1 - {number(1 - value)}".replace("1 - $", "$1 - ")
