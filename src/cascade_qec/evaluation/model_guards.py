"""What the guards see of a model: on shots of their own, and among measurements."""

from __future__ import annotations

from collections.abc import Iterable

from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.evaluation.tables import Row
from cascade_qec.guards import Guards, floor
from cascade_qec.lattice import memory_lattice
from cascade_qec.nn import Geometry
from cascade_qec.statistics import Counts
from cascade_qec.training.recipe import BatchSettings, NoiseCurriculum, OptimizerSettings, Recipe, ValidationSettings
from cascade_qec.training.validation import validate
from cascade_qec.zoo.card import Measurement

_SHOTS = 2000
"""Of each basis."""

_BATCH = 100
"""Shots at a time: those of the largest codes fit into any memory."""

SEED = 0x67756172
"""Of the shots, unless another is asked for; no recipe has it."""


def see_guards(decoder: CascadeDecoder, *, seed: int = SEED) -> Guards:
    """Decode some shots of each basis at the noise of training, as a validation of training does.

    There is one noise rate, and so no floor: see `with_floor`.
    """
    made = decoder.description
    recipe = Recipe(
        name="guards",
        code=made.code,
        rounds=made.rounds,
        bases=made.bases,
        seed=seed,
        network=made.network,
        operators=made.operators,
        noise=NoiseCurriculum(model=made.noise_model, p=made.noise_p, start=made.noise_p),
        optimizer=OptimizerSettings(steps=1),
        batch=BatchSettings(shots=_BATCH),
        validation=ValidationSettings(p=[made.noise_p], shots=_SHOTS),
    )
    lattices = [memory_lattice(decoder.code, made.rounds, basis) for basis in made.bases]
    geometry = Geometry(lattices, made.network.convolution, made.operators).to(decoder.device)
    return validate(decoder.network, geometry, made.operators, recipe, decoder.dtype).guards


def with_floor(guards: Guards, decoder: CascadeDecoder, rows: Iterable[Row | Measurement]) -> Guards:
    """The same guards with the floor among the model's own rows, of those with its rounds."""
    counts: dict[float, Counts] = {}
    for row in rows:
        if row.rounds == decoder.description.rounds:
            failures, shots = counts.get(row.p, (0, 0))
            counts[row.p] = Counts(failures + row.failures, shots + row.shots)
    return guards.model_copy(update={"floor": floor(counts, decoder.code.k)})
