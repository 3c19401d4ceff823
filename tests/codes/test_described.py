# codes.get promises no more than a CSSCode.
# pyright: reportAttributeAccessIssue=false

"""Codes described in files."""

import numpy as np
import pytest

from cascade_qec import codes
from cascade_qec.errors import CascadeError


def described(folder, text: str) -> codes.CSSCode:
    (folder / "mine.toml").write_text(text)
    return codes.read_code(folder / "mine.toml")


@pytest.mark.parametrize(
    ("text", "kind", "sizes"),
    [
        ('group = 24\na = "1+x^2+x^8+x^15"\nb = "1+x^2+x^12+x^17"\nd = 8', "TwoBlockCode", (48, 6, 8)),
        ('group = [7]\na = [["1", "x", "x^3"], ["1", "x^2", "x^5"]]', "LiftedProductCode", (91, 11, None)),
        ('group = [3, 2]\na = [["1+x", "x+y"]]\nb = "1+x*y"', "LiftedProductCode", (18, 3, None)),
        ('group = [3, 3, 3]\na = "1+x+y+z"\nb = "1+x*y+y*z+x*z"', "TwoBlockCode", (54, 2, None)),
        (
            'group = [3, 3]\nx = [["1+x", "1+y"]]\nz = [["1+y^-1", "1+x^-1"]]\nd = 3',
            "GroupCode",
            (18, 2, 3),
        ),
    ],
)
def test_a_file_gives_a_code(tmp_path, text, kind, sizes):
    code = described(tmp_path, text)
    assert type(code).__name__ == kind
    assert (code.n, code.k, code.d) == sizes
    assert code.name == str(tmp_path / "mine.toml")


def test_its_path_is_its_name(tmp_path):
    code = described(tmp_path, 'group = 23\na = "1+x^5+x^8+x^12"\nb = "1+x+x^5+x^7"\nlayers = [2, 3, 4, 5, 7, 6, 1, 0]')
    named = codes.get(code.name)
    assert codes.get(code.name) is named
    np.testing.assert_array_equal(named.hx, codes.get("gb46").hx)
    assert named.schedule.x == (7, 6, 0, 1, 2, 3, 5, 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("group = ", "not valid TOML"),
        (f"group = {'[' * 50_000}", "not valid TOML"),
        ('group = 100000000\na = "1+x"\nb = "1+x"', "expected a group of at most 4,096 elements, got 100,000,000"),
        ('group = 3\na = "1+x"\nc = "1"', "expected the keys a, b, .*; got c"),
        ('a = "1+x"', r"expected group = \[l, m\] or group = l, got None"),
        ('group = []\na = "1"', "expected a group of one cycle to 8, got 0"),
        ('group = [3, 3, 3]\na = "1+w"\nb = "1"', r"term 2 \('w'\) .* powers of x, y and z"),
        ('group = 0\na = "1+x"\nb = "1+x"', "expected x to be of order 1 at least, got 0"),
        ('group = ["3", 3]\na = "1+x"\nb = "1+x"', "expected the order of x as an integer, got '3'"),
        ('group = 3\na = "1+x"\nx = [["1"]]', "either a and b or x and z"),
        ('group = 3\nx = [["1"]]', "either a and b or x and z"),
        ('group = 3\na = 3\nb = "1"', "expected a as a polynomial or as rows of polynomials, got 3"),
        ("group = 3\na = [[1, 2]]", r"rows of polynomials, got \[\[1, 2\]\]"),
        ('group = 3\na = "1+x"\nb = "1+x"\nd = "3"', "expected d as a whole number from 1, got '3'"),
        ('group = 3\na = "1+x"\nb = "1+x"\nd = 0', "expected d as a whole number from 1, got 0"),
        (f"group = {'9' * 5_000}", "not valid TOML"),
        ('group = 3\na = "1+x^' + "9" * 5_000 + '"\nb = "1+x"', "a product of powers"),
        ("group = 9\na = [[" + "'1'," * 300 + "]]", "at most 16,384 data qubits, and checks of a basis, got 810,009"),
        (
            "group = 9\nx = [[" + "'1'," * 2_000 + "]]\nz = [[" + "'1'," * 2_000 + "]]",
            "at most 16,384 data qubits, .* got 18,000",
        ),
        ('group = 3\na = "1+x"\nb = "1+x"\nlayers = [0, "1"]', "layers as a list of numbers"),
        ('group = 3\na = "1+x"\nb = "1+x"\nlayers = [0, 1, 2, 3]', "a layer of its own"),
        ('group = 3\na = "1+w"\nb = "1+x"', r"term 2 \('w'\)"),
    ],
)
def test_what_describes_no_code_is_refused(tmp_path, text, said):
    with pytest.raises(CascadeError, match=rf"mine\.toml: .*{said}"):
        described(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CascadeError, match=r"none\.toml: cannot be read: No such file"):
        codes.get(str(tmp_path / "none.toml"))
