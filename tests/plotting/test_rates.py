import pytest
from matplotlib.container import ErrorbarContainer

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation import Row
from cascade_qec.plotting import block_error_figure, save


def _row(code: str, decoder: str, p: float, failed: int) -> Row:
    return Row(
        code=code,
        p=p,
        rounds=3,
        bases="XZ",
        k=1,
        decoder=decoder,
        shots=1000,
        failures=failed,
        microseconds_per_shot=1.0,
        seed=0,
    )


ROWS = [
    _row("surface_d3", "cascade", 0.005, 20),
    _row("surface_d3", "cascade", 0.002, 3),
    _row("surface_d3", "pymatching", 0.002, 4),
    _row("surface_d3", "pymatching", 0.005, 25),
    _row("bb72", "cascade", 0.002, 0),
    _row("bb72", "cascade", 0.005, 30),
    _row("bb72", "bposd", 0.002, 0),
]


def _curve(axes, label) -> ErrorbarContainer:
    (found,) = (container for container in axes.containers if container.get_label() == label)
    return found


def test_panels_curves_and_bars():
    figure = block_error_figure(ROWS)
    surface, bicycle = figure.axes
    assert [surface.get_title(), bicycle.get_title()] == ["surface_d3", "bb72"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["cascade", "pymatching", "bposd"]
    assert (surface.get_xscale(), surface.get_yscale()) == ("log", "log")
    line, _, (bars,) = _curve(surface, "cascade")
    assert list(line.get_ydata()) == [0.003, 0.02]
    assert list(line.get_xdata()) == pytest.approx([0.2, 0.5], rel=0.02)
    (_, low), (_, high) = bars.get_segments()[0]
    rate = ROWS[1].block_error
    assert (low, high) == (pytest.approx(rate.low), pytest.approx(rate.high))


def test_a_decoder_looks_the_same_in_every_panel_and_like_no_other():
    surface, bicycle = block_error_figure(ROWS).axes
    style = [
        (line.get_color(), line.get_marker(), line.get_linestyle())
        for line in (
            _curve(surface, "cascade")[0],
            _curve(bicycle, "cascade")[0],
            _curve(surface, "pymatching")[0],
        )
    ]
    assert style[0] == style[1]
    assert all(a != b for a, b in zip(style[0], style[2], strict=True))


def test_points_without_failures_are_upper_limits_off_the_curve():
    figure = block_error_figure(ROWS)
    bicycle = figure.axes[1]
    assert list(_curve(bicycle, "cascade")[0].get_ydata()) == [0.03]
    limits = [c for c in bicycle.containers if str(c.get_label()).startswith("_")]
    assert [float(c[0].get_ydata()[0]) for c in limits] == pytest.approx([ROWS[4].block_error.high] * 2)
    assert figure.get_supxlabel().endswith("no failure, upper end of the interval.")


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")]
)
def test_files_are_written_whole(tmp_path, suffix, magic):
    path = tmp_path / f"rates{suffix}"
    save(block_error_figure(ROWS), path)
    assert path.read_bytes().startswith(magic)
    assert list(tmp_path.iterdir()) == [path]


def test_unknown_format_is_refused(tmp_path):
    with pytest.raises(CascadeError, match=r"expected a suffix of .*png.*got '.xyz'"):
        save(block_error_figure(ROWS), tmp_path / "rates.xyz")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_plotted_is_refused():
    with pytest.raises(CascadeError, match="got 0 rows"):
        block_error_figure([])
    with pytest.raises(CascadeError, match="got 13 and 1: leave some out"):
        block_error_figure([_row("surface_d3", str(i), 0.01, 1) for i in range(13)])
    with pytest.raises(CascadeError, match="occur twice"):
        block_error_figure([ROWS[0], ROWS[0]])
