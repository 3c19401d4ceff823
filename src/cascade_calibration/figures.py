"""Figures of verdicts: data, fit, residuals, and what went wrong."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascade_calibration.analysis import Curve, Map, Verdict
from cascade_calibration.measurement import SHOT, Measurement
from cascade_calibration.units import with_prefix

_DATA, _FIT, _OUTLIER = "#0072B2", "#D55E00", "#7F7F7F"
_MOST = 4
"""Variables that are drawn of one measurement."""


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


def draw_data(measurement: Measurement) -> Figure:
    """The data alone, every variable in axes of its own: lines, maps, and single shots as points of the plane."""
    names = [name for name in measurement.dataset.data_vars if not str(name).endswith("_error")][:_MOST]
    figure = Figure(figsize=(6.4, 3.2 * len(names)), layout="constrained")
    for axes, name in zip(figure.subplots(len(names), squeeze=False)[:, 0], names, strict=True):
        data = measurement.dataset[name]
        swept = [str(one) for one in data.dims if one != SHOT]
        if not swept:
            axes.scatter(np.real(data.values), np.imag(data.values), s=2, color=_DATA)
            axes.set_aspect("equal")
            axes.set(title=str(name), xlabel="I", ylabel="Q")
            continue
        data = data.mean(SHOT, keep_attrs=True) if SHOT in data.dims else data
        x = data.coords[swept[-1]]
        axes.set_xlabel(f"{swept[-1]} [{x.attrs['units']}]")
        if len(swept) == 1:
            for part in (np.real, np.imag) if np.iscomplexobj(data) else (np.real,):
                axes.plot(x, part(data.values), ".-", linewidth=0.5)
            axes.set_ylabel(f"{name} [{data.attrs['units']}]")
        else:
            y = data.coords[swept[-2]]
            values = np.abs(data.values) if np.iscomplexobj(data) else data.values
            flat = values.reshape(-1, *values.shape[-2:])[0]
            figure.colorbar(axes.pcolormesh(x, y, flat, shading="nearest"), ax=axes, label=str(name))
            axes.set_ylabel(f"{swept[-2]} [{y.attrs['units']}]")
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
