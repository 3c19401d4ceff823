"""What escalation is worth, as rows and files."""

from pathlib import Path

import numpy as np
import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.escalation.table import EscalationRow, escalation_rows, write_escalations
from cascade_qec.evaluation.escalation.thresholds import EscalationShots, choose, escalate, trade_off
from cascade_qec.evaluation.two_samples import paired_difference
from cascade_qec.statistics import wilson
from cascade_qec.tables import read_rows


def _rows(*, fallback: str = "bposd", p: float = 0.003, chosen: bool = True) -> list[EscalationRow]:
    rng = np.random.default_rng(5)
    confidence = rng.uniform(0.1, 0.9, 400).astype(np.float32)
    failed = rng.random(400) < 0.5 * (1 - confidence)
    matched, times = rng.random(400) < 0.05, rng.exponential(1e-2, 400)
    shots = EscalationShots(confidence, failed, matched, matched, times, times, 1e-3)
    about = {"decoder": "cascade:tiny", "fallback": fallback, "code": "surface_d3", "p": p, "rounds": 3, "basis": "Z"}
    about |= {"batch": 512, "device": "cpu", "precision": "float32", "threads": 1, "seed": 7, "parameters": "a=1, b=x"}
    found = choose(shots) if chosen else None
    return escalation_rows(trade_off(shots, (0.0, 0.1, 0.5)), found, escalate(shots, None), about)


def test_columns_are_what_was_measured() -> None:
    network, tenth, half, chosen, fallback = _rows()
    assert [row.part for row in (network, tenth, half, chosen, fallback)] == [
        "network",
        "curve",
        "curve",
        "chosen",
        "fallback",
    ]
    assert [row.escalated for row in (network, tenth, half, fallback)] == [0, 40, 200, 400]
    assert vars(network.us_per_shot) == pytest.approx({"value": 1e3, "low": 1e3, "high": 1e3})
    assert fallback.threshold is None
    assert (fallback.difference.value, fallback.worse, fallback.better) == (0, 0, 0)
    assert chosen.shots == 200
    for row in (network, tenth, half, chosen, fallback):
        rate, difference = wilson(row.failures, row.shots), paired_difference(row.worse, row.better, row.shots)
        assert (row.block_error, row.difference) == (rate, difference)
        assert row.difference.value == pytest.approx((row.failures - row.fallback_failures) / row.shots)
        assert row.us_per_shot.low <= row.us_per_shot.value <= row.us_per_shot.high
        assert (row.seed, row.parameters) == (7, "a=1, b=x")
        assert "cores" in row.hardware


def test_files_give_back_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "new" / "escalation.csv"
    rows = _rows()
    write_escalations(rows, path)
    assert read_rows(path, EscalationRow) == rows


def test_a_measurement_replaces_the_last_one_of_its_experiment_only(tmp_path: Path) -> None:
    path = tmp_path / "escalation.csv"
    write_escalations([*_rows(), *_rows(fallback="tesseract"), *_rows(p=0.002)], path)
    write_escalations(_rows(chosen=False), path)
    found = [(row.fallback, row.p, row.part) for row in read_rows(path, EscalationRow)]
    assert ("bposd", 0.003, "chosen") not in found
    assert len(found) == 5 + 5 + 4
    with pytest.raises(CascadeError, match="at least one row"):
        write_escalations([], path)
