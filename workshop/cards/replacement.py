"""Whether new weights are worth to take the place of those that there are."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cascade_qec.evaluation.comparison import CASCADE
from cascade_qec.evaluation.tables import Row
from cascade_qec.zoo.card import Card

_FEWEST_FAILURES = 10
"""With fewer of them a rate says too little of a model."""


def block_error_ratio(rows: Sequence[Row], card: Card) -> tuple[float, list[float]]:
    """How the block errors of new weights compare with those on a card.

    Parameters
    ----------
    rows
        What the new weights did.
    card
        Of the weights that there are.

    Returns
    -------
    ratio : float
        Geometric mean over the noise rates of the new block error by the old one; NaN without any such rate.
    rates : list of float
        Noise rates at which both saw ten failures or more, on the same numbers of rounds.
    """
    old = {(row.p, row.rounds): row for row in card.measurements if row.basis == "both" or len(card.bases) == 1}
    logs = {}
    for row in rows:
        before = old.get((row.p, row.rounds))
        if row.decoder == CASCADE and before is not None and min(row.failures, before.failures) >= _FEWEST_FAILURES:
            logs[row.p] = math.log(row.block_error.value / before.block_error)
    return (math.exp(sum(logs.values()) / len(logs)) if logs else math.nan), sorted(logs)
