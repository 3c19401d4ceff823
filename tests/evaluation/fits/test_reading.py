"""Points from sinter's CSV and from tables of rates, and how they are sorted into curves."""

import json
from pathlib import Path

import pytest
import sinter

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation import Row
from cascade_qec.evaluation.fits.points import curves
from cascade_qec.evaluation.fits.reading import read_points
from cascade_qec.tables import write_rows

METADATA = {"code": "bb72", "d": 6, "n": 72, "k": 12, "p": 0.003, "rounds": 6, "basis": "Z", "noise": "uniform"}


def _sinter(path: Path, *tasks: dict, shots: int = 100, errors: int = 7, discards: int = 0) -> Path:
    lines = [sinter.CSV_HEADER]
    for i, metadata in enumerate(tasks):
        lines.append(
            sinter.TaskStats(
                strong_id=f"id{i}",
                decoder="bposd",
                json_metadata=metadata,
                shots=shots,
                errors=errors,
                discards=discards,
                seconds=1,
            ).to_csv_line()
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def _row(**changes) -> Row:
    values = {
        "code": "surface_d5",
        "p": 0.003,
        "rounds": 5,
        "bases": "ZX",
        "k": 1,
        "decoder": "pymatching",
        "shots": 1000,
        "failures": 12,
        "microseconds_per_shot": 1.0,
        "seed": 3,
    }
    return Row(**(values | changes))


def test_sinter_rows(tmp_path):
    first = _sinter(tmp_path / "a.csv", METADATA, METADATA | {"basis": "X"}, discards=20)
    second = _sinter(tmp_path / "b.csv", METADATA)
    points = read_points([first, second])
    assert [(p.code, p.p, p.bases, p.shots, p.failures, p.k, p.n, p.checks) for p in points] == [
        ("bb72", 0.003, "Z", 80, 7, 12, 72, 72),
        ("bb72", 0.003, "X", 80, 7, 12, 72, 72),
        ("bb72", 0.003, "Z", 100, 7, 12, 72, 72),
    ]
    (pooled,) = curves(points)
    assert [(p.bases, p.shots, p.failures) for p in pooled.points] == [("XZ", 260, 21)]
    apart = curves(points, pooled=False)
    assert [(c.first.bases, c.first.shots) for c in apart] == [("Z", 180), ("X", 80)]
    assert pooled.qubits_per_logical == 12


def test_codes_of_others_need_k(tmp_path):
    foreign = {"code": "mine", "n": 20, "k": 2, "p": 0.01, "rounds": 4, "basis": "Z"}
    (point,) = read_points([_sinter(tmp_path / "a.csv", foreign)])
    assert (point.k, point.d, point.checks, point.noise) == (2, None, None, "uniform")
    del foreign["k"]
    with pytest.raises(CascadeError, match="or, beside another, k in json_metadata, got mine"):
        read_points([_sinter(tmp_path / "a.csv", foreign)])


def test_tables_of_rates(tmp_path):
    write_rows(tmp_path / "rates.csv", [_row(), _row(p=0.001, failures=0), _row(seed=4, bases="XZ")])
    (curve,) = curves(read_points([tmp_path / "rates.csv"]))
    assert [(p.p, p.bases, p.shots, p.failures) for p in curve.points] == [
        (0.001, "XZ", 1000, 0),
        (0.003, "XZ", 2000, 24),
    ]
    assert not curve.holds(0.001)
    assert curve.holds(0.003)
    assert curve.at(0.002) is None
    assert [len(c.points) for c in curves(curve.points, p_max=0.002)] == [1]


def test_bases_in_different_company_are_different_curves(tmp_path):
    points = read_points([_sinter(tmp_path / "a.csv", METADATA, METADATA | {"basis": "X"}, METADATA | {"p": 0.002})])
    assert [(c.first.bases, c.first.p) for c in curves(points)] == [("XZ", 0.003), ("Z", 0.002)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([_row(), _row()], "expected each shot once"),
        ([_row(parameters="beam=5"), _row(parameters="beam=15", seed=4)], "one set of parameters"),
        ([_row(code="unknown")], "a code of the registry, got 'unknown'"),
        ([_row(p=0.0)], "expected 0 < p <= 1"),
    ],
)
def test_tables_that_do_not_add_up(rows, message, tmp_path):
    write_rows(tmp_path / "rates.csv", rows)
    with pytest.raises(CascadeError, match=message):
        read_points([tmp_path / "rates.csv"])


def test_files_that_are_no_tables(tmp_path):
    good = _sinter(tmp_path / "good.csv", METADATA)
    with pytest.raises(CascadeError, match="each file once"):
        read_points([good, tmp_path / ".." / tmp_path.name / "good.csv"])
    with pytest.raises(CascadeError, match="cannot be read"):
        read_points([tmp_path / "none.csv"])
    for text, message in (
        ("a,b\n1,2\n", "got a, b"),
        ("", "found an empty file"),
        (sinter.CSV_HEADER + "\n", "at least one row"),
        (sinter.CSV_HEADER + "\nx,y\n", "with sinter's columns: invalid literal"),
        (sinter.CSV_HEADER + "\n100,1\n", r"with sinter's columns: int\(\)"),
        (sinter.CSV_HEADER + f"\n1,2,0,1.0,d,abc,{_quoted(METADATA)},\n", "fewer shots than errors"),
        (sinter.CSV_HEADER + f"\n1,0,0,1.0,d,abc,{_quoted([1])},\n", "in json_metadata, got none"),
        (sinter.CSV_HEADER + f"\n1,0,0,1.0,d,abc,{_quoted(METADATA | {'p': 'high'})},\n", "expected p as float"),
    ):
        bad = tmp_path / "bad.csv"
        bad.write_text(text)
        with pytest.raises(CascadeError, match=message):
            read_points([bad])


def _quoted(metadata: object) -> str:
    return '"' + json.dumps(metadata).replace('"', '""') + '"'
