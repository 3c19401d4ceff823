"""Figures of the project's own studies, and the commands that draw them."""

import csv
from pathlib import Path

import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.points import read_points
from cascade_qec.tables import read_rows
from workshop.app import main
from workshop.plots.capacity import capacity_figure
from workshop.plots.local_first import local_first_figure
from workshop.plots.roofline import roofline_figure
from workshop.plots.small_runs import depths_figure, mixers_figure
from workshop.roofline.table import RooflineRow
from workshop.studies import local_first
from workshop.studies.small_runs import Row

ROOFLINE = [
    {"architecture": architecture, "code": "bb72", "width": width, "depth": 10, "rounds": 6, "quantity": quantity}
    | {"value": width * factor, "unit": unit, "device": device}
    for architecture, factor in (("convolution", 0.02), ("depthwise", 0.01))
    for width in (64, 128)
    for quantity, unit, device in (
        ("latency_per_round", "us", "Edge TPU"),
        ("latency_per_round", "us", "TPU v1"),
        ("macs_per_round", "MAC", ""),
    )
]
CAPACITY = [
    {"code": "surface_d7", "p": p, "rounds": 2, "bases": "ZX", "k": 1, "decoder": decoder, "parameters": ""}
    | {"shots": 1000, "failures": failed, "microseconds_per_shot": 1.0, "seed": 1}
    for decoder in ("cascade:surface_d7_H128", "cascade:surface_d7_H16", "tesseract")
    for p, failed in ((0.02, 4), (0.1, 90))
]
CAPACITY_FITS = [
    {"decoder": decoder, "code": "surface_d7", "rounds": 2, "bases": "XZ", "form": "one term", "parameter": parameter}
    | {"p": "", "target": "", "value": value, "value_low": low, "value_high": high, "log_likelihood": -3.0}
    | {"p_value": "", "extrapolated": "", "shots": 1000, "failures": 94, "seed": ""}
    for decoder, value, low, high in (
        ("cascade:surface_d7_H128", 3.0, 2.5, 3.6),
        ("cascade:surface_d7_H16", 2.0, 1.8, 2.1),
        ("tesseract", 4.0, 3.0, 5.0),
        ("relay", 1.0, 0.0, 2.0),
    )
    for parameter in ("a", "m1")
]
SMALL_RUNS = [
    {"decoder": decoder, "seed": seed, "code": "surface_d5", "rounds": 2, "p": 0.1, "width": 16, "depth": depth}
    | {"muon_lr": 0.03, "parameters": 7000, "training_shots": seen, "training_macs": 1000 * seen, "shots": 1000}
    | {"failures": 100 - seen // 10, "hardware": "", "versions": "", "commit": ""}
    for decoder, depth in (("convolution", 4), ("full_attention", 2))
    for seed in (1, 2)
    for seen in (100, 200)
]
RIVAL = (
    SMALL_RUNS[0] | dict.fromkeys(("depth", "muon_lr", "training_shots", "training_macs"), 0) | {"decoder": "tesseract"}
)
LOCAL_FIRST = [
    {"code": code, "p": 0.005, "arm": arm, "seed": seed, "local_shots": local, "logical_shots": seen}
    | {"seconds": (local + seen) / 10, "shots": 1000, "failures": 60 - seen // 10, "alone": "", "others_alone": ""}
    | {"hardware": "", "versions": "", "commit": ""}
    for code in ("surface_d5", "bb72")
    for arm, local in (("logical", 0), ("local first", 50))
    for seed in (1, 2)
    for seen in (100, 200)
]
WIDE, NARROW = "cascade:surface_d7_H128", "cascade:surface_d7_H16"


@pytest.fixture
def write(tmp_path):
    """Writes rows as a CSV file."""

    def written(name: str, rows: list[dict]) -> Path:
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return tmp_path / name

    return written


def _draw(*paths: Path) -> Figure:
    return capacity_figure(*read_points(paths))


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


def _roofline(path: Path, **options: str) -> Figure:
    return roofline_figure(read_rows(path, RooflineRow), **options)


def test_a_roofline_has_every_architecture_in_each_panel(write):
    path = write("roofline.csv", ROOFLINE)
    figure = _roofline(path)
    assert [axes.get_title() for axes in figure.axes] == ["bb72, Edge TPU", "bb72, TPU v1"]
    for axes in figure.axes:
        curves = {line.get_label(): list(line.get_ydata()) for line in axes.get_lines()}
        assert curves["convolution"] == [1.28, 2.56]
        assert curves["depthwise"] == [0.64, 1.28]
    (macs,) = _roofline(path, quantity="macs_per_round").axes
    assert macs.get_ylabel() == "macs per round (MAC)"


def test_what_is_no_roofline_is_refused(write):
    with pytest.raises(CascadeError, match="got macs_per_round"):
        _roofline(write("roofline.csv", [ROOFLINE[2]]))
    with pytest.raises(CascadeError, match="expected positive values"):
        _roofline(write("roofline.csv", [ROOFLINE[0] | {"value": 0.0}]))
    with pytest.raises(CascadeError, match="occur twice"):
        _roofline(write("roofline.csv", [ROOFLINE[0], ROOFLINE[0]]))


def _small_runs(path: Path) -> list[Row]:
    return read_rows(path, Row)


def test_mixers_have_a_curve_for_each_seed_by_shots_and_by_compute(write):
    slow = SMALL_RUNS[0] | {"muon_lr": 0.01}
    figure = mixers_figure(_small_runs(write("mixers.csv", [RIVAL, *SMALL_RUNS, slow])))
    for axes, cost in zip(figure.axes, (1, 1000), strict=True):
        curves = [bars for bars in axes.containers if isinstance(bars, ErrorbarContainer)]
        assert [bars.get_label() for bars in curves] == 2 * ["convolution"] + 2 * ["full_attention"]
        assert [list(bars[0].get_xdata()) for bars in curves] == 4 * [[100 * cost, 200 * cost]]


def test_depths_have_what_the_seeds_found_at_the_end(write):
    (axes,) = depths_figure(_small_runs(write("depths.csv", [RIVAL, *SMALL_RUNS]))).axes
    (bars,) = [bars for bars in axes.containers if isinstance(bars, ErrorbarContainer)]
    assert list(bars[0].get_xdata()) == [2, 4]
    assert list(bars[0].get_ydata()) == [0.08, 0.08]


def test_what_is_no_study_of_small_runs_is_refused(write):
    with pytest.raises(CascadeError, match="expected runs on one code, got those on none"):
        mixers_figure(_small_runs(write("mixers.csv", [RIVAL])))
    with pytest.raises(CascadeError, match="got those on surface_d3, surface_d5"):
        mixers_figure(_small_runs(write("mixers.csv", [SMALL_RUNS[0], SMALL_RUNS[4] | {"code": "surface_d3"}])))
    with pytest.raises(CascadeError, match="expected runs of several depths, got none"):
        depths_figure(_small_runs(write("depths.csv", [RIVAL])))


def test_local_labels_first_count_as_shots_and_time_of_their_arm(write):
    figure = local_first_figure(read_rows(write("local_first.csv", LOCAL_FIRST), local_first.Row))
    assert [axes.get_title() for axes in figure.axes] == 2 * ["surface_d5, p = 0.5 %"] + 2 * ["bb72, p = 0.5 %"]
    for axes, unit in zip(figure.axes, (1, 0.1, 1, 0.1), strict=True):
        curves = [bars for bars in axes.containers if isinstance(bars, ErrorbarContainer)]
        assert [bars.get_label() for bars in curves] == 2 * ["logical"] + 2 * ["local first"]
        assert [list(bars[0].get_xdata()) for bars in curves[1:3]] == [
            [100 * unit, 200 * unit],
            [150 * unit, 250 * unit],
        ]


def test_commands_write_figures(write, tmp_path, capsys):
    out = tmp_path / "figure.svg"
    for arguments in (
        ["roofline", str(write("roofline.csv", ROOFLINE))],
        ["capacity", str(write("rates.csv", CAPACITY)), str(write("fits.csv", CAPACITY_FITS))],
        ["mixers", str(write("mixers.csv", SMALL_RUNS))],
        ["depths", str(write("depths.csv", SMALL_RUNS))],
        ["local-first", str(write("local_first.csv", LOCAL_FIRST))],
    ):
        assert main(["plot", *arguments, "--out", str(out)]) == 0
        assert out.read_bytes().startswith(b"<?xml")
        assert capsys.readouterr().out == f"Figure: {out}\n"
