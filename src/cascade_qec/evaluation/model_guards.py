"""What the guards see of a model: on shots of their own, and among measurements."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.evaluation.tables import Row
from cascade_qec.guards import Guards, floor
from cascade_qec.statistics import Counts
from cascade_qec.training.validation import Validator
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
    if made.head == "local":  # its calibration is one of what a search decides, which a validation does not see
        made = made.model_copy(update={"calibration": None})
    by = decoder.runtime
    dtype = torch.float32 if by.precision == "float32" else torch.bfloat16
    validator = Validator(made, device=torch.device(by.device), dtype=dtype, batch=_BATCH, seed=seed)
    return validator(decoder.network, [made.noise_p], _SHOTS).guards


def with_floor(guards: Guards, decoder: CascadeDecoder, rows: Iterable[Row | Measurement]) -> Guards:
    """The same guards with the floor among the model's own rows, of those with its rounds."""
    counts: dict[float, Counts] = {}
    for row in rows:
        if row.rounds == decoder.description.rounds:
            failures, shots = counts.get(row.p, (0, 0))
            counts[row.p] = Counts(failures + row.failures, shots + row.shots)
    return guards.model_copy(update={"floor": floor(counts, decoder.code.k)})
