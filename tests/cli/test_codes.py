"""``cascade codes``."""

import csv

from cascade_qec.cli import main


def test_codes_are_listed_and_written(tmp_path, capsys):
    table = tmp_path / "codes.csv"
    arguments = ["codes", "list", "surface_d3", "repetition_d5", "toric_3x3", "--search", "10", "--circuits", "10"]
    assert main([*arguments, "--out", str(table)]) == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in ("repetition_d5", "2 of 2 + 2 of 4", "none", "<= 3"))
    rows = {row["code"]: row for row in csv.DictReader(table.read_text().splitlines())}
    assert [rows["repetition_d5"][name] for name in ("d", "lightest", "circuit_distance")] == ["5", "5", "5"]
    assert [rows["toric_3x3"][name] for name in ("n", "k", "d", "lightest", "depth")] == ["18", "2", "3", "", "4"]


def test_all_codes_that_have_names_are_listed(capsys):
    assert main(["codes", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("surface_d21", "unrotated_d9", "bb756", "toric_10x10", "gb254", "lp1054"))


def test_a_description_is_checked(tmp_path, capsys):
    (tmp_path / "mine.toml").write_text('group = [5, 3]\na = "x^4+x^2"\nb = "x+x^2+y+x^2*y^2+x^3"')
    assert main(["codes", "check", str(tmp_path / "mine.toml")]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].endswith("mine.toml [[30, 4, <= 5]]")
    assert shown[-2:] == ["schedule          depth 7", "circuit distance  <= 5, 3 rounds"]


def test_a_short_schedule_is_found(tmp_path, capsys):
    """A toric code as matrices of checks, measured one basis after the other: another order is as short as can be."""
    text = 'group = [3, 3]\nx = [["1 + x", "1 + y"]]\nz = [["1 + y^-1", "1 + x^-1"]]\n'
    (tmp_path / "mine.toml").write_text(text)

    def checked(*arguments: str) -> list[str]:
        assert main(["codes", "check", *arguments]) == 0
        return capsys.readouterr().out.splitlines()[-2:]

    distance = "circuit distance  <= 3, 3 rounds"
    assert checked(str(tmp_path / "mine.toml")) == ["schedule          depth 8", distance]
    found, same = checked(str(tmp_path / "mine.toml"), "--orders", "5")
    assert found.startswith("schedule          depth 4, layers = ")
    assert same == distance
    (tmp_path / "short.toml").write_text(text + found.partition(", ")[2])
    assert checked(str(tmp_path / "short.toml")) == ["schedule          depth 4", distance]
    assert main(["codes", "check", "surface_d3", "--orders", "5"]) == 2
    assert "--orders: expected a code over a group" in capsys.readouterr().err


def test_what_is_no_code_is_told_in_a_line(tmp_path, capsys):
    (tmp_path / "mine.toml").write_text('group = 3\nx = [["1+x"]]\nz = [["1"]]')
    assert main(["codes", "check", str(tmp_path / "mine.toml")]) == 2
    assert capsys.readouterr().err.endswith("checks that commute, but X row 0 and Z row 0 do not\n")


def test_a_size_of_nothing_is_refused(capsys):
    assert main(["codes", "list", "surface_d3", "--size", "5"]) == 2
    assert "--size 5: expected --circuits too" in capsys.readouterr().err
