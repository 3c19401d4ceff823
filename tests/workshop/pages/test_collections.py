"""The tables of rivals in docs/results.md, and what is made of collections for them."""

from pathlib import Path

import pytest
import sinter

from cascade_qec.errors import CascadeError
from workshop.pages.collections import rivals


def _row(decoder: str, p: float, basis: str, shots: int, errors: int, seconds: float, **others: object) -> str:
    about = {"code": "bb72", "rounds": 6, "noise": "uniform", "p": p, "basis": basis, "parameters": {}} | others
    return sinter.TaskStats(
        strong_id=str((decoder, sorted(about.items()))),
        decoder=decoder,
        json_metadata=about,
        shots=shots,
        errors=errors,
        seconds=seconds,
    ).to_csv_line()


@pytest.fixture
def collection(tmp_path):
    def written(*rows: str) -> Path:
        path = tmp_path / "bb72.csv"
        path.write_text("\n".join([sinter.CSV_HEADER, *rows]) + "\n")
        return path

    return written


def test_rows_of_a_task_and_of_both_bases_add_up(collection):
    path = collection(
        _row("cascade:bb72", 0.003, "Z", 400, 1, 0.01),
        _row("cascade:bb72", 0.003, "Z", 100, 0, 0.01),
        _row("cascade:bb72", 0.003, "X", 500, 0, 0.01),
        _row("tesseract", 0.005, "Z", 4000, 100, 9000.0),
        _row("cascade:bb72", 0.001, "Z", 1000, 0, 0.25),
        _row("cascade:bb72", 0.001, "X", 1000, 0, 0.25),
    )
    assert rivals(path) == [
        "| decoder | 0.1 % | 0.3 % | 0.5 % |",
        "| --- | ---: | ---: | ---: |",
        "| cascade:bb72 | 0 [0, 1.9e-3]<br>2,000 shots, 250 µs | 1.0e-3 [1.8e-4, 5.6e-3]<br>1,000 shots, 30 µs |  |",
        "| tesseract |  |  | 2.5e-2 [2.1e-2, 3.0e-2]<br>4,000 shots, basis Z, 2.2 s |",
    ]


def test_each_experiment_has_a_table(collection):
    rows = [_row("bposd", 0.01, basis, 100, 50, 0.5, rounds=rounds) for rounds in (6, 3) for basis in "XZ"]
    lines = rivals(collection(*rows))
    assert [line for line in lines if line and line[0] != "|"] == [
        "bb72, 6 rounds, uniform noise",
        "bb72, 3 rounds, uniform noise",
    ]
    assert lines.count("| bposd | 5.0e-1 [4.3e-1, 5.7e-1]<br>200 shots, 5 ms |") == 2


def test_other_parameters_are_not_added(collection):
    rows = [_row("bposd", 0.01, basis, 100, 50, 0.5, parameters={"osd_order": i}) for i, basis in enumerate("XZ")]
    with pytest.raises(CascadeError, match=r"same parameters; got others with \{'osd_order': 1\} for basis Z"):
        rivals(collection(*rows))


def test_nothing_collected_is_said(collection, tmp_path):
    assert rivals(tmp_path / "none.csv") == ["Not collected yet."]
    assert rivals(collection()) == ["Not collected yet."]
