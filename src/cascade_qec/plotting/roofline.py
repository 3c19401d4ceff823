"""Time for a round at the roofline of devices, against the width of the network."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.panels import draw_budgets, finish, log_axis, make_panels
from cascade_qec.plotting.style import Look, looks, styled
from cascade_qec.plotting.tables import RooflineLine

LATENCY = "latency_per_round"
_ARCHITECTURES = {
    "convolution": Look("#0072B2", "o", "-"),
    "depthwise": Look("#D55E00", "s", "--"),
    "local attention": Look("#009E73", "^", "-."),
    "full attention": Look("#CC79A7", "D", ":"),
}


def roofline_figure(lines: Sequence[RooflineLine], *, quantity: str = LATENCY, title: str | None = None) -> Figure:
    """A quantity against the width, one panel for each code and device, one curve for each architecture.

    These figures are computed, so they have no intervals.

    Parameters
    ----------
    lines
        Rows of any quantities.
    quantity
        Which of them to draw; the time for one round by default.
    title
        Above all panels.

    Raises
    ------
    CascadeError
        If there is no such quantity, one that is not positive, or two of one network.
    """
    chosen = [line for line in lines if line.quantity == quantity]
    if not chosen:
        there = ", ".join(sorted({line.quantity for line in lines}))
        raise CascadeError(f"expected rows of the quantity {quantity}, got {there or 'no rows'}")
    if any(line.value <= 0 for line in chosen) or len({line.unit for line in chosen}) > 1:
        raise CascadeError(f"expected positive values of {quantity} in one unit, got others")
    panels: dict[tuple[str, str], list[RooflineLine]] = {}
    for line in chosen:
        panels.setdefault((line.code, line.device), []).append(line)
    names = _names(chosen)
    look = looks(names.values(), _ARCHITECTURES)
    with styled():
        figure, axes = make_panels(len(panels), y_label=_axis_label(quantity, chosen[0].unit))
        for here, ((code, device), inside) in zip(axes, panels.items(), strict=True):
            for label in dict.fromkeys(names[_series(line)] for line in inside):
                curve = sorted((line for line in inside if names[_series(line)] == label), key=lambda line: line.width)
                if len({line.width for line in curve}) != len(curve):
                    raise CascadeError(f"expected one row for each width; some of {label} on {code} occur twice")
                here.plot(
                    [line.width for line in curve], [line.value for line in curve], label=label, **look[label].line()
                )
            widths = sorted({float(line.width) for line in inside})
            log_axis(here.xaxis, widths, at=widths)
            log_axis(here.yaxis, [line.value for line in inside])
            here.margins(0.08)
            if chosen[0].unit == "us":
                draw_budgets(here, here.yaxis)
            here.set_xlabel("width H")
            here.set_title(f"{code}, {device}" if device else code)
        order = dict.fromkeys(names.values())
        finish(
            figure,
            {label: look[label] for label in order},
            ["Computed at full use of the device, not measured."],
            title=title,
        )
    return figure


def _axis_label(quantity: str, unit: str) -> str:
    words = quantity.replace("_", " ")
    return words if unit in ("", "1") else f"{words} ({unit.replace('us', 'µs')})"


def _series(line: RooflineLine) -> tuple[str, str, int]:
    return line.architecture, line.code, line.depth


def _names(lines: Sequence[RooflineLine]) -> dict[tuple[str, str, int], str]:
    """Names of architectures, with the depth where a code has several."""
    series = dict.fromkeys(map(_series, lines))
    depths = {code: {depth for _, other, depth in series if other == code} for _, code, _ in series}
    return {
        one: one[0].replace("_", " ") + (f" ({one[2]} blocks)" if len(depths[one[1]]) > 1 else "") for one in series
    }
