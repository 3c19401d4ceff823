"""Latencies as rows and files."""

from pathlib import Path

import numpy as np
import pytest
import stim

from cascade_qec.decoders import classical
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.latency.table import LatencyRow, latency_row, write_latencies
from cascade_qec.evaluation.latency.timing import Entrant, Timing
from cascade_qec.tables import read_rows


def _row(calls: int = 10, *, name: str = "cascade:tiny", batch: int = 2, p: float = 0.003) -> LatencyRow:
    decoder = classical.get("pymatching").bind(stim.DetectorErrorModel("error(0.1) D0"))
    entrant = Entrant(name, decoder, precision="float32", threads=2, parameters="a=1, b=x")
    seconds = np.random.default_rng(7).exponential(1e-3, size=calls)
    timing = Timing(entrant, batch, seconds, cpu_seconds=1.5, shots=batch * calls, failures=3)
    return latency_row(timing, code="surface_d3", p=p, rounds=3, basis="Z", seed=8)


def test_columns_are_what_was_measured() -> None:
    row = _row(5000)
    times = 1e6 * np.random.default_rng(7).exponential(1e-3, size=5000) / 2
    assert row.us_per_shot_p999 is not None
    found = (row.us_per_shot_p50, row.us_per_shot_p99, row.us_per_shot_p999)
    np.testing.assert_allclose([quantile.value for quantile in found], np.percentile(times, [50, 99, 99.9]))
    assert row.us_per_cycle_p50 == pytest.approx(np.median(times) / 3)
    assert row.cpu_us_per_shot_mean == pytest.approx(1.5e6 / 10000)
    assert row.us_per_shot_mean == pytest.approx(times.mean())
    assert (row.samples, row.shots, row.failures, row.threads, row.seed) == (5000, 10000, 3, 2, 8)
    p99 = row.us_per_shot_p99
    assert p99.low is not None
    assert p99.high is not None
    assert p99.low < p99.value < p99.high
    assert "cores" in row.hardware
    assert "torch" in row.versions


@pytest.mark.parametrize(("calls", "p99_known", "p999_known"), [(5, 0, 0), (367, 0, 0), (368, 1, 0), (3688, 1, 1)])
def test_of_few_calls_no_more_is_said_than_they_tell(calls: int, p99_known: bool, p999_known: bool) -> None:
    row = _row(calls)
    assert row.us_per_shot_p50.known == (calls >= 6)
    assert row.us_per_shot_p99.known == p99_known
    assert (row.us_per_shot_p999 is not None) == p999_known


def test_files_give_back_the_rows(tmp_path: Path) -> None:
    rows = [_row(5), _row(4000, name="pymatching")]
    path = tmp_path / "new" / "latency.csv"
    write_latencies(rows, path)
    assert read_rows(path, LatencyRow) == rows
    header = path.read_text().partition("\n")[0].split(",")
    assert header[:5] == ["decoder", "code", "p", "rounds", "basis"]


def test_a_run_replaces_the_last_one_of_its_experiment_only(tmp_path: Path) -> None:
    path = tmp_path / "latency.csv"
    write_latencies([_row(name="old"), _row(name="older", batch=1), _row(name="other", p=0.002)], path)
    write_latencies([_row(name="new")], path)
    assert [row.decoder for row in read_rows(path, LatencyRow)] == ["other", "new"]


def test_bad_files_are_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "latency.csv"
    with pytest.raises(CascadeError, match="at least one row"):
        write_latencies([], path)
    with pytest.raises(CascadeError, match="cannot be read"):
        read_rows(path, LatencyRow)
    path.write_text("decoder,code\na,b\n")
    with pytest.raises(CascadeError, match=r"p, rounds, .* missing from decoder, code"):
        write_latencies([_row()], path)
    assert path.read_text() == "decoder,code\na,b\n"
    write_latencies([_row()], tmp_path / "good.csv")
    broken = (tmp_path / "good.csv").read_text().replace("cascade:tiny,surface_d3,0.003", "cascade:tiny,surface_d3,7")
    path.write_text(broken)
    with pytest.raises(CascadeError, match="line 2, column p"):
        read_rows(path, LatencyRow)
    (tmp_path / "file").write_text("")
    with pytest.raises(CascadeError, match="cannot be written"):
        write_latencies([_row()], tmp_path / "file" / "latency.csv")
