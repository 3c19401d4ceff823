"""What collections hold of each experiment and decoder, both bases together."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sinter

from cascade_qec import codes
from cascade_qec.decoders import classical
from cascade_qec.decoders.protocol import settings
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.collection.store import read_store
from cascade_qec.evaluation.tables import Row

_NO_SEED = 0
"""Of rows made of collections, whose shots are nobody else's."""


@dataclass
class Cell:
    """Counts of one decoder at one noise rate.

    Attributes
    ----------
    by_basis
        Tasks of the experiment, one for each basis.
    """

    by_basis: dict[str, sinter.TaskStats] = field(default_factory=dict)

    def total(self) -> sinter.AnonTaskStats:
        """Over all bases."""
        return sum((stats.to_anon_stats() for stats in self.by_basis.values()), start=sinter.AnonTaskStats())


def pooled(path: Path) -> dict[tuple[tuple[str, int, str], str, float], Cell]:
    """Cells of a collection by experiment (code, rounds, noise), decoder and p, in the order of the file.

    Raises
    ------
    CascadeError
        If the file is no collection, or has a decoder with two sets of parameters on one experiment.
    """
    cells: dict[tuple[tuple[str, int, str], str, float], Cell] = {}
    for stats in read_store(path):
        about = stats.json_metadata
        experiment = (about["code"], about["rounds"], about["noise"])
        cell = cells.setdefault((experiment, stats.decoder, about["p"]), Cell())
        others = [other.json_metadata["parameters"] for other in cell.by_basis.values()]
        if about["basis"] in cell.by_basis or any(other != about["parameters"] for other in others):
            raise CascadeError(
                f"{path}: expected one task of {stats.decoder} for each basis at p = {about['p']:g}, all with the "
                f"same parameters; got others with {about['parameters']} for basis {about['basis']}"
            )
        if stats.shots > stats.discards:
            cell.by_basis[about["basis"]] = stats
    return {key: cell for key, cell in cells.items() if cell.by_basis}


def rivals_of(path: Path, *, code: str, rounds: int, noise: str, bases: Iterable[str]) -> list[Row]:
    """Rows of the classical decoders that a collection has on an experiment, where it has all of the bases.

    Raises
    ------
    CascadeError
        As `pooled`; or if there is no such row.
    """
    wanted, rows = set(bases), []
    for (experiment, decoder, p), cell in pooled(path).items():
        total = cell.total()
        if experiment != (code, rounds, noise) or decoder.startswith("cascade") or set(cell.by_basis) != wanted:
            continue
        about = next(iter(cell.by_basis.values())).json_metadata
        rows.append(
            Row(
                code=code,
                p=p,
                rounds=rounds,
                bases="".join(cell.by_basis),
                k=codes.get(code).k,
                decoder=decoder,
                parameters=_parameters(decoder, about["parameters"]),
                shots=total.shots - total.discards,
                failures=total.errors,
                microseconds_per_shot=1e6 * total.seconds / total.shots,
                seed=_NO_SEED,
            )
        )
    if not rows:
        raise CascadeError(
            f"{path}: expected classical decoders on {code}, {rounds} rounds, {noise} noise, bases "
            f"{''.join(sorted(wanted))}; got none"
        )
    return rows


def _parameters(decoder: str, collected: dict[str, Any]) -> str:
    """In the decoder's own order where they are its own, as other tables have them; a collection's are sorted."""
    own = classical.get(decoder)
    if json.loads(json.dumps(dict(own.parameters))) == collected:
        return settings(own)
    return ", ".join(f"{name}={value}" for name, value in collected.items())


def larger_samples(rows: Iterable[Row]) -> list[Row]:
    """Those rows that have the most shots of each decoder, noise rate and number of rounds, sorted by noise rate."""
    best: dict[tuple[float, int, str], Row] = {}
    for row in rows:
        key = (row.p, row.rounds, row.decoder)
        before = best.get(key)
        if before is None or row.shots > before.shots:
            best[key] = row
    return sorted(best.values(), key=lambda row: row.p)
