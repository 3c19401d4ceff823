"""The figure of the capacity study: rates of every width, and their exponents beside those of rivals."""

from pathlib import Path

import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from cascade_qec import codes
from cascade_qec.errors import CascadeError
from cascade_qec.plotting import Request, draw

from .conftest import CAPACITY, CAPACITY_FITS

WIDE, NARROW = "cascade:surface_d7_H128", "cascade:surface_d7_H16"


def _draw(*paths: Path) -> Figure:
    return draw("capacity", paths, Request(codes=codes.get))


def _curves(axes) -> dict[str, ErrorbarContainer]:
    return {str(c.get_label()): c for c in axes.containers if isinstance(c, ErrorbarContainer)}


def test_widths_and_rivals_are_in_both_panels(write):
    figure = _draw(write("rates.csv", CAPACITY), write("fits.csv", CAPACITY_FITS))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["H = 16", "H = 128", "tesseract"]
    rates, exponents = figure.axes
    assert set(_curves(rates)) == {WIDE, NARROW, "tesseract"}
    assert list(_curves(rates)[WIDE][0].get_ydata()) == [0.004, 0.09]
    assert {name: tuple(c[0].get_xydata()[0]) for name, c in _curves(exponents).items()} == {
        WIDE: (128, 3),
        NARROW: (16, 2),
    }
    (bar,) = _curves(exponents)[WIDE][2][-1].get_segments()
    assert bar[:, 1] == pytest.approx([2.5, 3.6])
    # a rival has no width; relay has a fit, but no rates
    lines = {line.get_label(): list(line.get_ydata()) for line in exponents.lines}
    assert lines["tesseract"] == [4, 4]
    assert "relay" not in lines


def test_what_is_no_capacity_study_is_refused(write):
    rates, fits = write("rates.csv", CAPACITY), write("fits.csv", CAPACITY_FITS)
    rivals = [row for row in CAPACITY if row["decoder"] == "tesseract"]
    with pytest.raises(CascadeError, match=r"models whose names end in their width.* got rates of tesseract"):
        _draw(write("rivals.csv", rivals), fits)
    with pytest.raises(CascadeError, match="and m1 of none"):
        _draw(rates)
    with pytest.raises(CascadeError, match="expected rates of one experiment, got 2"):
        _draw(rates, write("more.csv", [row | {"rounds": 1} for row in CAPACITY]), fits)
    with pytest.raises(CascadeError, match="both ends of its interval"):
        _draw(rates, write("open.csv", [row | {"value_high": "inf"} for row in CAPACITY_FITS]))
    many = [row | {"decoder": f"cascade:x_H{width}"} for row in CAPACITY[:1] for width in range(9)]
    with pytest.raises(CascadeError, match="at most 8 widths, got 11"):
        _draw(rates, write("many.csv", many), fits)
