"""Error rates against the distance of the code."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.curves import Dot, draw_curves
from cascade_qec.plotting.panels import bars_caption, finish, linear_axis, number
from cascade_qec.plotting.points import PER_LABELS, Point, check_per, family_of, rank_of
from cascade_qec.plotting.style import looks, styled


def distance_figure(points: Sequence[Point], *, per: str = "cycle", title: str | None = None) -> Figure:
    """Rates against the distance, one panel for each family of codes, p and basis, one curve for each decoder.

    Experiments of d rounds and those of another number of rounds go to different panels.

    Parameters
    ----------
    points
        Results; panels are in the order of p.
    per
        "block" or "cycle".
    title
        Above all panels.

    Raises
    ------
    CascadeError
        If there are no points, one is of a code of unknown distance, or two of one decoder are at one place.
    """
    check_per(per)
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

    look = looks(point.label for point in points)
    with styled():
        figure, panels = draw_curves(
            [Dot(panel(point), point.label, point.d or 0, point.rate(per)) for point in points],
            look,
            y_label=PER_LABELS[per],
            x_label="distance d",
            # a point beside its distance would be taken for another one
            beside=lambda d, _: d,
        )
        for name, axes in panels.items():
            distances = sorted({point.d or 0 for point in points if panel(point) == name})
            linear_axis(axes.xaxis)
            axes.xaxis.set_major_locator(FixedLocator(distances))
            axes.set_xlim(distances[0] - 0.5, distances[-1] + 0.5)
        caption = [*bars_caption(point.rate(per) for point in points), "As many rounds as the distance, unless said."]
        finish(figure, look, caption, title=title)
    return figure
