"""Suppression of the error by two steps of distance, as bars."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fit_row import FitRow
from cascade_qec.plotting.panels import check_once, finish, grouped, linear_axis, make_panels, number
from cascade_qec.plotting.style import Look, label_of, looks, styled

PARAMETER = "lambda"
# In black and white, what colours do; the more so as bars have no markers.
_HATCHES = ("", "///", "...", "xxx", "\\\\\\", "++", "oo", "--", "**", "||")


def lambda_figure(rows: Sequence[FitRow], *, title: str | None = None) -> Figure:
    """Factor Lambda by which the error falls from d to d + 2, one panel for each code and p, one bar for each decoder.

    Of fitted parameters those called "lambda" are drawn.

    Raises
    ------
    CascadeError
        If there is none, one that is not positive, or two of one decoder at one place.
    """
    chosen = [row for row in rows if row.parameter == PARAMETER]
    if not chosen:
        there = ", ".join(sorted({row.parameter for row in rows}))
        raise CascadeError(f"expected rows of the parameter {PARAMETER}, got {there or 'no rows'}")
    for row in chosen:
        if row.value is None or not (math.isfinite(row.value) and row.value > 0):
            raise CascadeError(f"expected a positive {PARAMETER} of {row.decoder} on {row.code}, got {row.value}")
    panels = grouped(chosen, lambda row: (row.code, row.p, row.rounds, "".join(sorted(row.bases))))
    look = looks(map(_label, chosen))
    hatches = dict(zip(dict.fromkeys(map(_label, chosen)), _HATCHES * len(chosen), strict=False))
    with styled():
        figure, axes = make_panels(len(panels), y_label="suppression Λ from d to d + 2")
        for here, ((code, p, rounds, basis), inside) in zip(axes, panels.items(), strict=True):
            labels = [_label(row) for row in inside]
            check_once(labels, f"{PARAMETER} on {code}")
            for place, (label, row) in enumerate(zip(labels, inside, strict=True)):
                _draw_bar(here, place, row, look[label], hatches[label])
            here.set_xticks(range(len(labels)), labels, rotation=25, ha="right", rotation_mode="anchor")
            linear_axis(here.yaxis)
            here.set_ylim(0, None)
            parts = [code]
            if p is not None:
                parts.append(f"p = {number(100 * p)} %")
            if len({row.rounds for row in chosen}) > 1:
                parts.append(rounds)
            if len(basis) == 1:
                parts.append(f"basis {basis}")
            here.set_title(", ".join(parts))
        finish(figure, {}, ["Bars with caps: 95 % intervals; an arrow: no upper end."], title=title)
    return figure


def _label(row: FitRow) -> str:
    """Models of several distances are one decoder: "cascade:surface_d*_large" is "cascade large"."""
    return label_of(row.decoder, "surface_d*")


def _draw_bar(axes: Axes, place: int, row: FitRow, look: Look, hatch: str) -> None:
    value = row.value or 0.0
    axes.bar([place], [value], width=0.7, color=look.color, edgecolor="white", hatch=hatch, label=_label(row))
    low = value if row.value_low is None else max(0.0, row.value_low)
    bounded = row.value_high is not None and math.isfinite(row.value_high)
    up = (row.value_high or 0.0) - value if bounded else 0.0
    style: dict[str, Any] = {"color": "black", "fmt": "none", "elinewidth": 1.0}
    caps = axes.errorbar([place], [value], yerr=[[value - low], [up]], capsize=3.0, **style)
    for part in caps.get_children():
        # or it would be lost on a dark bar
        part.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
    if not bounded:
        axes.errorbar([place], [value], yerr=[[0.0], [0.3 * value]], lolims=True, **style)
