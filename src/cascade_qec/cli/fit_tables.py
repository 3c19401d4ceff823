"""Measured rates and fits as tables for the terminal."""

from collections.abc import Sequence

import sinter

from cascade_qec.cli.table import Column, console, counted, number, percent, short, show, with_interval
from cascade_qec.evaluation.fit_row import FitRow
from cascade_qec.evaluation.fits.points import Curve, Point
from cascade_qec.statistics import CONVENTION, Interval, per_logical_per_cycle, wilson

_TITLES = {
    "one term": "Over noise",
    "two terms": "Over noise",
    "distances": "Over distance",
    "crossing": "Over distance",
    "resources": "Qubits",
}


def print_fits(curves: Sequence[Curve], rows: Sequence[FitRow], left_out: Sequence[str], *, simulations: int) -> None:
    """Print the rates measured, the fits of each kind, and the conventions of both."""
    show(
        [point for curve in curves for point in curve.points],
        [
            Column("code", lambda point: point.code),
            Column("rounds", lambda point: str(point.rounds), spare=1),
            Column("basis", lambda point: point.bases, spare=2),
            Column("decoder", lambda point: point.decoder),
            Column("p", lambda point: percent(point.p), right=True),
            Column("failures / shots", lambda point: counted(point.failures, point.shots), right=True, spare=3),
            Column("block error", lambda point: with_interval(wilson(point.failures, point.shots)), right=True),
            Column("per logical per cycle", lambda point: with_interval(_per_cycle(point)), right=True),
            Column("any logical\nper cycle", lambda point: short(_piece(point)), right=True, spare=4),
        ],
        notes=[
            f"{CONVENTION}; any logical per cycle: sinter.shot_error_rate_to_piece_error_rate(P, pieces=R, values=k), "
            "sinter's 'piece'."
        ],
        section=lambda point: (point.decoder, point.code, point.noise, point.rounds, point.bases),
    )
    figures = [row for row in rows if row.parameter != "warranted"]
    for title in dict.fromkeys(_TITLES.values()):
        if shown := [row for row in figures if _TITLES[row.form] == title]:
            show(shown, _FIGURES, title, section=lambda row: (row.code, row.decoder))
    print_line = console().print
    print_line(
        "Fits: P per logical per cycle, maximum likelihood of binomial failures, 95 % profile-likelihood intervals. "
        "one term: P = a p^m1. two terms: P = a p^m1 + b p^m2, m1 <= m2, intervals only where warranted: where "
        f"likelihood_ratio has a p-value below 0.05, by {simulations} simulations from one term. deviance: a small "
        "p-value tells that the form does not fit. lambda: P(d) / P(d + 2). threshold: where two distances have the "
        "same P. qubits_per_logical: data and check qubits. *: extrapolated; the interval takes the form for granted."
    )
    for line in left_out:
        print_line(f"Left out: {line}")


def _per_cycle(point: Point) -> Interval:
    return per_logical_per_cycle(wilson(point.failures, point.shots), k=point.k, rounds=point.rounds)


def _piece(point: Point) -> float:
    return sinter.shot_error_rate_to_piece_error_rate(point.failures / point.shots, pieces=point.rounds, values=point.k)


def _figure(row: FitRow) -> str:
    where = f" at {percent(row.p)}" if row.p is not None else ""
    return row.parameter + where + (f" for {row.target:g}" if row.target is not None else "")


def _interval(row: FitRow) -> str:
    return f"[{number(row.value_low)}, {number(row.value_high)}]" if row.value_low is not None else ""


_FIGURES: list[Column[FitRow]] = [
    Column("code", lambda row: row.code),
    Column("rounds", lambda row: row.rounds, spare=1),
    Column("basis", lambda row: row.bases, spare=2),
    Column("decoder", lambda row: row.decoder),
    Column("form", lambda row: row.form, spare=3),
    Column("figure", _figure),
    Column("value", lambda row: number(row.value) + ("*" if row.extrapolated else ""), right=True),
    Column("95 % interval", _interval, right=True),
    Column("p-value", lambda row: number(row.p_value), right=True, spare=4),
]
