"""Every figure from tables: each row is in it, with its interval, and the same bytes each time."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.plotting import FIGURES, Selection, draw, save
from cascade_qec.statistics import Interval, per_logical_per_cycle, wilson

from .conftest import (
    ESCALATION,
    FITS,
    LAMBDAS,
    LATENCY,
    LEARNING,
    POST_SELECTION,
    RARE,
    RELIABILITY,
    REPLAY,
    SPECTRUM,
    Write,
)

TABLES = {
    "latency": LATENCY,
    "lambda": LAMBDAS,
    "reliability": RELIABILITY,
    "post-selection": POST_SELECTION,
    "spectrum": SPECTRUM,
    "escalation": ESCALATION,
    "replay": REPLAY,
}


def _panel(figure: Figure, title: str) -> Axes:
    (found,) = (axes for axes in figure.axes if axes.get_title() == title)
    return found


def _containers(axes: Axes) -> list[ErrorbarContainer]:
    return [container for container in axes.containers if isinstance(container, ErrorbarContainer)]


def _curve(axes: Axes, label: str) -> ErrorbarContainer:
    (found,) = (container for container in _containers(axes) if container.get_label() == label)
    return found


def _heights(axes: Axes) -> list[float]:
    """Where every marker stands, upper and lower limits too."""
    return sorted(float(y) for container in _containers(axes) for y in container[0].get_ydata())


def _bars(container: ErrorbarContainer) -> list[tuple[float, float]]:
    """Ends of vertical bars."""
    bars: LineCollection = container[2][-1]
    return [(float(low), float(high)) for (_, low), (_, high) in bars.get_segments()]


def _ends(rates: Sequence[Interval]) -> list:
    return [pytest.approx((rate.low, rate.high)) for rate in rates]


@pytest.fixture
def tables(write: Write, collected: Path, tmp_path: Path):
    def of(name: str) -> list[Path]:
        if name in ("rates", "distance"):
            return [collected]
        if name == "learning":
            (tmp_path / "metrics.jsonl").write_text(LEARNING)
            return [tmp_path / "metrics.jsonl"]
        return [write(f"{name}.csv", TABLES[name])]

    return of


@pytest.mark.parametrize("name", FIGURES)
def test_files_are_whole_and_the_same_each_time(name, tables, tmp_path):
    first, again = tmp_path / "first.svg", tmp_path / "again.svg"
    for path in (first, again):
        save(draw(name, tables(name), title="A title"), path)
    assert b"<dc:date>" not in first.read_bytes()
    assert again.read_bytes() == first.read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_backlog_and_tail_of_a_replay(write):
    figure = draw("replay", [write("replay.csv", REPLAY)])
    titles = ["bb72, p = 0.3 %, 1 µs a round", "bb72, p = 0.3 %, 50 µs a round", "bb72, p = 0.3 %"]
    assert [axes.get_title() for axes in figure.axes] == titles
    for axes in figure.axes[:2]:
        for line in axes.get_lines():
            assert list(line.get_ydata()) == [1.0, 2.0, 3.5]
            assert list(line.get_xdata()) == [1.0, 4.0, 7.0]
    for tail in _containers(figure.axes[2]):
        assert list(tail[0].get_ydata()) == [100.0, 100.0]
        assert _bars(tail) == [(100.0, 300.0)] * 2


def test_rates_of_a_collection(collected):
    figure = draw("rates", [collected])
    assert [axes.get_title() for axes in figure.axes] == ["surface_d3, basis Z", "surface_d5, basis Z"]
    for axes, d in zip(figure.axes, (3, 5), strict=True):
        matching = _curve(axes, "pymatching")
        rates = [wilson(failed // d, 10_000) for failed in (40, 200)]
        assert list(matching[0].get_ydata()) == [rate.value for rate in rates]
        assert _bars(matching) == _ends(rates)
        assert len(_heights(axes)) == 6
        assert _curve(axes, "tesseract-filtered")[0].get_fillstyle() == "none"
    # one without failures: off the curve, at the upper end of its interval, with an arrow
    assert len(_curve(figure.axes[1], "tesseract-filtered")[0].get_ydata()) == 1
    assert wilson(0, 10_000).high in _heights(figure.axes[1])
    assert "Arrows" in figure.get_supxlabel()


def test_rates_per_cycle_are_converted_with_their_ends(collected):
    axes = draw("rates", [collected], per="cycle").axes[1]
    rates = [per_logical_per_cycle(wilson(failed // 5, 10_000), k=1, rounds=5) for failed in (40, 200)]
    assert _bars(_curve(axes, "cascade")) == _ends(rates)


def test_rows_in_several_files_add_up(collected, tmp_path):
    more = tmp_path / "more.csv"
    more.write_text(collected.read_text())
    axes = draw("rates", [collected, more]).axes[0]
    assert _bars(_curve(axes, "pymatching")) == _ends([wilson(2 * f, 20_000) for f in (13, 66)])


def test_rare_events_and_laws_over_rates(collected, write):
    figure = draw("rates", [collected, write("rare.csv", RARE), write("fits.csv", FITS)], per="cycle")
    axes = _panel(figure, "surface_d3, basis Z")
    rare = _curve(axes, "pymatching (rare events)")
    expected = [per_logical_per_cycle(Interval(r, r / 2, 2 * r), k=1, rounds=3) for r in (1e-6, 1e-4)]
    assert _bars(rare) == _ends(expected)
    matching = _curve(axes, "pymatching")
    assert rare[0].get_color() == matching[0].get_color()
    assert rare[0].get_fillstyle() != matching[0].get_fillstyle()
    # the second term is marked as warranted; the law replaces the line between the points
    (law,) = (line for line in axes.get_lines() if str(line.get_label()).startswith("_fit"))
    assert matching[0].get_linestyle() == "None"
    for percent, rate in zip(law.get_xdata(), law.get_ydata(), strict=True):
        p = float(percent) / 100
        assert rate == pytest.approx(p + 1e8 * p**4)
    assert [float(law.get_xdata()[i]) for i in (0, -1)] == pytest.approx([0.01, 0.2])


def test_laws_are_converted_to_block_errors(collected, write):
    one_term = [line for line in FITS if line["form"] == "one term"]
    axes = draw("rates", [collected, write("fits.csv", one_term)]).axes[0]
    (law,) = (line for line in axes.get_lines() if str(line.get_label()).startswith("_fit"))
    percent, block = float(law.get_xdata()[0]), float(law.get_ydata()[0])
    assert per_logical_per_cycle(Interval(block, block, block), k=1, rounds=3).value == pytest.approx(
        500 * (percent / 100) ** 2
    )


def test_distance(collected):
    figure = draw("distance", [collected])
    titles = [f"Rotated surface codes, p = {p} %\nbasis Z" for p in (0.1, 0.2)]
    assert [axes.get_title() for axes in figure.axes] == titles
    for axes, failed in zip(figure.axes, (40, 200), strict=True):
        cascade = _curve(axes, "cascade")  # two models, one decoder
        assert list(cascade[0].get_xdata()) == [3, 5]
        rates = [per_logical_per_cycle(wilson(failed // d, 10_000), k=1, rounds=d) for d in (3, 5)]
        assert _bars(cascade) == _ends(rates)
        assert len(_heights(axes)) == 6


def test_the_legend_of_one_panel_is_no_larger_than_the_panel(collected):
    figure = draw("distance", [collected], Selection(rates=[0.002]))
    figure.draw_without_rendering()
    (legend,), (axes,) = figure.legends, figure.axes
    assert legend.get_window_extent().height < axes.get_window_extent().height
    assert legend.get_window_extent().width < axes.get_window_extent().width


def test_spectrum(write):
    (axes,) = draw("spectrum", [write("spectrum.csv", SPECTRUM)]).axes
    assert _bars(_curve(axes, "cascade")) == _ends([wilson(failed, 1000) for failed in (5, 60)])
    assert len(_heights(axes)) == 6  # two of each decoder, and a limit at w = 3
    never = [line for line in axes.get_lines() if str(line.get_label()).startswith("_zero")]
    assert [float(line.get_xdata()[0]) for line in never] == pytest.approx([0, 0], abs=0.1)


def test_of_several_spectra_that_at_the_highest_noise_is_drawn_or_the_one_asked_for(write):
    def at(p: float, failed: int) -> dict:
        rate = wilson(failed, 1000)
        ends = {"fraction": rate.value, "fraction_low": rate.low, "fraction_high": rate.high}
        return SPECTRUM[0] | {"faults": 5, "failures": failed, "sampled_at": p} | ends

    table = write("spectrum.csv", [at(0.005, 60), at(0.001, 30)])
    for rates, failed in (((), 60), ((0.001,), 30)):
        (axes,) = draw("spectrum", [table], Selection(rates=rates)).axes
        assert _heights(axes) == [failed / 1000]


def test_latency(write):
    figure = draw("latency", [write("latency.csv", LATENCY)])
    (axes,) = figure.axes
    gpu = _curve(axes, "cascade (cuda, bfloat16)")
    # one rate for all batch sizes: that of the row with the most shots, or of the largest batch among them
    rate = per_logical_per_cycle(wilson(30, 1000), k=12, rounds=6)
    assert [float(x) for x in gpu[0].get_xdata()] == [5]
    assert _bars(gpu) == _ends([rate])
    lines = {line.get_label(): line for line in axes.get_lines()}
    batches = lines["_batches cascade (cuda, bfloat16)"]
    assert list(batches.get_xdata()) == pytest.approx([100, 5])
    assert list(batches.get_ydata()) == [rate.value] * 2
    assert list(lines["_time cascade (cuda, bfloat16)"].get_xdata()) == pytest.approx([100, 150])
    limit = per_logical_per_cycle(wilson(0, 1000), k=12, rounds=6).high
    assert _heights(axes) == [pytest.approx(height) for height in sorted([limit, rate.value, rate.value])]
    assert "batches of 1, 64 shots" in figure.get_supxlabel().replace("\n", " ")
    assert axes.get_title() == "bb72, p = 0.3 %, basis Z"


def test_latency_takes_the_rate_of_most_shots(write):
    rows = [LATENCY[0] | {"shots": 100, "failures": 0}, LATENCY[1] | {"batch": 512, "shots": 10, "failures": 0}]
    (axes,) = draw("latency", [write("latency.csv", [*rows, LATENCY[1]])], per="block").axes
    assert _bars(_curve(axes, "cascade")) == _ends([wilson(30, 1000)])
    assert _heights(axes) == [0.03]


def test_lambda(write):
    (axes,) = draw("lambda", [write("fits.csv", [*LAMBDAS, *FITS])]).axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["cascade", "pymatching"]
    bars = [container for container in axes.containers if isinstance(container, BarContainer)]
    assert [bar.patches[0].get_height() for bar in bars] == [8.0, 5.0]
    bounded, unbounded, _ = _containers(axes)  # and an arrow
    assert _bars(bounded) == [pytest.approx((7.0, 9.5))]
    assert _bars(unbounded) == [pytest.approx((4.0, 5.0))]
    assert axes.get_ylim()[0] == 0


def _scored(confidence: float, correct: int, shots: int = 1000, **others) -> dict:
    ends = {"bin_low": confidence, "bin_high": confidence}
    return RELIABILITY[0] | ends | {"shots": shots, "confidence": confidence, "correct": correct} | others


def test_reliability(write):
    table = write("reliability.csv", RELIABILITY)
    (axes,) = draw("reliability", [table]).axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("logit", "logit")
    shot = _curve(axes, "cascade")
    assert list(shot[0].get_ydata()) == [0.6, 0.95]
    assert _bars(shot) == _ends([wilson(600, 1000), wilson(950, 1000)])
    assert _heights(axes) == sorted([wilson(0, 1000).high, 0.6, 0.95, wilson(1000, 1000).low])
    # observables of one shot go wrong together: an end of Wilson's interval for as many independent predictions as
    # have the table's standard error is where the fraction is 1.96 standard errors away
    (axes,) = draw("reliability", [table], of="observable").axes
    bars = [bar for label in ("cascade", "_pale cascade") for bar in _bars(_curve(axes, label))]
    for fraction, (low, high) in zip((0.6, 0.95), bars, strict=True):
        effect = (0.03 * 1000) ** 2 / (1000 * fraction * (1 - fraction) + 0.5)
        for end in (low, high):
            assert abs(fraction - end) == pytest.approx(1.96 * (end * (1 - end) * effect / 1000) ** 0.5, rel=1e-4)


def test_reliability_of_bins_that_say_little(write):
    few = [_scored(0.9998, 999), _scored(0.003, 1)]
    nothing = [_scored(0.99999999, 1000), _scored(0.0005, 0), _scored(0.4, 0, shots=2)]
    figure = draw("reliability", [write("reliability.csv", [_scored(0.7, 700), *few, *nothing])])
    (axes,) = figure.axes
    full, pale = _curve(axes, "cascade")[0], _curve(axes, "_pale cascade")[0]
    assert list(full.get_ydata()) == [0.7]
    assert list(pale.get_ydata()) == [0.001, 0.999]
    assert full.get_color() != pale.get_color()
    assert "3 of 6 bins" in figure.get_supxlabel()
    # what is left out makes no room for itself
    assert axes.get_xlim() == axes.get_ylim() == pytest.approx((0.001 / 3, 1 - 0.0002 / 3), rel=1e-3)
    assert 1 - axes.get_xlim()[1] == pytest.approx(0.0002 / 3, rel=1e-3)


def test_reliability_when_no_bin_says_anything(write):
    figure = draw("reliability", [write("reliability.csv", [_scored(0.99999999, 1000)])])
    assert _heights(figure.axes[0]) == []
    assert "1 of 1 bins" in figure.get_supxlabel()


@pytest.mark.parametrize(
    ("low", "high"), [(1e-9, 1 - 1e-9), (1e-9, 2e-9), (0.5, 1 - 1e-6), (0.996, 0.9961), (0.1, 0.9)]
)
def test_labels_of_reliability_are_apart(low, high, write):
    rows = [_scored(p, 500, code=code) for code in ("bb72", "surface_d3", "surface_d5") for p in (low, high)]
    rows += [_scored(low / 2, max(1, round(low * 1e10)), shots=10**10, code="surface_d3")]
    figure = draw("reliability", [write("reliability.csv", rows)])
    figure.draw_without_rendering()
    for axes in figure.axes:
        for axis, (first, last) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            labels = [tick.label1 for tick in axis.get_major_ticks() if first <= tick.get_loc() <= last]
            assert len({label.get_text() for label in labels}) == len(labels) >= 2
            boxes = [label.get_window_extent() for label in labels]
            assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    titles = [axes.title.get_window_extent() for axes in figure.axes]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(titles, 2))


def test_probabilities_near_one_are_written_as_their_distance(write):
    figure = draw("reliability", [write("reliability.csv", [_scored(p, 500) for p in (0.5, 1 - 1e-9)])])
    figure.draw_without_rendering()
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert "0.5" in labels
    assert "$1 - 10^{-9}$" in labels
    assert not any("times" in label for label in labels)


def test_post_selection(write):
    figure = draw("post-selection", [write("post.csv", POST_SELECTION)])
    assert len(figure.axes) == 2
    for axes in figure.axes:
        cascade = _curve(axes, "cascade (confidence)")
        assert list(cascade[0].get_xdata()) == pytest.approx([0.0, 0.097])
        assert _bars(cascade) == _ends([wilson(50, 1000), wilson(4, 903)])
        assert len(_heights(axes)) == 6
        assert wilson(0, 490).high in _heights(axes)


def test_post_selection_against_noise(write):
    figure = draw("post-selection", [write("post.csv", POST_SELECTION)], discards=(0.0, 0.1))
    assert [axes.get_title() for axes in figure.axes] == [
        "bb72, basis Z, 0 % discarded",
        "bb72, basis Z, 10 % discarded",
    ]
    assert _bars(_curve(figure.axes[1], "bplsd (cluster norm)")) == _ends([wilson(4, 903)] * 2)
    assert sum(len(_heights(axes)) for axes in figure.axes) == 8


def test_escalation(write):
    figure = draw("escalation", [write("escalation.csv", ESCALATION)])
    errors, times = figure.axes
    assert errors.get_title() == "bb72, p = 0.3 %, 6 rounds, basis Z"
    relay = _curve(errors, "relay-bp, after cascade")
    assert list(relay[0].get_xdata()) == pytest.approx([0.0, 0.05])
    assert _bars(relay) == _ends([wilson(40, 1000), wilson(20, 1000)])
    assert wilson(0, 1000).high in _heights(errors)  # without failures, an arrow
    assert _bars(_curve(errors, "_chosen relay-bp, after cascade")) == _ends([wilson(2, 500)])
    relay = _curve(times, "relay-bp, after cascade")
    assert list(relay[0].get_ydata()) == pytest.approx([900, 10_900, 50_900])
    assert _bars(relay)[1] == pytest.approx((9_810, 11_990))
    filtered = _curve(times, "bposd-filtered, after cascade")
    assert (filtered[0].get_fillstyle(), relay[0].get_fillstyle()) == ("none", "full")
    for axes, alone in ((errors, {0.005}), (times, {1e5, 5e3})):
        across = [line for line in axes.get_lines() if list(line.get_xdata()) == [0, 1]]
        assert {float(line.get_ydata()[0]) for line in across} == alone
    assert "Rings" in figure.get_supxlabel()


def test_a_decoder_looks_the_same_in_every_figure(collected, write):
    spectrum = draw("spectrum", [write("spectrum.csv", SPECTRUM)]).axes[0]
    others = [draw(name, [collected]).axes[0] for name in ("rates", "distance")]
    lines = [_curve(axes, "cascade")[0] for axes in (spectrum, *others)]
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 1


@pytest.mark.parametrize("name", FIGURES)
def test_legends_and_captions_cover_no_panel_and_are_not_cut(name, tables):
    figure = draw(name, tables(name), title="A title")
    figure.draw_without_rendering()
    (caption,) = [text for text in figure.texts if text.get_text() == figure.get_supxlabel()]
    boxes = [artist.get_window_extent() for artist in (*figure.legends, caption)]
    panels = [axes.get_tightbbox() for axes in figure.axes]
    assert all(not a.overlaps(b) for a, b in itertools.product(boxes, panels))
    assert all(
        not a.overlaps(b) for a, b in itertools.combinations([axes.get_window_extent() for axes in figure.axes], 2)
    )
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)


def test_selections(collected):
    def titles(**fields) -> list[str]:
        return [axes.get_title() for axes in draw("rates", [collected], Selection(**fields)).axes]

    assert titles(codes=["surface_d5"]) == ["surface_d5, basis Z"]
    figure = draw("rates", [collected], Selection(decoders=["cascade"], rates=[0.002]))
    assert [c.get_label() for axes in figure.axes for c in _containers(axes)] == ["cascade", "cascade"]
    with pytest.raises(CascadeError, match=r"none is left of 12 by --basis X \(there are basis: Z\)"):
        titles(bases=["X"])


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("spectrum", "fraction_low", 0.9, "expected low <= value <= high"),
        ("spectrum", "faults", "many", "line 2, column faults"),
        ("reliability", "correct", 2000, "expected 0 <= correct <= shots"),
        ("post-selection", "failures", 2000, "expected failures <= accepted"),
        ("latency", "us_per_shot_p99", 1.0, "expected 0 < p50 <= p99"),
        ("latency", "us_per_shot_p50", -1.0, "expected 0 < p50"),
        ("lambda", "value", 0.0, "expected a positive lambda"),
        ("escalation", "escalated", 2000, "<= shots"),
        ("escalation", "us_per_shot_low", 2000.0, "expected low <= value <= high"),
        ("escalation", "part", "half", "line 2, column part"),
        ("replay", "waiting", "1 -2", "expected numbers of rounds"),
    ],
)
def test_values_out_of_range_are_refused(name, column, value, message, write):
    rows = [dict(row) for row in TABLES[name]]
    rows[0][column] = value
    with pytest.raises(CascadeError, match=message):
        draw(name, [write("table.csv", rows)])


@pytest.mark.parametrize("name", TABLES)
def test_rows_that_occur_twice_are_refused(name, write):
    rows = TABLES[name]
    with pytest.raises(CascadeError, match=r"expected one|some of|twice"):
        draw(name, [write("table.csv", [*rows, rows[0]])])


@pytest.mark.parametrize("name", FIGURES)
def test_tables_of_another_kind_are_refused(name, write):
    path = write("table.csv", [{"step": 1, "loss": 0.5}])
    with pytest.raises(
        CascadeError, match=r"table.csv: expected (sinter's|the) columns .* step, loss|line 1: expected a JSON object"
    ):
        draw(name, [path])


def test_what_a_figure_has_no_use_for_is_refused(write):
    with pytest.raises(CascadeError, match="spectrum: expected no per"):
        draw("spectrum", [write("spectrum.csv", SPECTRUM)], per="block")
    with pytest.raises(CascadeError, match="spectrum: expected no of"):
        draw("spectrum", [write("spectrum.csv", SPECTRUM)], of="shot")
    with pytest.raises(CascadeError, match="expected rows of flip with shots to plot, got observable, shot"):
        draw("reliability", [write("r.csv", RELIABILITY)], of="flip")
    with pytest.raises(CascadeError, match="one of shot, observable, flip, got 'square'"):
        draw("reliability", [write("r.csv", RELIABILITY)], of="square")
    with pytest.raises(CascadeError, match="unknown figure 'circle'"):
        draw("circle", [])
    with pytest.raises(CascadeError, match=r"column discard of 0\.3, got 0, 0\.1, 0\.5"):
        draw("post-selection", [write("p.csv", POST_SELECTION)], discards=(0.3,))
