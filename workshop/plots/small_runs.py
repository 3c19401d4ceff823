"""What mixers learn by, and what depth buys: figures of the studies of small networks."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.curves import draw_rates
from cascade_qec.plotting.panels import finish, grouped, log_axis, make_panels
from cascade_qec.plotting.style import Look, looks, styled
from workshop.studies.small_runs import Row, final, pooled

_MIXERS = {
    "convolution": Look("#0072B2", "o", "-"),
    "depthwise": Look("#7A4B1E", "s", (0, (6, 2))),
    "local_attention": Look("#009E73", "^", "-."),
    "full_attention": Look("#CC79A7", "D", ":"),
}
_NOTE = "Bars and bands: 95 % intervals."


def mixers_figure(rows: Sequence[Row], *, title: str | None = None) -> Figure:
    """Block error against shots and against multiply-accumulates of training: a curve for each mixer and seed.

    Runs at other than the highest learning rate are left out.

    Raises
    ------
    CascadeError
        If there is no run, or runs are of several experiments.
    """
    rate = max((row.muon_lr for row in rows), default=0)
    runs = [row for row in rows if row.muon_lr == rate > 0]
    codes = sorted({row.code for row in runs})
    if len(codes) != 1:
        raise CascadeError(f"expected runs on one code, got those on {', '.join(codes) or 'none'}")
    curves = grouped(runs, lambda row: (row.decoder, row.seed))
    rivals = [row for row in rows if not row.training_shots]
    look = looks((label for label, _ in curves), _MIXERS) | looks(row.decoder for row in rivals)
    with styled():
        figure, panels = make_panels(2, y_label="block error")
        for axes, cost in zip(panels, ("training_shots", "training_macs"), strict=True):
            for (label, _), curve in curves.items():
                at = [getattr(row, cost) for row in curve]
                draw_rates(axes, at, [row.block_error for row in curve], look[label], label=label, quiet=True)
            _bands(axes, rivals, look)
            log_axis(axes.xaxis, [getattr(row, cost) for curve in curves.values() for row in curve])
            log_axis(axes.yaxis, [row.block_error.value for curve in [*curves.values(), rivals] for row in curve])
            axes.set_xlabel(cost.replace("_", " ").replace("macs", "multiply-accumulates"))
        shown = {label.replace("_", " "): one for label, one in look.items()}
        finish(figure, shown, [_NOTE, "A curve for each seed."], title=title)
    return figure


def depths_figure(rows: Sequence[Row], *, title: str | None = None) -> Figure:
    """Block error at the end against the number of blocks, a panel for each code; seeds are pooled.

    Raises
    ------
    CascadeError
        If there is no run.
    """
    if not any(row.depth for row in rows):
        raise CascadeError("expected runs of several depths, got none")
    ends = grouped(final(rows), lambda row: row.code)
    look = {"convolution": _MIXERS["convolution"]} | looks(row.decoder for row in rows if not row.depth)
    with styled():
        figure, panels = make_panels(len(ends), y_label="block error")
        for axes, (code, inside) in zip(panels, ends.items(), strict=True):
            depths = grouped(sorted((row for row in inside if row.depth), key=_depth), _depth)
            errors = [pooled(seeds) for seeds in depths.values()]
            draw_rates(axes, list(depths), errors, look["convolution"], label="convolution")
            rivals = [row for row in inside if not row.depth]
            _bands(axes, rivals, look)
            log_axis(axes.xaxis, [float(depth) for depth in depths], ticked=True)
            log_axis(axes.yaxis, [error.value for error in [*errors, *(row.block_error for row in rivals)]])
            axes.set_xlabel("blocks L")
            axes.set_title(code)
        finish(figure, look, [_NOTE], title=title)
    return figure


def _bands(axes: Axes, rivals: Sequence[Row], look: dict[str, Look]) -> None:
    """Rivals, which learn nothing, as horizontal lines."""
    for row in rivals:
        rate, one = row.block_error, look[row.decoder]
        axes.axhspan(rate.low, rate.high, color=one.color, alpha=0.12, linewidth=0)
        axes.axhline(rate.value, color=one.color, linestyle=one.linestyle, label=row.decoder)


def _depth(row: Row) -> int:
    return row.depth
