"""Suppression over the distances of trained models, from their cards: the third rung of the surface codes' ladder."""

from __future__ import annotations

from collections.abc import Iterable

from cascade_qec import codes
from cascade_qec.evaluation.comparison import CASCADE
from cascade_qec.evaluation.fits.points import Point, curves
from cascade_qec.evaluation.fits.reading import point_of
from cascade_qec.evaluation.fits.suppression import Suppression, distance_series, suppression
from cascade_qec.zoo.card import Card
from cascade_qec.zoo.ladder import pooled

LAMBDA_RATE = 0.002
"""Noise rate at which the rung asks for Lambda."""

LAMBDA_WANTED = 7.5
"""The rung holds above it."""


def cards_suppression(cards: Iterable[Card]) -> Suppression | None:
    """Lambda over the distances of surface codes, from the best model of each at d rounds with both bases pooled.

    Cards of other codes, and those not measured like that, are left out. None where fewer than two distances were
    measured with failures.
    """
    best: dict[str, Point] = {}
    for card in cards:
        code = codes.get(card.code)
        row = pooled(card.measurements, LAMBDA_RATE, code.d) if code.d else None
        if row is None or row.failures == 0:
            continue
        before = best.get(card.code)
        if before is None or row.failures * before.shots < before.failures * row.shots:
            best[card.code] = point_of(code, CASCADE, LAMBDA_RATE, row.rounds, "XZ", row.shots, row.failures)
    series = distance_series(curves(best.values()))
    return suppression(series[0], LAMBDA_RATE) if series else None
