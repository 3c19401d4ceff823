"""Figures of verdicts: data, fit, residuals, and what went wrong."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascade_calibration.analysis import Curve, Map, Verdict
from cascade_calibration.units import with_prefix

_DATA, _FIT, _OUTLIER = "#0072B2", "#D55E00", "#7F7F7F"


def draw(verdict: Verdict, title: str = "") -> Figure:
    """A verdict's picture, with its status and why."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    picture = verdict.picture
    heading = f"{title or verdict.family}: {verdict.status} ({verdict.probability:.0%})"
    if isinstance(picture, Map):
        axes = figure.subplots()
        _map(axes, picture, figure)
    elif picture is not None:
        if picture.fit is None:
            axes = figure.subplots()
            _curve(axes, None, picture)
        else:
            axes, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
            _curve(axes, below, picture)
    else:
        axes = figure.subplots()
    axes.set_title(heading, loc="left")
    figure.supxlabel("\n".join(verdict.sentences), fontsize="small", x=0.02, ha="left")
    return figure


def _curve(axes: Axes, below: Axes | None, picture: Curve) -> None:
    wide, x_unit = with_prefix(picture.x_unit, *picture.x)
    high, y_unit = with_prefix(picture.y_unit, *picture.y)
    x, y = wide * picture.x, high * picture.y
    used = ~picture.outliers if picture.outliers is not None else [True] * len(x)
    axes.plot(x[used], y[used], "o", color=_DATA, markersize=4, label="data")
    if picture.outliers is not None and picture.outliers.any():
        axes.plot(x[picture.outliers], y[picture.outliers], "x", color=_OUTLIER, label="left out")
    if picture.fine_x is not None and picture.fine_fit is not None:
        axes.plot(wide * picture.fine_x, high * picture.fine_fit, "-", color=_FIT, label="fit")
    elif picture.fit is not None:
        axes.plot(x, high * picture.fit, "-", color=_FIT, label="fit")
    for name, place in picture.marks.items():
        if picture.x[0] <= place <= picture.x[-1]:
            axes.axvline(wide * place, color=_FIT, linestyle=":")
            axes.annotate(name, (wide * place, 1), xycoords=("data", "axes fraction"), va="top", ha="left")
    axes.set_ylabel(f"signal{f' [{y_unit}]' if y_unit else ''}")
    axes.legend(loc="best", fontsize="small")
    last = axes
    if below is not None and picture.fit is not None:
        rest = y - high * picture.fit
        below.axhline(0, color=_FIT, linewidth=1)
        below.plot(x[used], rest[used], "o", color=_DATA, markersize=3)
        below.set_ylabel("residuals")
        last = below
    last.set_xlabel(f"{picture.axis}{f' [{x_unit}]' if x_unit else ''}")


def _map(axes: Axes, picture: Map, figure: Figure) -> None:
    wide, x_unit = with_prefix(picture.x_unit, *picture.x)
    high, y_unit = with_prefix(picture.y_unit, *picture.y)
    mesh = axes.pcolormesh(wide * picture.x, high * picture.y, picture.values, shading="nearest")
    figure.colorbar(mesh, ax=axes)
    for name, (x, y) in picture.lines.items():
        axes.plot(wide * x, high * y, "--", color=_FIT, label=name)
    axes.set_xlabel(f"{picture.x_axis}{f' [{x_unit}]' if x_unit else ''}")
    axes.set_ylabel(f"{picture.y_axis}{f' [{y_unit}]' if y_unit else ''}")
    if picture.lines:
        axes.legend(loc="best", fontsize="small")
