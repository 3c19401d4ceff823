"""Time for a round at the roofline of devices, against the width of the network."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.panels import check_once, draw_budgets, finish, grouped, log_axis, make_panels
from cascade_qec.plotting.style import Look, looks, styled
from workshop.roofline.table import RooflineRow

LATENCY = "latency_per_round"
_ARCHITECTURES = {
    "convolution": Look("#0072B2", "o", "-"),
    "depthwise": Look("#D55E00", "s", "--"),
    "local attention": Look("#009E73", "^", "-."),
    "full attention": Look("#CC79A7", "D", ":"),
}


def roofline_figure(rows: Sequence[RooflineRow], *, quantity: str = LATENCY, title: str | None = None) -> Figure:
    """A quantity against the width, one panel for each code and device, one curve for each architecture.

    These figures are computed, so they have no intervals.

    Parameters
    ----------
    rows
        Of any quantities.
    quantity
        Which of them to draw; the time for one round by default.
    title
        Above all panels.

    Raises
    ------
    CascadeError
        If there is no such quantity, one that is not positive, or two of one network.
    """
    chosen = [row for row in rows if row.quantity == quantity]
    if not chosen:
        there = ", ".join(sorted({row.quantity for row in rows}))
        raise CascadeError(f"expected rows of the quantity {quantity}, got {there or 'no rows'}")
    unit = chosen[0].unit
    if any(row.value <= 0 or row.unit != unit for row in chosen):
        raise CascadeError(f"expected positive values of {quantity} in one unit, got others")
    panels = grouped(chosen, lambda row: f"{row.code}, {row.device}" if row.device else row.code)
    names = _names(chosen)
    look = looks(names.values(), _ARCHITECTURES)
    words = quantity.replace("_", " ") + ("" if unit in ("", "1") else f" ({unit.replace('us', 'µs')})")
    with styled():
        figure, axes = make_panels(len(panels), y_label=words)
        for here, (panel, inside) in zip(axes, panels.items(), strict=True):
            for label, curve in grouped(inside, lambda row: names[_series(row)]).items():
                check_once([row.width for row in curve], f"{label} on {panel}")
                curve.sort(key=lambda row: row.width)
                widths, values = [row.width for row in curve], [row.value for row in curve]
                here.plot(widths, values, label=label, **look[label].line())
            every = sorted({float(row.width) for row in inside})
            log_axis(here.xaxis, every, ticked=True)
            log_axis(here.yaxis, [row.value for row in inside])
            here.margins(0.08)
            if unit == "us":
                draw_budgets(here, here.yaxis)
            here.set_xlabel("width H")
            here.set_title(panel)
        finish(figure, look, ["Computed at full use of the device, not measured."], title=title)
    return figure


def _series(row: RooflineRow) -> tuple[str, str, int]:
    return row.architecture, row.code, row.depth


def _names(rows: Sequence[RooflineRow]) -> dict[tuple[str, str, int], str]:
    """Names of architectures, with the depth where a code has several."""
    series = dict.fromkeys(map(_series, rows))
    depths = {code: {depth for _, other, depth in series if other == code} for _, code, _ in series}
    return {
        one: one[0].replace("_", " ") + (f" ({one[2]} blocks)" if len(depths[one[1]]) > 1 else "") for one in series
    }
