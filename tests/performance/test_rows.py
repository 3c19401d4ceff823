"""Rows and their files."""

import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.performance.rows import SpeedRow, read_rows, write_rows


class Row(SpeedRow):
    speed: float
    ratio: float | None


def row(**changes) -> Row:
    facts = {
        "device": "cpu",
        "precision": "float32",
        "threads": 1,
        "hardware": "an abacus",
        "versions": "",
        "commit": "",
    }
    return Row.model_validate(facts | {"recipe": "a", "variant": "stock", "speed": 0.1 + 0.2, "ratio": None} | changes)


def test_rows_come_back_from_a_file(tmp_path):
    path = tmp_path / "new" / "speeds.csv"
    rows = [row(), row(recipe="b", ratio=2.5, hardware='"two, cores"')]
    write_rows(rows, path)
    assert read_rows(path, Row) == rows


def test_a_measurement_replaces_its_predecessor_and_no_other(tmp_path):
    path = tmp_path / "speeds.csv"
    write_rows([row(), row(variant="triton"), row(threads=2), row(recipe="b")], path)
    write_rows([row(speed=9.0)], path)
    assert [(r.recipe, r.variant, r.threads, r.speed) for r in read_rows(path, Row)] == [
        ("a", "stock", 2, 0.1 + 0.2),
        ("b", "stock", 1, 0.1 + 0.2),
        ("a", "stock", 1, 9.0),
    ]


def test_what_is_no_table_of_speeds_is_refused(tmp_path):
    path = tmp_path / "speeds.csv"
    with pytest.raises(CascadeError, match="at least one row"):
        write_rows([], path)
    with pytest.raises(CascadeError, match="cannot be read"):
        read_rows(path, Row)
    path.write_text("recipe,shots\na,1\n")
    before = path.read_bytes()
    with pytest.raises(CascadeError, match=r"line 2, column variant: Field required"):
        write_rows([row()], path)
    assert path.read_bytes() == before
