"""Labels beside points: near them, inside their panels, and apart from each other and from what is drawn."""

import itertools

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from cascade_qec.plotting.labels import PointLabel, place_labels
from cascade_qec.plotting.panels import make_panels
from cascade_qec.plotting.style import styled


def _panel(x: list[float], y: list[float], **style) -> tuple[Figure, Axes]:
    figure, (axes,) = make_panels(1, y_label="rate")
    axes.plot(x, y, **style)
    axes.set(xscale="log", yscale="log", xlim=(0.1, 1000), ylim=(1e-4, 1e-2))
    return figure, axes


def _boxes(figure: Figure, axes: Axes) -> list[Bbox]:
    figure.draw_without_rendering()
    return [text.get_window_extent() for text in axes.texts]


def test_a_lone_label_stands_on_its_side_level_with_its_point():
    with styled():
        figure, axes = _panel([10], [1e-3], marker="o")
        place_labels(figure, [PointLabel(axes, 10, 1e-3, "64", "black", side) for side in (-1, 1)])
        left, right = _boxes(figure, axes)
        x, y = axes.transData.transform((10, 1e-3))
    assert left.x1 < x < right.x0
    assert max(x - left.x1, right.x0 - x) < 10 * figure.dpi / 72
    assert all(box.y0 < y < box.y1 for box in (left, right))


@pytest.mark.parametrize("marker", ["o", "none"])
def test_labels_of_points_side_by_side_cover_nothing(marker):
    x, y = [9.5, 10, 10.5, 11], [1e-3, 1.02e-3, 0.98e-3, 1e-3]
    with styled():
        figure, axes = _panel(x, y, marker=marker)
        axes.errorbar([10], [1e-3], yerr=[[5e-4], [5e-4]], fmt="none")
        place_labels(figure, [PointLabel(axes, *place, "4096", "black", 1) for place in zip(x, y, strict=True)])
        boxes = _boxes(figure, axes)
        points = axes.transData.transform(np.column_stack([x, y]))
        bar = Bbox(axes.transData.transform([(10, 5e-4), (10, 1.5e-3)])).padded(0.5)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert not any(box.overlaps(bar) for box in boxes)
    assert not any(box.contains(*point) for box, point in itertools.product(boxes, points))


@pytest.mark.parametrize(("x", "side"), [(0.11, -1), (900.0, 1)])
def test_labels_stay_in_their_panel(x, side):
    with styled():
        figure, axes = _panel([x], [1e-3], marker="o")
        place_labels(figure, [PointLabel(axes, x, 1e-3, "4096", "black", side)])
        (box,) = _boxes(figure, axes)
    assert axes.bbox.x0 <= box.x0 < box.x1 <= axes.bbox.x1


def test_panels_make_no_room_for_labels():
    with styled():
        figure, axes = _panel([999.0], [1e-3], marker="o")
        figure.draw_without_rendering()
        before = axes.get_position().bounds
        place_labels(figure, [PointLabel(axes, 999, 1e-3, "a long label", "black", 1)])
        figure.draw_without_rendering()
    assert axes.get_position().bounds == pytest.approx(before, abs=1e-3)


def test_no_labels_draw_nothing():
    figure, axes = _panel([1.0], [1e-3])
    place_labels(figure, [])
    assert not axes.texts
