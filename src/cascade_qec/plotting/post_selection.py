"""What is left of the block error when the shots that a decoder is least sure of are discarded."""

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.tables import PostSelectionRow
from cascade_qec.plotting.curves import Dot, draw_curves
from cascade_qec.plotting.panels import bars_caption, check_once, finish, grouped, log_axis, number, share_axis
from cascade_qec.plotting.style import label_of, looks, styled
from cascade_qec.statistics import Interval, wilson

_ERROR = "block error of accepted shots"


def post_selection_figure(
    rows: Sequence[PostSelectionRow], *, discards: Sequence[float] = (), title: str | None = None
) -> Figure:
    """Block error of the accepted shots, one panel for each experiment, one curve for each decoder and method.

    Parameters
    ----------
    rows
        With the fraction that each threshold was to discard.
    discards
        Draw against p, at these fractions, each with a panel of its own. Without: against the fraction that was
        discarded, which is logarithmic but for its beginning, where nothing is.
    title
        Above all panels.

    Raises
    ------
    CascadeError
        If there are no rows, none with such a fraction, or two of one method at one place.
    """
    if discards:
        return _against_noise(rows, discards, title)
    for label, curve in grouped(rows, lambda row: f"{_label(row)} on {_experiment(row)}").items():
        check_once([(row.threshold, row.discard) for row in curve], label)
    # thresholds between the same two shots are one point
    dots = list(dict.fromkeys(_dot(row) for row in rows))
    look = looks(dot.label for dot in dots)
    with styled():
        figure, panels = draw_curves(
            dots, look, y_label=_ERROR, x_label="fraction of shots discarded", beside=lambda x, _: x
        )
        for axes in panels.values():
            share_axis(axes.xaxis, [dot.x for dot in dots if dot.panel == axes.get_title()])
        finish(figure, look, bars_caption(dot.rate for dot in dots), title=title)
    return figure


def _against_noise(rows: Sequence[PostSelectionRow], discards: Sequence[float], title: str | None) -> Figure:
    chosen = [row for row in rows if any(math.isclose(row.discard, d, abs_tol=1e-12) for d in discards)]
    if not chosen:
        there = sorted({row.discard for row in rows})
        raise CascadeError(
            f"expected rows with a column discard of {', '.join(f'{d:g}' for d in discards)}, "
            f"got {', '.join(f'{d:g}' for d in there)}"
        )
    chosen.sort(key=lambda row: (row.code, row.discard))
    dots = [
        Dot(
            f"{row.code}, basis {''.join(sorted(row.basis))}, {number(100 * row.discard)} % discarded",
            _label(row),
            100 * row.p,
            _rate(row),
        )
        for row in chosen
    ]
    look = looks(dot.label for dot in dots)
    with styled():
        figure, panels = draw_curves(dots, look, y_label=_ERROR, x_label="noise p (%)")
        for panel, axes in panels.items():
            percents = sorted({dot.x for dot in dots if dot.panel == panel})
            log_axis(axes.xaxis, percents, at=percents)
        # panels are there to be compared
        ends = [axes.get_ylim() for axes in panels.values()]
        for axes in panels.values():
            axes.set_ylim(min(low for low, _ in ends), max(high for _, high in ends))
        finish(figure, look, bars_caption(dot.rate for dot in dots), title=title)
    return figure


def _dot(row: PostSelectionRow) -> Dot:
    discarded = wilson(row.shots - row.accepted, row.shots)
    return Dot(_experiment(row), _label(row), discarded.value, _rate(row), across=discarded)


def _rate(row: PostSelectionRow) -> Interval:
    """Block error of the accepted shots; anything if none was accepted."""
    return wilson(row.failures, row.accepted) if row.accepted else Interval(0.0, 0.0, 1.0)


def _label(row: PostSelectionRow) -> str:
    return f"{label_of(row.decoder, row.code)} ({row.method})"


def _experiment(row: PostSelectionRow) -> str:
    return f"{row.code}, p = {number(100 * row.p)} %, {row.rounds} rounds, basis {''.join(sorted(row.basis))}"
