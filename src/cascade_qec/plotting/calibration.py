"""Reliability diagram: whether predictions come true as often as they say."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogitLocator, NullFormatter

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.panels import draw_rates, finish, grid, make_panels, number
from cascade_qec.plotting.style import label_of, looks, styled
from cascade_qec.plotting.tables import ReliabilityLine
from cascade_qec.statistics import Interval

KINDS = {
    "shot": "that no observable of a shot is wrong",
    "observable": "that an observable's predicted value is right",
    "flip": "that an observable was flipped",
}
"""Kinds of predictions, and what they say."""

# Nearer to 0 and 1 than this there is no room on the axes; probabilities of 0 and 1 are drawn there.
_EDGE = 1e-9
# Factor in the odds by which curves stand beside each other.
_SIDESTEP = 1.25
# Widest interval of a bin in full colour, in units of log-odds: about four predictions of the rarer outcome.
_FIRM = 2.0
# Limits of a panel that has nothing to show.
_NOTHING = [0.1, 0.9]


def calibration_figure(lines: Sequence[ReliabilityLine], *, of: str = "shot", title: str | None = None) -> Figure:
    """Fraction of predictions that came true against the probability that was predicted for them.

    Both axes are in log-odds, so that rare events have as much room as even chances. There is a panel for each
    experiment and a curve for each decoder; a calibrated one stays on the diagonal.

    Far out, nearly all bins are without the unlikelier outcome (that predicted with less than 1/2), and would be
    whatever the probability: there the fraction only tells how many shots there were. A bin is therefore drawn if
    that outcome occurred, or if a calibrated decoder was to have it once or more; the number of others is given
    below the figure. (Of bins where less than one was expected, those that are drawn thus lean away from the
    diagonal; their intervals, made for all bins, say less than elsewhere.) The axes end a factor of 3 in odds or more
    beyond what is drawn. Bins whose interval is wider than two units of log-odds are pale. Arrows stand for bins in
    which nothing, or everything, came true.

    Parameters
    ----------
    lines
        Rows; those of other kinds of predictions are passed over.
    of
        One of :data:`KINDS`.
    title
        Above all panels.

    Raises
    ------
    CascadeError
        If there is no such kind, no line of it with shots, or two of one decoder for one bin.
    """
    if of not in KINDS:
        raise CascadeError(f"expected predictions of one of {', '.join(KINDS)}, got {of!r}")
    filled = [line for line in lines if line.of == of and line.shots]
    if not filled:
        there = ", ".join(sorted({line.of for line in lines if line.shots})) or "rows without shots"
        raise CascadeError(f"expected rows of {of} with shots to plot, got {there}")
    panels: dict[tuple, list[ReliabilityLine]] = {}
    for line in filled:
        panels.setdefault((line.code, line.p, line.rounds, "".join(sorted(line.basis))), []).append(line)
    look = looks(_label(line) for line in filled)
    shown = [line for line in filled if _says_something(line)]
    with styled():
        figure, axes = make_panels(len(panels), y_label="fraction that came true")
        for here, (key, inside) in zip(axes, panels.items(), strict=True):
            labels = list(dict.fromkeys(_label(line) for line in inside))
            for place, label in enumerate(labels):
                step = _SIDESTEP ** (place - (len(labels) - 1) / 2)
                curve = sorted((line for line in inside if _label(line) == label), key=lambda line: line.bin_low)
                if len({(line.bin_low, line.bin_high) for line in curve}) != len(curve):
                    raise CascadeError(f"expected one row for each bin; some of {label} on {key[0]} occur twice")
                for firm in (False, True):
                    bins = [line for line in curve if _says_something(line) and _is_firm(line.came_true) == firm]
                    draw_rates(
                        here,
                        [_moved(_inside(line.confidence or 0.0), step) for line in bins],
                        [_bar(line.came_true) for line in bins],
                        look[label] if firm else look[label].pale(),
                        label=label if firm else f"_pale {label}",
                        connected=False,
                        ceiling=True,
                    )
            _dress(here, [line for line in inside if _says_something(line)])
            code, p, rounds, basis = key
            here.set_title(f"{code}, p = {number(100 * p)} %\n{rounds} rounds, basis {basis}")
        finish(
            figure,
            {label: look[label] for label in dict.fromkeys(map(_label, filled))},
            [f"Predictions {KINDS[of]}.", *_caption(shown, len(filled))],
            title=title,
            lines=False,
        )
    return figure


def _label(line: ReliabilityLine) -> str:
    return label_of(line.decoder, line.code)


def _says_something(line: ReliabilityLine) -> bool:
    """Whether the unlikelier outcome occurred, or was expected once or more."""
    likely = (line.confidence or 0.0) >= 0.5
    occurred = line.shots - line.correct if likely else line.correct
    expected = line.shots * ((1 - (line.confidence or 0.0)) if likely else (line.confidence or 0.0))
    return occurred > 0 or expected >= 1


def _is_firm(rate: Interval) -> bool:
    return rate.low > 0 and rate.high < 1 and math.log(_odds(rate.high) / _odds(rate.low)) <= _FIRM


def _caption(shown: Sequence[ReliabilityLine], bins: int) -> list[str]:
    rates = [line.came_true for line in shown]
    pale = f", pale where wider than {_FIRM:g} units of log-odds" if not all(map(_is_firm, rates)) else ""
    caption = [f"Bars: 95 % intervals{pale}."]
    if any(rate.value in (0, 1) for rate in rates):
        caption.append("Arrows: none or all came true, inner end of the interval.")
    if len(shown) < bins:
        left_out = f"{bins - len(shown)} of {bins} bins"
        caption.append(f"Not drawn: {left_out} where the unlikelier outcome was absent, and expected less than once.")
    return caption


def _inside(probability: float) -> float:
    return min(max(probability, _EDGE), 1 - _EDGE)


def _dress(axes: Axes, shown: Sequence[ReliabilityLine]) -> None:
    """Scales, limits, ticks and the diagonal."""
    rates = [line.came_true for line in shown]
    values = [_inside(line.confidence or 0.0) for line in shown]
    values += [rate.value for rate in rates] + [rate.low for rate in rates if rate.value == 1]
    values += [rate.high for rate in rates if rate.value == 0]
    within = [value for value in values if 0 < value < 1] or _NOTHING
    # so that a panel is two decades wide or more: labels within one decade would be longer than there is room
    margin = max(3.0, 10 / math.sqrt(_odds(max(within)) / _odds(min(within))))
    low, high = _moved(min(within), 1 / margin), _moved(max(within), margin)
    axes.set(xscale="logit", yscale="logit", xlim=(low, high), ylim=(low, high), xlabel="predicted probability")
    axes.plot([low, high], [low, high], color="0.45", linewidth=0.9, linestyle="--", zorder=1, label="_diagonal")
    _ticks(axes.xaxis)
    _ticks(axes.yaxis)


def _bar(rate: Interval) -> Interval:
    """An interval whose ends are on the axis."""
    return Interval(rate.value, max(rate.low, min(_EDGE, rate.value)), min(rate.high, max(1 - _EDGE, rate.value)))


def _moved(probability: float, factor: float) -> float:
    """A probability whose odds are larger by a factor."""
    odds = _odds(probability) * factor
    return odds / (1 + odds)


def _odds(probability: float) -> float:
    return probability / (1 - probability)


def _ticks(axis: Axis) -> None:
    # as many labels as fit if all of them are as long as "1 - 10^-6"
    axis.set_major_locator(LogitLocator(nbins=4))
    axis.set_minor_locator(LogitLocator(minor=True, nbins=4))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _near_one(value)))
    axis.set_minor_formatter(NullFormatter())
    grid(axis)


def _near_one(value: float) -> str:
    """A probability as a label has it: 0.5, 0.99, or one less a power of ten."""
    if value < 0.9995:
        return number(float(f"{value:.6g}"))
    # the difference from one has lost the digits that the mantissa of a power of ten would show
    return f"1 - {number(float(f'{1 - value:.3g}'))}".replace("1 - $", "$1 - ")
