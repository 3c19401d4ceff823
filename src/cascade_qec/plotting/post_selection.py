"""What is left of the block error when the shots that a decoder is least sure of are discarded."""

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.panels import (
    bars_caption,
    draw_rates,
    finish,
    grid,
    log_axis,
    make_panels,
    number,
    sidestep,
)
from cascade_qec.plotting.style import label_of, looks, styled
from cascade_qec.plotting.tables import PostSelectionLine
from cascade_qec.statistics import wilson

_ERROR = "block error of accepted shots"


def post_selection_figure(lines: Sequence[PostSelectionLine], *, title: str | None = None) -> Figure:
    """Block error of the accepted shots against the fraction discarded, one panel for each experiment.

    There is a curve for each decoder and method. The horizontal axis is logarithmic but for its beginning, where
    nothing is discarded.

    Raises
    ------
    CascadeError
        If there are no lines, or two of one method with one threshold.
    """
    if not lines:
        raise CascadeError("expected rows to plot, got 0 rows")
    panels: dict[tuple, list[PostSelectionLine]] = {}
    for line in lines:
        panels.setdefault((line.code, line.p, line.rounds, "".join(sorted(line.basis))), []).append(line)
    names = _names(lines)
    look = looks(names.values())
    with styled():
        figure, axes = make_panels(len(panels), y_label=_ERROR)
        for here, (key, inside) in zip(axes, panels.items(), strict=True):
            discards = [wilson(line.shots - line.accepted, line.shots) for line in inside]
            smallest = min((rate.value for rate in discards if rate.value), default=0.1)
            for label in dict.fromkeys(names[_series(line)] for line in inside):
                curve = sorted(
                    (line for line in inside if names[_series(line)] == label), key=lambda line: -line.accepted
                )
                if len({(line.threshold, line.discard) for line in curve}) != len(curve):
                    raise CascadeError(f"expected one row for each threshold; some of {label} on {key[0]} occur twice")
                discarded = [wilson(line.shots - line.accepted, line.shots) for line in curve]
                draw_rates(
                    here,
                    [rate.value for rate in discarded],
                    [line.rate for line in curve],
                    look[label],
                    label=label,
                    x_bars=[(rate.value - rate.low, rate.high - rate.value) for rate in discarded],
                )
            # the last decade below the smallest fraction is linear, down to none
            here.set_xscale("symlog", linthresh=10 ** math.floor(math.log10(smallest)), linscale=0.5)
            here.set_xlim(-0.2 * 10 ** math.floor(math.log10(smallest)), None)
            grid(here.xaxis)
            log_axis(here.yaxis, [end for line in inside for end in (line.rate.value, line.rate.high)])
            here.set_xlabel("fraction of shots discarded")
            here.set_title(_title(*key))
        finish(
            figure,
            {label: look[label] for label in names.values()},
            bars_caption([line.rate for line in lines]),
            title=title,
        )
    return figure


def post_selection_against_noise_figure(
    lines: Sequence[PostSelectionLine], discards: Sequence[float], *, title: str | None = None
) -> Figure:
    """Block error of the accepted shots against p, one panel for each experiment and fraction discarded.

    Parameters
    ----------
    lines
        With the fraction that each threshold was to discard.
    discards
        Which of these to draw.
    title
        Above all panels.

    Raises
    ------
    CascadeError
        If no line has such a fraction, or two of one method have it at one p.
    """
    chosen = [line for line in lines if line.discard is not None and _any_close(line.discard, discards)]
    if not chosen:
        there = sorted({line.discard for line in lines if line.discard is not None})
        raise CascadeError(
            f"expected rows with a column discard of {', '.join(f'{d:g}' for d in discards)}, "
            f"got {', '.join(f'{d:g}' for d in there) or 'rows without that column'}"
        )
    panels: dict[tuple, list[PostSelectionLine]] = {}
    for line in sorted(chosen, key=lambda line: (line.code, line.discard)):
        panels.setdefault((line.code, line.rounds, "".join(sorted(line.basis)), line.discard), []).append(line)
    names = _names(chosen)
    look = looks(names.values())
    with styled():
        figure, axes = make_panels(len(panels), y_label=_ERROR)
        for here, ((code, _, basis, discard), inside) in zip(axes, panels.items(), strict=True):
            labels = list(dict.fromkeys(names[_series(line)] for line in inside))
            for place, label in enumerate(labels):
                curve = sorted((line for line in inside if names[_series(line)] == label), key=lambda line: line.p)
                if len({line.p for line in curve}) != len(curve):
                    raise CascadeError(f"expected one row for each p; some of {label} on {code} occur twice")
                step = sidestep(place, len(labels))
                draw_rates(
                    here,
                    [100 * line.p * step for line in curve],
                    [line.rate for line in curve],
                    look[label],
                    label=label,
                )
            percents = sorted({100 * line.p for line in inside})
            log_axis(here.xaxis, percents, at=percents)
            log_axis(here.yaxis, [end for line in inside for end in (line.rate.value, line.rate.high)])
            here.set_xlabel("noise p (%)")
            here.set_title(f"{code}, basis {basis}, {number(100 * discard)} % discarded")
        # panels are there to be compared
        low, high = min(here.get_ylim()[0] for here in axes), max(here.get_ylim()[1] for here in axes)
        for here in axes:
            here.set_ylim(low, high)
        caption = bars_caption([line.rate for line in chosen])
        finish(figure, {label: look[label] for label in names.values()}, caption, title=title)
    return figure


def _series(line: PostSelectionLine) -> tuple[str, str]:
    return label_of(line.decoder, line.code), line.method


def _names(lines: Sequence[PostSelectionLine]) -> dict[tuple[str, str], str]:
    return {_series(line): f"{label_of(line.decoder, line.code)} ({line.method})" for line in lines}


def _any_close(value: float, others: Sequence[float]) -> bool:
    return any(math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-12) for other in others)


def _title(code: str, p: float, rounds: int, basis: str) -> str:
    return f"{code}, p = {number(100 * p)} %, {rounds} rounds, basis {basis}"
