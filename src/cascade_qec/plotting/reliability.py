"""Reliability diagram: whether predictions come true as often as they say."""

import math
from collections.abc import Sequence
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogitLocator, NullFormatter

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.tables import ReliabilityRow
from cascade_qec.plotting.curves import draw_rates
from cascade_qec.plotting.panels import Numbers, check_once, finish, grid, grouped, make_panels, number
from cascade_qec.plotting.style import label_of, looks, styled
from cascade_qec.statistics import Interval, wilson

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


def reliability_figure(rows: Sequence[ReliabilityRow], *, of: str = "shot", title: str | None = None) -> Figure:
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
    of
        One of :data:`KINDS`; rows of the others are passed over.

    Raises
    ------
    CascadeError
        If there is no such kind, no row of it with shots, or two of one decoder for one bin.
    """
    if of not in KINDS:
        raise CascadeError(f"expected predictions of one of {', '.join(KINDS)}, got {of!r}")
    filled = [row for row in rows if row.of == of and row.shots]
    if not filled:
        there = ", ".join(sorted({row.of for row in rows if row.shots})) or "rows without shots"
        raise CascadeError(f"expected rows of {of} with shots to plot, got {there}")
    panels = grouped(filled, lambda row: (row.code, row.p, row.rounds, "".join(sorted(row.basis))))
    look = looks(_label(row) for row in filled)
    shown = [row for row in filled if _says_something(row)]
    with styled():
        figure, axes = make_panels(len(panels), y_label="fraction that came true")
        for here, ((code, p, rounds, basis), inside) in zip(axes, panels.items(), strict=True):
            curves = grouped(inside, _label)
            for place, (label, curve) in enumerate(curves.items()):
                check_once([(row.bin_low, row.bin_high) for row in curve], f"{label} on {code}")
                curve.sort(key=lambda row: row.bin_low)
                step = _SIDESTEP ** (place - (len(curves) - 1) / 2)
                for firm in (False, True):
                    bins = [row for row in curve if _says_something(row) and _is_firm(came_true(row)) == firm]
                    draw_rates(
                        here,
                        [_moved(_inside(row.confidence or 0.0), step) for row in bins],
                        [_bar(came_true(row)) for row in bins],
                        look[label] if firm else look[label].pale(),
                        label=label if firm else f"_pale {label}",
                        connected=False,
                        ceiling=True,
                    )
            _dress(here, [row for row in inside if _says_something(row)])
            here.set_title(f"{code}, p = {number(100 * p)} %\n{rounds} rounds, basis {basis}")
        caption = [f"Predictions {KINDS[of]}.", *_caption(shown, len(filled))]
        finish(figure, look, caption, title=title, lines=False)
    return figure


def came_true(row: ReliabilityRow) -> Interval:
    """Share of predictions that came true.

    Its interval is Wilson's for independent predictions. Those of observables of one shot are not: theirs is
    Wilson's for the number of independent predictions that would have the standard error of the table. (Kish's
    design effect, the ratio of the variances; both with half an event added, as the table has it, so that it
    is finite where nothing was seen.)
    """
    rate = wilson(row.correct, row.shots)
    if row.of == "shot" or row.error_of_fraction is None:
        return rate
    independent = row.shots * rate.value * (1 - rate.value) + 0.5
    effect = max(1.0, (row.error_of_fraction * row.shots) ** 2 / independent)
    return wilson(row.correct / effect, row.shots / effect)


def _label(row: ReliabilityRow) -> str:
    return label_of(row.decoder, row.code)


def _says_something(row: ReliabilityRow) -> bool:
    """Whether the unlikelier outcome occurred, or was expected once or more."""
    likely = (row.confidence or 0.0) >= 0.5
    occurred = row.shots - row.correct if likely else row.correct
    expected = row.shots * ((1 - (row.confidence or 0.0)) if likely else (row.confidence or 0.0))
    return occurred > 0 or expected >= 1


def _is_firm(rate: Interval) -> bool:
    return rate.low > 0 and rate.high < 1 and math.log(_odds(rate.high) / _odds(rate.low)) <= _FIRM


def _caption(shown: Sequence[ReliabilityRow], bins: int) -> list[str]:
    rates = [came_true(row) for row in shown]
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


def _dress(axes: Axes, shown: Sequence[ReliabilityRow]) -> None:
    """Scales, limits, ticks and the diagonal."""
    rates = [came_true(row) for row in shown]
    values = [_inside(row.confidence or 0.0) for row in shown]
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
    low, high = max(rate.low, min(_EDGE, rate.value)), min(rate.high, max(1 - _EDGE, rate.value))
    return replace(rate, low=low, high=high)


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
    axis.set_major_formatter(_Probabilities())
    axis.set_minor_formatter(NullFormatter())
    grid(axis)


class _Probabilities(Numbers):
    """Labels 0.5, 0.9 and 0.99, or powers of ten and what they leave to one."""

    def is_short(self, value: float) -> bool:
        return 1e-3 < value < 0.9985

    def text(self, value: float, *, powers: bool) -> str:
        if not powers or math.isclose(value, 0.5):
            return f"{value:.6g}"
        if value < 0.5:
            return number(value, powers=True)
        # the difference from one has lost the digits that the mantissa of a power of ten would show
        return f"1 - {number(float(f'{1 - value:.3g}'), powers=True)}".replace("1 - $", "$1 - ")
