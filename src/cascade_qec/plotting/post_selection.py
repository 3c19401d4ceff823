"""What is left of the block error when the shots that a decoder is least sure of are discarded."""

import math
from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.reliability.tables import PostSelectionRow
from cascade_qec.plotting.curves import Dot, curves_figure
from cascade_qec.plotting.panels import check_once, grouped, log_axis, number, share_axis
from cascade_qec.plotting.style import label_of
from cascade_qec.statistics import Interval, wilson

_ERROR = "block error of accepted shots"
# Block error where no shot was accepted.
_ANYTHING = Interval(0.0, 0.0, 1.0)


def post_selection_figure(
    rows: Sequence[PostSelectionRow], *, discards: Sequence[float] = (), title: str | None = None
) -> Figure:
    """Block error of the accepted shots, one panel for each experiment, one curve for each decoder and method.

    Parameters
    ----------
    discards
        Draw against p, at these fractions, each with a panel of its own. Without: against the fraction that was
        discarded, which is logarithmic but for its beginning, where nothing is.

    Raises
    ------
    CascadeError
        If there are no rows, none with such a fraction, or two of one method at one place.
    """
    if discards:
        return _against_noise(rows, discards, title)
    for label, curve in grouped(rows, lambda row: f"{_label(row)} on {_experiment(row)}").items():
        check_once([(row.threshold, row.discard) for row in curve], label)
    discarded = [wilson(row.shots - row.accepted, row.shots) for row in rows]
    dots = [
        Dot(_experiment(row), _label(row), share.value, row.block_error or _ANYTHING, across=share)
        for row, share in zip(rows, discarded, strict=True)
    ]
    return curves_figure(
        list(dict.fromkeys(dots)),  # thresholds between the same two shots are one point
        share_axis,
        y_label=_ERROR,
        x_label="fraction of shots discarded",
        beside=lambda x, _: x,
        title=title,
    )


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
            row.block_error or _ANYTHING,
        )
        for row in chosen
    ]
    figure = curves_figure(dots, partial(log_axis, ticked=True), y_label=_ERROR, x_label="noise p (%)", title=title)
    # panels are there to be compared
    ends = [axes.get_ylim() for axes in figure.axes]
    for axes in figure.axes:
        axes.set_ylim(min(low for low, _ in ends), max(high for _, high in ends))
    return figure


def _label(row: PostSelectionRow) -> str:
    return f"{label_of(row.decoder, row.code)} ({row.method})"


def _experiment(row: PostSelectionRow) -> str:
    return f"{row.code}, p = {number(100 * row.p)} %, {row.rounds} rounds, basis {''.join(sorted(row.basis))}"
