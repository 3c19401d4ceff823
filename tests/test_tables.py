"""Rows and their files."""

import csv
import math
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from cascade_qec import evaluation
from cascade_qec.errors import CascadeError
from cascade_qec.statistics import Interval, wilson
from cascade_qec.tables import Circumstances, circumstances, columns, put_rows, read_rows, write_rows


class Speed(Circumstances):
    recipe: str
    variant: str
    threads: int = 1
    speed: float
    ratio: float | None = None

    @property
    def place(self):
        return self.recipe, self.threads


class Figure(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    value: Interval | None
    note: str = ""


def speed(**changes) -> Speed:
    about = {"hardware": '"two, cores"', "versions": "", "commit": ""}
    return Speed.model_validate(about | {"recipe": "a", "variant": "stock", "speed": 0.1 + 0.2} | changes)


def put(path: Path, *rows: Speed) -> None:
    put_rows(path, rows, place=lambda row: row.place)


def records(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_rows_come_back_from_a_file(tmp_path):
    rows = [speed(), speed(recipe="b", ratio=2.5)]
    put(tmp_path / "new" / "speeds.csv", *rows)
    assert read_rows(tmp_path / "new" / "speeds.csv", Speed) == rows


def test_circumstances_come_last(tmp_path):
    write_rows(tmp_path / "speeds.csv", [speed(**circumstances())])
    (record,) = records(tmp_path / "speeds.csv")
    assert list(record) == ["recipe", "variant", "threads", "speed", "ratio", "hardware", "versions", "commit"]
    assert "torch" in record["versions"]


def test_a_measurement_replaces_its_predecessor_and_no_other(tmp_path):
    path = tmp_path / "speeds.csv"
    put(path, speed(), speed(variant="triton"), speed(threads=2), speed(recipe="b"))
    put(path, speed(speed=9.0))
    assert [(r.recipe, r.variant, r.threads, r.speed) for r in read_rows(path, Speed)] == [
        ("a", "stock", 2, 0.1 + 0.2),
        ("b", "stock", 1, 0.1 + 0.2),
        ("a", "stock", 1, 9.0),
    ]


def test_an_interval_is_three_columns(tmp_path):
    path = tmp_path / "figures.csv"
    rows = [
        Figure(name="threshold", value=Interval(0.007, 0.0069, math.inf)),
        Figure(name="lambda", value=None, note="one distance"),
    ]
    write_rows(path, rows)
    assert records(path) == [
        {"name": "threshold", "value": "0.007", "value_low": "0.0069", "value_high": "inf", "note": ""},
        {"name": "lambda", "value": "", "value_low": "", "value_high": "", "note": "one distance"},
    ]
    assert read_rows(path, Figure) == rows
    assert columns(Figure, needed=True) == ["name", "value", "value_low", "value_high"]


def test_rates_are_written_for_readers_elsewhere_and_follow_from_counts_here(tmp_path):
    path = tmp_path / "rates.csv"
    experiment = {"code": "bb72", "p": 0.003, "rounds": 6, "bases": "XZ", "k": 12, "decoder": "bposd", "seed": 1}
    row = evaluation.Row.model_validate(experiment | {"shots": 1000, "failures": 90, "microseconds_per_shot": 8123.4})
    write_rows(path, [row])
    (record,) = records(path)
    assert float(record["block_error"]) == 0.09
    assert float(record["block_error_high"]) == wilson(90, 1000).high
    assert float(record["per_logical_per_cycle"]) == row.per_logical_per_cycle.value
    assert read_rows(path, evaluation.Row) == [row]
    path.write_text(path.read_text().replace(",90,", ",80,"))
    assert read_rows(path, evaluation.Row)[0].block_error.value == 0.08


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",speed,", ",pace,", "expected the columns .*; speed missing from recipe"),
        (",0.5,", ",much,", "line 2, column speed: Input should be a valid number"),
        (",0.5,", ",0.5,1,1,", "line 2: expected as many fields as the header has, got more"),
    ],
)
def test_damaged_tables_are_refused(tmp_path, old, new, message):
    path = tmp_path / "speeds.csv"
    write_rows(path, [speed(speed=0.5)])
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(CascadeError, match=message):
        read_rows(path, Speed)


def test_what_is_no_table_of_such_rows_is_left_alone(tmp_path):
    path = tmp_path / "speeds.csv"
    for write in (write_rows, lambda path, rows: put(path, *rows)):
        with pytest.raises(CascadeError, match="at least one row"):
            write(path, [])
    with pytest.raises(CascadeError, match="cannot be read"):
        read_rows(path, Speed)
    header = ",".join(columns(Speed))
    for text, message in [
        ("recipe,shots\na,1\n", "expected the columns recipe, .*; found shots"),
        ("recipe\na\n", "speed, hardware, versions, commit missing from recipe"),
        (f"{header},load\n", "found load"),
        ("", "found an empty file"),
    ]:
        path.write_text(text)
        with pytest.raises(CascadeError, match=message):
            put(path, speed())
        assert path.read_text() == text


def test_rows_cut_short_are_refused(tmp_path):
    path = tmp_path / "figures.csv"
    path.write_text("name,value,value_low,value_high\nlambda,1.0,0.9\n")
    with pytest.raises(CascadeError, match=r"line 2, column value\.high"):
        read_rows(path, Figure)
