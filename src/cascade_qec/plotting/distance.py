"""Error rates against the distance of the code."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.panels import bars_caption, draw_rates, finish, linear_axis, log_axis, make_panels, number
from cascade_qec.plotting.points import PER_LABELS, Point, check_per
from cascade_qec.plotting.style import looks, styled

_FAMILIES = {"surface": "surface code", "bb": "bivariate bicycle"}
# Curves at one distance stand beside each other.
_SIDESTEP = 0.1


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
    if not points:
        raise CascadeError("expected rows to plot, got 0 rows")
    for point in points:
        if point.d is None:
            raise CascadeError(f"expected codes of known distance, got {point.code} without one")
    panels: dict[tuple, list[Point]] = {}
    for point in sorted(points, key=lambda point: (point.family, point.p)):
        rounds = "" if point.rounds == point.d else f", {point.rounds} rounds"
        panels.setdefault((point.family, point.p, point.basis, point.noise, rounds), []).append(point)
    bases, noises = {key[2] for key in panels}, {key[3] for key in panels}
    look = looks(point.label for point in points)
    with styled():
        figure, axes = make_panels(len(panels), y_label=PER_LABELS[per])
        for here, (key, inside) in zip(axes, panels.items(), strict=True):
            family, p, basis, noise, rounds = key
            labels = list(dict.fromkeys(point.label for point in inside))
            for place, label in enumerate(labels):
                curve = sorted((point for point in inside if point.label == label), key=lambda point: point.d or 0)
                if len({point.d for point in curve}) != len(curve):
                    raise CascadeError(
                        f"expected one row for each distance, decoder and p; some of {label} at p = {p:g} occur twice"
                    )
                step = _SIDESTEP * (place - (len(labels) - 1) / 2)
                draw_rates(
                    here,
                    [(point.d or 0) + step for point in curve],
                    [point.rate(per) for point in curve],
                    look[label],
                    label=label,
                )
            distances = sorted({point.d or 0 for point in inside})
            linear_axis(here.xaxis)
            here.xaxis.set_major_locator(FixedLocator(distances))
            here.set_xlim(distances[0] - 1, distances[-1] + 1)
            rates = [point.rate(per) for point in inside]
            log_axis(here.yaxis, [end for rate in rates for end in (rate.low, rate.value, rate.high)])
            here.set_xlabel("distance d")
            here.set_title(
                f"{_FAMILIES.get(family, family)}, p = {number(100 * p)} %"
                + (f", basis {basis}" if len(basis) == 1 or len(bases) > 1 else "")
                + rounds
                + (f", {noise}" if len(noises) > 1 else "")
            )
        order = dict.fromkeys(point.label for point in points)
        caption = bars_caption([point.rate(per) for point in points])
        finish(
            figure,
            {label: look[label] for label in order},
            [*caption, "As many rounds as the distance, unless said."],
            title=title,
        )
    return figure
