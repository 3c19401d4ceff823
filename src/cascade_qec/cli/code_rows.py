"""Codes as rows of a table: what they are, and how their circuits do."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_qec.circuits import circuit_distance
from cascade_qec.cli.table import Column, show
from cascade_qec.codes import BASES, Basis, CSSCode, opposite
from cascade_qec.tables import Circumstances, circumstances


class CodeRow(Circumstances):
    """A code.

    Attributes
    ----------
    code, family : str
    n, k : int
    d : int or None
        As published, where it is more than a bound.
    lightest : int or None
        Weight of the lightest error that no check sees and that flips an observable, as found: no less than d. None
        where it was not searched for.
    x_checks, z_checks : str
        Their number, and what they weigh: "36 of 6".
    translations : int
    depth : int
        Layers of CNOTs in a round.
    circuit_distance : int or None
        The fewest faults of a circuit that flip an observable unseen, as found; see `cascade_qec.circuits`. None where
        none were searched for, or found.
    rounds : int or None
        Of those circuits.
    """

    code: str
    family: str
    n: int
    k: int
    d: int | None
    lightest: int | None
    x_checks: str
    z_checks: str
    translations: int
    depth: int
    circuit_distance: int | None
    rounds: int | None


def code_row(code: CSSCode, *, search: bool = True, rounds: int | None = None, size: int = 4) -> CodeRow:
    """The row of a code.

    Parameters
    ----------
    code
    search
        Whether to search for its lightest logical operators.
    rounds
        Of the circuits whose distance is searched for, if it is to be.
    size
        As `cascade_qec.circuits.circuit_distance` has it.
    """
    # Errors that flip an observable of one basis are logical operators of the other.
    against: list[Basis] = [opposite(basis) for basis in BASES if len(code.checks(basis))]
    x_checks, z_checks = (_weights(code.checks(basis).sum(axis=1).tolist()) for basis in BASES)
    return CodeRow(
        code=code.name,
        family=code.family,
        n=code.n,
        k=code.k,
        d=code.d,
        lightest=min(int(code.logicals(basis)[0].sum()) for basis in against) if search else None,
        x_checks=x_checks,
        z_checks=z_checks,
        translations=len(code.translations),
        depth=code.schedule.depth,
        circuit_distance=None if rounds is None else circuit_distance(code, rounds=rounds, size=size),
        rounds=rounds,
        **circumstances(),
    )


def _weights(weights: Sequence[int]) -> str:
    return " + ".join(f"{weights.count(weight)} of {weight}" for weight in sorted(set(weights))) or "none"


def show_codes(rows: Sequence[CodeRow]) -> None:
    """Print rows as a table."""
    columns: list[Column[CodeRow]] = [
        Column("code", lambda row: row.code),
        Column("n", lambda row: str(row.n), right=True),
        Column("k", lambda row: str(row.k), right=True),
        Column("d", lambda row: distance(row), right=True),
        Column("X checks", lambda row: row.x_checks, spare=2),
        Column("Z checks", lambda row: row.z_checks, spare=2),
        Column("depth", lambda row: str(row.depth), right=True),
        Column("circuit\ndistance", lambda row: bound(row.circuit_distance), right=True, spare=1),
    ]
    show(rows, columns)


def distance(row: CodeRow) -> str:
    """The distance, or what it is at most."""
    return bound(row.lightest) if row.d is None else str(row.d)


def bound(found: int | None) -> str:
    """What something is at most, if anything was found."""
    return "" if found is None else f"<= {found}"
