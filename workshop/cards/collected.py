"""What collections hold of each experiment and decoder, both bases together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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


Key = tuple[tuple[str, int, str], str, float]
"""Experiment (code, rounds, noise), decoder and p."""


def pooled(path: Path) -> dict[Key, dict[str, sinter.TaskStats]]:
    """Counts of each decoder at each noise rate by basis, in the order of a collection's file.

    Raises
    ------
    CascadeError
        If the file is no collection, or has a decoder with two sets of parameters on one experiment.
    """
    found: dict[Key, dict[str, sinter.TaskStats]] = {}
    for stats in read_store(path):
        about = stats.json_metadata
        by_basis = found.setdefault(((about["code"], about["rounds"], about["noise"]), stats.decoder, about["p"]), {})
        others = [other.json_metadata["parameters"] for other in by_basis.values()]
        if about["basis"] in by_basis or any(other != about["parameters"] for other in others):
            raise CascadeError(
                f"{path}: expected one task of {stats.decoder} for each basis at p = {about['p']:g}, all with the "
                f"same parameters; got others with {about['parameters']} for basis {about['basis']}"
            )
        if stats.shots > stats.discards:
            by_basis[about["basis"]] = stats
    return {key: by_basis for key, by_basis in found.items() if by_basis}


def total(by_basis: Mapping[str, sinter.TaskStats]) -> sinter.AnonTaskStats:
    """Counts over all bases."""
    return sum((stats.to_anon_stats() for stats in by_basis.values()), start=sinter.AnonTaskStats())


def rivals_of(path: Path, *, code: str, rounds: int, noise: str, bases: Iterable[str]) -> list[Row]:
    """Rows of the classical decoders that a collection has on an experiment, where it has all of the bases.

    Raises
    ------
    CascadeError
        As `pooled`; or if there is no such row.
    """
    wanted, rows = set(bases), []
    for (experiment, decoder, p), by_basis in pooled(path).items():
        if experiment != (code, rounds, noise) or decoder.startswith("cascade") or set(by_basis) != wanted:
            continue
        about, counts = next(iter(by_basis.values())).json_metadata, total(by_basis)
        rows.append(
            Row(
                code=code,
                p=p,
                rounds=rounds,
                bases="".join(by_basis),
                k=codes.get(code).k,
                decoder=decoder,
                parameters=_parameters(decoder, about["parameters"]),
                shots=counts.shots - counts.discards,
                failures=counts.errors,
                microseconds_per_shot=1e6 * counts.seconds / counts.shots,
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
    """Those rows that have the most shots of each code, decoder, noise rate and rounds, sorted by rate and rounds."""
    best: dict[tuple[str, float, int, str], Row] = {}
    for row in rows:
        key = (row.code, row.p, row.rounds, row.decoder)
        before = best.get(key)
        if before is None or row.shots > before.shots:
            best[key] = row
    return sorted(best.values(), key=lambda row: (row.p, row.rounds))
