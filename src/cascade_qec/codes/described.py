"""Codes of one's own, each described in a TOML file whose path is its name."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from cascade_qec.codes.css import CSSCode
from cascade_qec.codes.family import Family
from cascade_qec.codes.group import GroupCode
from cascade_qec.codes.lifted_product import LiftedProductCode
from cascade_qec.codes.polynomial import Matrix, group_of
from cascade_qec.codes.two_block import TwoBlockCode
from cascade_qec.errors import CascadeError

_ENDING = ".toml"
_KEYS = {"group", "a", "b", "x", "z", "d", "layers"}


def read_code(path: str | Path) -> GroupCode:
    """The code that a TOML file describes, named by the file's path.

    Parameters
    ----------
    path
        Of a file with `group`, the order of one generator or a list of several, and either polynomials `a` and `b` (a
        `TwoBlockCode`), matrices of polynomials `a` and, unless it is A*, `b` (a `LiftedProductCode`), or matrices `x`
        and `z` (a `GroupCode`). `d` and `layers` as these have them.

    Raises
    ------
    CascadeError
        If the file cannot be read or describes no code; the message names the file.
    """
    try:
        given = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise CascadeError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no text, no TOML, or a number of too many digits
        raise CascadeError(f"{path}: not valid TOML: {error}") from error
    try:
        return _code(given, str(path))
    except CascadeError as error:
        raise CascadeError(f"{path}: {error}") from error


def _code(given: dict[str, Any], name: str) -> GroupCode:
    if unknown := sorted(given.keys() - _KEYS):
        raise CascadeError(f"expected the keys {', '.join(sorted(_KEYS))}; got {', '.join(unknown)}")
    sizes = given.get("group")
    if not isinstance(sizes, (int, list)):
        raise CascadeError(f"expected group = [l, m] or group = l, got {sizes!r}")
    group = group_of(sizes)
    named = {"name": name, "family": "described", "d": _distance(given.get("d"))}
    a, b, x, z = (given.get(key) for key in ("a", "b", "x", "z"))
    layers = _layers(given.get("layers"))
    if x is not None and z is not None and a is None and b is None:
        return GroupCode(group, _matrix(x, "x"), _matrix(z, "z"), layers=layers, **named)
    if a is None or x is not None or z is not None:
        raise CascadeError("expected either a and b or x and z")
    if isinstance(a, str) and isinstance(b, str):
        return TwoBlockCode(group, a, b, layers=layers, **named)
    right = None if b is None else _matrix(b, "b")
    return LiftedProductCode(group, _matrix(a, "a"), right, layers=layers, **named)


def _layers(value: Any) -> list[int] | None:
    if value is None:
        return None
    layers: list[Any] = value if isinstance(value, list) else [value]
    if not all(type(layer) is int for layer in layers):
        raise CascadeError(f"expected layers as a list of numbers, got {value!r}")
    return layers


def _distance(value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise CascadeError(f"expected d as a whole number from 1, got {value!r}")
    return value


def _matrix(value: object, key: str) -> Matrix:
    rows = [[value]] if isinstance(value, str) else value
    if not isinstance(rows, list) or not all(isinstance(row, list) and all(map(_is_text, row)) for row in rows):
        raise CascadeError(f"expected {key} as a polynomial or as rows of polynomials, got {value!r}")
    return rows


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _find(name: str) -> CSSCode | None:
    return read_code(name) if name.endswith(_ENDING) else None


FAMILY = Family(
    name="described",
    title="Codes described in files",
    find=_find,
    names=(),
    expected=f"the path of a {_ENDING} file that describes one",
    recognised=(),
)
