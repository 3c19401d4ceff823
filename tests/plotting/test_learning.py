"""Learning curves: every validation of every run is in its panel, and a file that is none of a run's is refused."""

import json
from pathlib import Path

import pytest
from matplotlib.container import ErrorbarContainer

from cascade_qec.errors import CascadeError
from cascade_qec.plotting import Selection, draw
from cascade_qec.statistics import wilson

LOGGED = {"step": 3, "shots": 300, "seconds": 10.1, "loss": 0.5, "highest": 0.6, "worst": "X0", "dead": 0}


def _validated(shots: int, **failures: int) -> dict:
    errors = {f"0.{p.removeprefix('p')}": failed / 2000 for p, failed in failures.items()}
    return {"step": shots // 100, "shots": shots, "block_error": errors, "validation_shots": 2000}


@pytest.fixture
def run(tmp_path):
    def written(name: str, *rows: dict, end: str = "") -> Path:
        path = tmp_path / name / "metrics.jsonl"
        path.parent.mkdir()
        path.write_text("".join(json.dumps(row) + "\n" for row in rows) + end)
        return path

    return written


def _draw(*paths: Path, **selection):
    return draw("learning", paths, Selection(**selection))


def test_a_panel_for_each_rate_and_a_curve_for_each_run(run):
    first = run("first", LOGGED, _validated(500, p002=40, p005=300), LOGGED, _validated(1000, p002=0, p005=250))
    second = run("second", _validated(700, p005=200), end='{"step": 9, "sho')
    figure = _draw(first, second)
    low, high = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["p = 0.2 %", "p = 0.5 %"]
    curves = {c.get_label(): c for c in high.containers if isinstance(c, ErrorbarContainer)}
    assert list(curves) == ["first", "second"]
    assert list(curves["first"][0].get_ydata()) == [0.15, 0.125]
    assert list(curves["first"][0].get_xdata()) == pytest.approx([500, 1000], rel=0.01)
    rates = [wilson(failed, 2000) for failed in (300, 250)]
    bars = [(bottom, top) for (_, bottom), (_, top) in curves["first"][2][-1].get_segments()]
    assert bars == [pytest.approx((rate.low, rate.high)) for rate in rates]
    # without a failure: an arrow at the upper end of the interval
    (arrow,) = (c for c in low.containers if c.get_label() != "first")
    assert list(arrow[0].get_ydata()) == [wilson(0, 2000).high]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["first", "second"]


def test_earlier_stretches_come_before(run):
    path = run("first", _validated(500, p005=200))
    stretches = [{"shots": 900, "validations": [_validated(s, p005=f) for s, f in ((400, 300), (800, 250))]}] * 2
    path.with_name("run.json").write_text(json.dumps({"recipe": {"code": "surface_d3"}, "earlier": stretches}))
    (axes,) = _draw(path).axes
    assert axes.get_title() == "Rotated surface codes, p = 0.5 %"
    (curve,) = (c for c in axes.containers if isinstance(c, ErrorbarContainer))
    assert list(curve[0].get_xdata()) == pytest.approx([400, 800, 1300, 1700, 2300], rel=0.01)
    assert list(curve[0].get_ydata()) == [0.15, 0.125, 0.15, 0.125, 0.1]
    path.write_text("")  # the last stretch has only begun
    (curve,) = (c for c in _draw(path).axes[0].containers if isinstance(c, ErrorbarContainer))
    assert list(curve[0].get_ydata()) == [0.15, 0.125, 0.15, 0.125]
    path.with_name("run.json").write_text('{"earlier": [{"shots": 900}]}')
    with pytest.raises(CascadeError, match=r"run\.json, earlier\.0\.validations: Field required"):
        _draw(path)


def test_rates_can_be_chosen(run):
    path = run("first", _validated(500, p002=40, p005=300))
    assert [axes.get_title() for axes in _draw(path, rates=[0.005]).axes] == ["p = 0.5 %"]
    with pytest.raises(CascadeError, match="no code to choose by"):
        _draw(path, codes=["bb72"])


@pytest.mark.parametrize(
    ("rows", "end", "message"),
    [
        ([LOGGED], "", "expected lines with a block_error, as a training run validates, got none"),
        ([], "shots,failures\n", r"line 1: expected a JSON object, got 'shots,failures'"),
        ([LOGGED], "[1]\n", r"line 2: expected a JSON object, got '\[1\]'"),
        ([{"block_error": {"0.002": 0.1}, "shots": 5}], "", "line 1, validation_shots: Field required"),
        ([_validated(5, p002=2001)], "", r"line 1, block_error.0.002: Input should be less than or equal to 1"),
    ],
)
def test_what_is_no_run_is_refused(run, rows, end, message):
    path = run("first", *rows, end=end)
    with pytest.raises(CascadeError, match=message) as caught:
        _draw(path)
    assert str(path) in str(caught.value)


def test_files_that_cannot_be_read_are_named(run, tmp_path):
    with pytest.raises(CascadeError, match=r"missing\.jsonl: cannot be read"):
        _draw(tmp_path / "missing.jsonl")
    binary = run("binary")
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CascadeError, match="expected JSON, found bytes that are no text"):
        _draw(binary)


def test_runs_of_one_name_are_not_mixed_up(run, tmp_path):
    first = run("run", _validated(500, p002=40))
    (tmp_path / "elsewhere").mkdir()
    second = run("elsewhere/run", _validated(500, p002=50))
    with pytest.raises(CascadeError, match=r"names of their folders"):
        _draw(first, second)


def test_more_runs_than_looks_are_refused(run):
    paths = [run(f"run{i:02}", _validated(500, p002=40)) for i in range(15)]
    assert len(_draw(*paths[:14]).legends[0].get_texts()) == 14
    with pytest.raises(CascadeError, match="at most 14 runs, got 15"):
        _draw(*paths)
