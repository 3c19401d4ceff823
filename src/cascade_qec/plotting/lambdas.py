"""Suppression of the error by two steps of distance, as bars."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.panels import finish, linear_axis, make_panels, number
from cascade_qec.plotting.style import Look, label_of, looks, styled
from cascade_qec.plotting.tables import FitLine

PARAMETER = "lambda"
# In black and white, what colours do; the more so as bars have no markers.
_HATCHES = ("", "///", "...", "xxx", "\\\\\\", "++", "oo", "--", "**", "||")


def lambda_figure(lines: Sequence[FitLine], *, title: str | None = None) -> Figure:
    """Factor Lambda by which the error falls from d to d + 2, one panel for each code and p, one bar for each decoder.

    Parameters
    ----------
    lines
        Fitted parameters, of which those called "lambda" are drawn.
    title
        Above all panels.

    Raises
    ------
    CascadeError
        If there is none, one that is not positive, or two of one decoder at one place.
    """
    chosen = [line for line in lines if line.parameter.lower() == PARAMETER]
    if not chosen:
        there = ", ".join(sorted({line.parameter for line in lines}))
        raise CascadeError(f"expected rows of the parameter {PARAMETER}, got {there or 'no rows'}")
    panels: dict[tuple, list[FitLine]] = {}
    for line in chosen:
        if line.value is None or not (math.isfinite(line.value) and line.value > 0):
            raise CascadeError(f"expected a positive {PARAMETER} of {line.decoder} on {line.code}, got {line.value}")
        panels.setdefault((line.code, line.p, line.rounds, line.basis), []).append(line)
    decoders = list(dict.fromkeys(_label(line) for line in chosen))
    several_rounds = len({line.rounds for line in chosen}) > 1
    look = looks(decoders)
    hatches = {decoder: _HATCHES[i % len(_HATCHES)] for i, decoder in enumerate(decoders)}
    with styled():
        figure, axes = make_panels(len(panels), y_label="suppression Λ from d to d + 2")
        for here, ((code, p, rounds, basis), inside) in zip(axes, panels.items(), strict=True):
            if len({_label(line) for line in inside}) != len(inside):
                raise CascadeError(f"expected one {PARAMETER} for each decoder, code and p; some on {code} occur twice")
            for place, line in enumerate(inside):
                _draw_bar(here, place, line, look[_label(line)], hatches[_label(line)])
            here.set_xticks(
                range(len(inside)), [_label(line) for line in inside], rotation=25, ha="right", rotation_mode="anchor"
            )
            linear_axis(here.yaxis)
            here.set_ylim(0, None)
            parts = [code]
            if p is not None:
                parts.append(f"p = {number(100 * p)} %")
            if several_rounds:
                parts.append(rounds)
            if len(basis) == 1:
                parts.append(f"basis {basis}")
            here.set_title(", ".join(parts))
        finish(figure, {}, ["Bars with caps: 95 % intervals; an arrow: no upper end."], title=title)
    return figure


def _label(line: FitLine) -> str:
    """Models of several distances are one decoder: "cascade:surface_d*_large" is "cascade large"."""
    return label_of(line.decoder, "surface_d*")


def _draw_bar(axes: Axes, place: int, line: FitLine, look: Look, hatch: str) -> None:
    axes.bar(
        [place], [line.value or 0.0], width=0.7, color=look.color, edgecolor="white", hatch=hatch, label=_label(line)
    )
    value = line.value or 0.0
    low = value if line.value_low is None else max(0.0, line.value_low)
    high = math.inf if line.value_high is None else line.value_high
    style: dict[str, Any] = {"color": "black", "fmt": "none", "elinewidth": 1.0}
    up = high - value if math.isfinite(high) else 0.0
    axes.errorbar([place], [value], yerr=[[value - low], [up]], capsize=3.0, **style)
    if not math.isfinite(high):
        axes.errorbar([place], [value], yerr=[[0.0], [0.3 * value]], lolims=True, **style)
