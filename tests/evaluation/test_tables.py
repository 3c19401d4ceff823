import csv
import json

import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation import Row, block_error, read_csv, write_csv, write_json

ROWS = [
    Row(
        code="bb72",
        p=0.003,
        rounds=6,
        bases="XZ",
        k=12,
        decoder=decoder,
        parameters="osd_order=60, osd_method=osd_cs",
        shots=1000,
        failures=failed,
        microseconds_per_shot=8123.4,
        seed=1,
    )
    for decoder, failed in (("bposd", 90), ("bposd-filtered", 0))
]


def test_csv_comes_back(tmp_path):
    path = tmp_path / "rates.csv"
    write_csv(ROWS, path)
    assert read_csv(path) == ROWS
    (record, _) = csv.DictReader(path.read_text().splitlines())
    assert float(record["block_error"]) == 0.09
    assert float(record["block_error_high"]) == block_error(90, 1000).high
    assert float(record["per_logical_per_cycle"]) == ROWS[0].per_logical_per_cycle.value


def test_json_has_the_same_columns(tmp_path):
    write_json(ROWS, tmp_path / "rates.json")
    assert json.loads((tmp_path / "rates.json").read_text()) == [row.columns() for row in ROWS]


def test_nothing_to_write_leaves_no_file(tmp_path):
    with pytest.raises(CascadeError, match="at least one row"):
        write_csv([], tmp_path / "rates.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [(",shots,", ",shoots,", "line 2, column shots"), (",1000,", ",many,", "line 2, column shots")],
)
def test_damaged_csv_is_refused(tmp_path, old, new, message):
    path = tmp_path / "rates.csv"
    write_csv(ROWS, path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(CascadeError, match=message):
        read_csv(path)


def test_missing_csv_is_refused(tmp_path):
    with pytest.raises(CascadeError, match="cannot be read"):
        read_csv(tmp_path / "none.csv")
