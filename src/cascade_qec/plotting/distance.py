"""Error rates against the distance of the code."""

from collections.abc import Sequence

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.curves import Dot, curves_figure
from cascade_qec.plotting.panels import linear_axis, number
from cascade_qec.plotting.points import PER_LABELS, Point, family_of, rank_of


def distance_figure(points: Sequence[Point], *, per: str = "cycle", title: str | None = None) -> Figure:
    """Rates against the distance, one panel for each family of codes, p and basis, one curve for each decoder.

    Experiments of d rounds and those of another number of rounds go to different panels, which are in the order of p.

    Raises
    ------
    CascadeError
        If there are no points, one is of a code of unknown distance, or two of one decoder are at one place.
    """
    for point in points:
        if point.d is None:
            raise CascadeError(f"expected codes of known distance, got {point.code} without one")
    points = sorted(points, key=lambda point: (rank_of(family_of(point.code)), point.p))
    bases, noises = {point.basis for point in points}, {point.noise for point in points}

    def panel(point: Point) -> str:
        parts = []
        if len(point.basis) == 1 or len(bases) > 1:
            parts.append(f"basis {point.basis}")
        if point.rounds != point.d:
            parts.append(f"{point.rounds} rounds")
        if len(noises) > 1:
            parts.append(point.noise)
        first = f"{family_of(point.code)}, p = {number(100 * point.p)} %"
        return "\n".join([first, ", ".join(parts)]) if parts else first

    def dress(axis: Axis, distances: list[float]) -> None:
        linear_axis(axis)
        axis.set_major_locator(FixedLocator(sorted(set(distances))))
        axis.axes.set_xlim(min(distances) - 0.5, max(distances) + 0.5)

    return curves_figure(
        [Dot(panel(point), point.label, point.d or 0, point.rate(per)) for point in points],
        dress,
        y_label=PER_LABELS[per],
        x_label="distance d",
        # a point beside its distance would be taken for another one
        beside=lambda d, _: d,
        notes=["As many rounds as the distance, unless said."],
        title=title,
    )
