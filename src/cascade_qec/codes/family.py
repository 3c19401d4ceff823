"""Families of codes: what there is, and how each is named. All else that depends on a family hangs on its codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from cascade_qec.codes.css import CSSCode
from cascade_qec.errors import unknown


@dataclass(frozen=True)
class Family:
    """A family of codes.

    Attributes
    ----------
    name
        What `CSSCode.family` of its codes is.
    title
        What figures and tables call it.
    find
        The code of a name, None for a name of another family.
    names
        Names of the codes that lists show.
    expected
        How its names look, for errors.
    recognised
        Names of the codes that an error model from anywhere is compared with, and a circuit unless `sized` is given.
    sized
        Names of the codes with so many data qubits, of a family that has more than it can list.
    rectangles
        Names of more codes that an error model is compared with, and how many checks of X and of Z they have: they are
        too many to be made unless the number of detectors fits.
    """

    name: str
    title: str
    find: Callable[[str], CSSCode | None]
    names: tuple[str, ...]
    expected: str
    recognised: tuple[str, ...]
    sized: Callable[[int], Sequence[str]] | None = None
    rectangles: Mapping[str, tuple[int, int]] = field(default_factory=dict)


_families: dict[str, Family] = {}


def register(family: Family) -> None:
    """Make a family known, in place of one of the same name; its codes can then be named, recognised and drawn."""
    _families[family.name] = family
    get.cache_clear()


def families() -> tuple[Family, ...]:
    """All families, in the order in which lists and figures have them."""
    return tuple(_families.values())


def names() -> tuple[str, ...]:
    """Names of the codes that lists show; :func:`get` knows larger surface codes, too."""
    return tuple(name for family in families() for name in family.names)


def of_size(n: int) -> list[CSSCode]:
    """All codes with `n` data qubits that a circuit from anywhere may be of."""
    found: list[CSSCode] = []
    for family in families():
        codes = (get(name) for name in (family.recognised if family.sized is None else family.sized(n)))
        found += [code for code in codes if code.n == n]
    return found


@cache
def get(name: str) -> CSSCode:
    """Look up a code by its name: one of :func:`names`, or another size of a family that has any, as "surface_3x5".

    The same name gives the same object, so that its logicals are searched for once in a process.

    Raises
    ------
    CascadeError
        If there is no code of that name.

    Examples
    --------
    >>> get("bb144").n
    144
    >>> get("surface_d3") is get("surface_d3")
    True
    """
    for family in families():
        code = family.find(name)
        if code is not None:
            return code
    raise unknown("code", name, names(), " or ".join(family.expected for family in families()))
