"""The tables of benchmarks/results are read by what declares them, and written as they are."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from cascade_qec.evaluation.escalation.table import EscalationRow
from cascade_qec.evaluation.latency.table import LatencyRow
from cascade_qec.evaluation.rare_events.results import RareRow, SpectrumRow
from cascade_qec.evaluation.reliability.tables import CalibrationRow, PostSelectionRow, ReliabilityRow
from cascade_qec.tables import read_rows, write_rows

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("escalation.csv", EscalationRow),
        ("latency_cpu.csv", LatencyRow),
        ("rare/rare.csv", RareRow),
        ("rare/spectrum.csv", SpectrumRow),
        ("confidence/bb72/calibration.csv", CalibrationRow),
        ("confidence/bb72/post_selection.csv", PostSelectionRow),
        ("confidence/bb72/reliability.csv", ReliabilityRow),
    ],
)
def test_a_table_that_was_read_is_written_byte_for_byte(name: str, kind: type[BaseModel], tmp_path: Path) -> None:
    write_rows(tmp_path / "again.csv", read_rows(RESULTS / name, kind))
    assert (tmp_path / "again.csv").read_bytes() == (RESULTS / name).read_bytes()
