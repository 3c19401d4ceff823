"""Error rates against the strength of the noise."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.tables import Row
from cascade_qec.files import written_whole

# Okabe and Ito's colours, which the colour-blind can tell apart; markers and dashes do it in black and white.
_STYLES = (
    {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    {"color": "#D55E00", "marker": "s", "linestyle": "--"},
    {"color": "#009E73", "marker": "^", "linestyle": "-."},
    {"color": "#CC79A7", "marker": "D", "linestyle": ":"},
    {"color": "#E69F00", "marker": "v", "linestyle": (0, (5, 1))},
    {"color": "#56B4E9", "marker": "P", "linestyle": (0, (3, 1, 1, 1))},
    {"color": "#000000", "marker": "X", "linestyle": (0, (1, 3))},
)
# Lines up the error bars of decoders at one p beside each other; relative, since the axis is logarithmic.
_SIDESTEP = 0.012


def block_error_figure(rows: Sequence[Row]) -> Figure:
    """Block error against p, one panel for each code and one curve for each decoder.

    Bars are 95 % intervals. A point without a failure has no place on a logarithmic axis: an arrow hangs down
    from the upper end of its interval instead. A decoder looks the same in every panel.

    Parameters
    ----------
    rows
        Results; codes and decoders come in the order in which they first occur.

    Returns
    -------
    matplotlib.figure.Figure
        To be written by :func:`save`.

    Raises
    ------
    CascadeError
        If there are no rows, more than seven decoders, or two rows of one decoder at one point.
    """
    codes = list(dict.fromkeys(row.code for row in rows))
    decoders = list(dict.fromkeys(row.decoder for row in rows))
    if not rows or len(decoders) > len(_STYLES):
        raise CascadeError(
            f"expected rows of 1 to {len(_STYLES)} decoders to plot, got {len(rows)} rows of {len(decoders)}"
        )
    if len({(row.code, row.decoder, row.p) for row in rows}) != len(rows):
        raise CascadeError("expected one row for each code, decoder and p; some occur twice")
    figure = Figure(figsize=(3.4 * len(codes), 3.6), layout="constrained")
    panels = figure.subplots(1, len(codes), squeeze=False)[0]
    for axes, code in zip(panels, codes, strict=True):
        here = [row for row in rows if row.code == code]
        present = [decoder for decoder in decoders if any(row.decoder == decoder for row in here)]
        for place, decoder in enumerate(present):
            curve = sorted((row for row in here if row.decoder == decoder), key=lambda row: row.p)
            step = (1 + _SIDESTEP) ** (place - (len(present) - 1) / 2)
            _draw_curve(axes, curve, step, _STYLES[decoders.index(decoder)])
        _dress(axes, code, sorted({100 * row.p for row in here}))
    panels[0].set_ylabel("block error (any observable wrong)")
    caption = "Bars: 95 % intervals (Wilson)."
    if any(row.failures == 0 for row in rows):
        caption += "\nArrows: no failure, upper end of the interval."
    figure.supxlabel(caption, fontsize="small")
    return figure


def _draw_curve(axes: Axes, curve: Sequence[Row], step: float, style: dict) -> None:
    seen = [(100 * row.p * step, row.block_error) for row in curve if row.failures]
    unseen = [(100 * row.p * step, row.block_error) for row in curve if not row.failures]
    axes.errorbar(
        [p for p, _ in seen],
        [rate.value for _, rate in seen],
        yerr=[
            [rate.value - rate.low for _, rate in seen],
            [rate.high - rate.value for _, rate in seen],
        ],
        label=curve[0].decoder,
        markersize=4.5,
        linewidth=1.2,
        capsize=2.5,
        **style,
    )
    if unseen:
        tops = [rate.high for _, rate in unseen]
        axes.errorbar(
            [p for p, _ in unseen],
            tops,
            yerr=[[top / 2 for top in tops], [0.0 for _ in tops]],
            uplims=True,
            markersize=4.5,
            elinewidth=1.2,
            markerfacecolor="white",
            **{**style, "linestyle": "none"},
        )


def _dress(axes: Axes, code: str, percents: Sequence[float]) -> None:
    axes.set_title(code)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(percents, [f"{percent:g}" for percent in percents])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("noise p (%)")
    axes.grid(True, which="major", linewidth=0.5, alpha=0.5)
    axes.legend(fontsize="small", framealpha=0.9)


def save(figure: Figure, path: Path) -> None:
    """Write a figure; the file appears whole or not at all.

    Parameters
    ----------
    figure
        Any figure.
    path
        Its suffix tells the format, such as .png, .svg or .pdf.

    Raises
    ------
    CascadeError
        If there is no such format or the file cannot be written.
    """
    formats = figure.canvas.get_supported_filetypes()
    suffix = path.suffix.removeprefix(".").lower()
    if suffix not in formats:
        raise CascadeError(f"{path}: expected a suffix of {', '.join(sorted(formats))}, got {path.suffix!r}")
    with written_whole(path) as file:
        figure.savefig(file, format=suffix, dpi=200)
