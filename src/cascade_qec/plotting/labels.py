"""Short labels beside points, where they cover neither each other nor what is drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

FONT_SIZE = 6.5
"""Points."""

# Points between a point and the nearest edge of its label; farther places are tried if nearer ones are taken.
_DISTANCES = (4.5, 8.0, 12.0, 17.0)
# Directions for a label that wants to be at the right: sideways first, since curves are mostly flat, then back.
_DIRECTIONS = ((1, 0), (1, 1), (1, -1), (0, 1), (0, -1), (-1, 1), (-1, -1), (-1, 0))
# Pixels of air around labels.
_AIR = 1.0
# What it costs to cover a whole label's area of another label or of what lies outside of the panel, when a line's
# costs 1: a label on a line can be read, one on another label cannot.
_UNREADABLE = 20.0
# What it costs to take the next direction or the next distance: less than to cover anything.
_LESS_LIKED = 1e-3


@dataclass(frozen=True)
class PointLabel:
    """Text for a point of a panel.

    Attributes
    ----------
    axes
        The panel.
    x, y
        The point, in the panel's data coordinates.
    text, color
        What to write.
    side
        1 if it would best stand at the point's right, -1 for the left.
    """

    axes: Axes
    x: float
    y: float
    text: str
    color: str
    side: int


def place_labels(figure: Figure, labels: Sequence[PointLabel]) -> None:
    """Write labels beside their points, each at the best of some places around it.

    Best is the place at which a label covers the least of lines, markers, error bars, other texts, and of what is
    outside of its panel. Places are taken in the order of `labels`.

    Parameters
    ----------
    figure
        Complete but for these labels: its panels' places and limits are those that count.
    labels
        Of any of its panels.
    """
    if not labels:
        return
    # Lays the panels out, without which nothing has a place yet.
    figure.draw_without_rendering()
    pixels_per_point = figure.dpi / 72
    for axes in dict.fromkeys(label.axes for label in labels):
        drawn = np.array([box.extents for box in _drawn(axes, pixels_per_point)]).reshape(-1, 4)
        texts = [text.get_window_extent() for text in axes.texts]
        for label in (label for label in labels if label.axes is axes):
            annotation = _annotation(label)
            size = annotation.get_window_extent()
            anchor = axes.transData.transform((label.x, label.y))

            def cost(
                offset: tuple[float, float],
                size: Bbox = size,
                anchor: np.ndarray = anchor,
                axes: Axes = axes,
                drawn: np.ndarray = drawn,
                texts: list[Bbox] = texts,
            ) -> float:
                x, y = anchor + np.array(offset) * pixels_per_point
                box = Bbox.from_bounds(x - size.width / 2, y - size.height / 2, size.width, size.height).padded(_AIR)
                area = box.width * box.height
                outside = area - _overlaps(box, np.array([axes.bbox.extents])).sum()
                others = _overlaps(box, np.array([text.extents for text in texts]).reshape(-1, 4)).sum()
                return float(_overlaps(box, drawn).sum() + _UNREADABLE * (outside + others)) / area

            places = list(_places(label.side, size.width / pixels_per_point, size.height / pixels_per_point))
            best = min(range(len(places)), key=lambda i: cost(places[i]) + _LESS_LIKED * i)
            annotation.xyann = places[best]
            texts.append(annotation.get_window_extent())


def _annotation(label: PointLabel) -> Annotation:
    annotation = label.axes.annotate(
        label.text,
        (label.x, label.y),
        xytext=(0, 0),
        textcoords="offset points",
        ha="center",
        va="center_baseline",
        fontsize=FONT_SIZE,
        color=label.color,
        path_effects=[withStroke(linewidth=1.5, foreground="white")],
        zorder=4,
    )
    # Else the panels would move to make room for it.
    annotation.set_in_layout(False)
    return annotation


def _places(side: int, width: float, height: float) -> Iterator[tuple[float, float]]:
    """Offsets of a label's middle from its point, in points, the best ones first."""
    for distance in _DISTANCES:
        for right, up in _DIRECTIONS:
            yield side * right * (distance + width / 2), up * (distance + height / 2)


def _drawn(axes: Axes, pixels_per_point: float) -> Iterator[Bbox]:
    """Boxes in pixels around all that is drawn: markers, pieces of lines, error bars."""
    for line in axes.lines:
        yield from _line(line, pixels_per_point)
    for bars in axes.collections:
        if isinstance(bars, LineCollection):
            half = float(np.max(bars.get_linewidth())) * pixels_per_point / 2
            for segment in bars.get_segments():
                yield from _pieces(bars.get_transform().transform(segment), half)


def _line(line: Line2D, pixels_per_point: float) -> Iterator[Bbox]:
    places = line.get_transform().transform(line.get_xydata())
    if line.get_marker() not in (None, "None", "none", "", " "):
        half = line.get_markersize() * pixels_per_point / 2
        for x, y in places:
            yield Bbox([[x - half, y - half], [x + half, y + half]])
    if line.get_linestyle() not in ("None", "none", "", " "):
        yield from _pieces(places, line.get_linewidth() * pixels_per_point / 2)


def _pieces(places: np.ndarray, half: float) -> Iterator[Bbox]:
    """A polygonal line as boxes, one for each stretch of a few pixels, so that slanted ones are covered closely."""
    for start, end in pairwise(places):
        level = bool(np.isclose(start, end).any())
        number = 1 if level else 1 + int(np.abs(end - start).max() / 4)
        for i in range(number):
            ends = [start + (end - start) * share for share in (i / number, (i + 1) / number)]
            yield Bbox([np.min(ends, axis=0), np.max(ends, axis=0)]).padded(half)


def _overlaps(box: Bbox, others: np.ndarray) -> np.ndarray:
    """Areas that a box shares with others, given as float64 [boxes, 4] of x0, y0, x1, y1."""
    width = np.minimum(box.x1, others[:, 2]) - np.maximum(box.x0, others[:, 0])
    height = np.minimum(box.y1, others[:, 3]) - np.maximum(box.y0, others[:, 1])
    return np.maximum(width, 0) * np.maximum(height, 0)
