"""What a logical head gains by a trunk that has learnt local labels: the figure of that study."""

from collections.abc import Callable, Sequence

from matplotlib.figure import Figure

from cascade_qec.plotting.curves import draw_rates
from cascade_qec.plotting.panels import finish, grouped, log_axis, make_panels
from cascade_qec.plotting.style import Look, styled
from workshop.studies.local_first import Row

_LOOKS = {
    "logical": Look("#0072B2", "o", "-"),
    "local first": Look("#D55E00", "s", "--"),
    "shipped trunk": Look("#009E73", "^", "-."),
    "local head": Look("#CC79A7", "D", "none"),
}
_COSTS: dict[str, Callable[[Row], float]] = {
    "training shots": lambda row: row.local_shots + row.logical_shots,
    "processor seconds of training": lambda row: row.seconds,
}
_NOTES = (
    "A curve for each seed; bars: 95 % intervals. Shots and seconds are those of both stretches, without what the "
    "shipped model had learnt before."
)


def local_first_figure(rows: Sequence[Row], *, title: str | None = None) -> Figure:
    """Block error of the logical head against shots and processor time, a pair of panels for each code.

    Raises
    ------
    CascadeError
        If there is no row.
    """
    codes = grouped(rows, lambda row: (row.code, row.p))
    with styled():
        figure, panels = make_panels(2 * len(codes), y_label="block error")
        for number, ((code, p), of_code) in enumerate(codes.items()):
            for axes, (name, cost) in zip(panels[2 * number :], _COSTS.items(), strict=False):
                for (arm, _), curve in grouped(of_code, lambda row: (row.arm, row.seed)).items():
                    errors = [row.block_error for row in curve]
                    draw_rates(axes, list(map(cost, curve)), errors, _LOOKS[arm], label=arm, quiet=True)
                log_axis(axes.xaxis, map(cost, of_code))
                log_axis(axes.yaxis, [row.block_error.value for row in of_code])
                axes.set_xlabel(name)
                axes.set_title(f"{code}, p = {100 * p:g} %")
        finish(figure, {arm: _LOOKS[arm] for arm in grouped(rows, lambda row: row.arm)}, [_NOTES], title=title)
    return figure
