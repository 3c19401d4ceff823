"""The two bases of a CSS code: of checks, logical operators and experiments."""

from __future__ import annotations

from typing import Literal

from cascade_qec.errors import CascadeError

Basis = Literal["X", "Z"]
BASES: tuple[Basis, Basis] = ("X", "Z")


def check_basis(basis: str) -> None:
    """Raise :class:`CascadeError` unless ``basis`` is "X" or "Z"."""
    if basis not in BASES:
        raise CascadeError(f'expected basis "X" or "Z", got {basis!r}')


def opposite(basis: Basis) -> Basis:
    """The other basis."""
    return "Z" if basis == "X" else "X"
