"""Measured rates and fits as tables for the terminal."""

from collections.abc import Sequence

import sinter
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cascade_qec.evaluation.fits import Curve, FitRow
from cascade_qec.statistics import CONVENTION, Interval, per_logical_per_cycle, wilson

# A pipe or a log has no width of its own; this holds the tables without folding.
_WIDTH_OFF_TERMINAL = 170

_SINTER = "any logical per cycle: sinter.shot_error_rate_to_piece_error_rate(P, pieces=R, values=k), sinter's 'piece'"


def print_fits(curves: Sequence[Curve], rows: Sequence[FitRow], left_out: Sequence[str], *, simulations: int) -> None:
    """Print the rates measured, the fits of each kind, and the conventions of both."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OFF_TERMINAL)
    console.print(_rates(curves))
    console.print(f"{CONVENTION}; {_SINTER}.", highlight=False)
    over_noise = [row for row in rows if row.form in ("one term", "two terms")]
    over_distance = [row for row in rows if row.form in ("distances", "crossing")]
    resources = [row for row in rows if row.form == "resources"]
    for title, kind in (("Over noise", over_noise), ("Over distance", over_distance), ("Qubits", resources)):
        if kind:
            console.print(_figures(title, kind))
    console.print(
        "Fits: P per logical per cycle, maximum likelihood of binomial failures, 95 % profile-likelihood intervals. "
        "one term: P = a p^m1. two terms: P = a p^m1 + b p^m2, m1 <= m2, intervals only where warranted: where "
        f"likelihood_ratio has a p-value below 0.05, by {simulations} simulations from one term. deviance: a small "
        "p-value tells that the form does not fit. lambda: P(d) / P(d + 2). threshold: where two distances have the "
        "same P. qubits_per_logical: data and check qubits. *: extrapolated; the interval takes the form for granted.",
        highlight=False,
    )
    for line in left_out:
        console.print(f"Left out: {line}", highlight=False)


def _rates(curves: Sequence[Curve]) -> Table:
    table = _table(
        ("code", "rounds", "basis", "decoder"),
        ("p", "failures / shots", "block error", "per logical per cycle", "any logical\nper cycle"),
    )
    for curve in curves:
        for point in curve.points:
            block = wilson(point.failures, point.shots)
            single = per_logical_per_cycle(block, k=point.k, rounds=point.rounds)
            piece = sinter.shot_error_rate_to_piece_error_rate(block.value, pieces=point.rounds, values=point.k)
            table.add_row(
                point.code,
                str(point.rounds),
                point.bases,
                point.decoder,
                f"{100 * point.p:.3g} %",
                f"{point.failures:,} / {point.shots:,}",
                _rate(block),
                _rate(single),
                f"{piece:.2e}",
                end_section=point is curve.points[-1],
            )
    return table


def _figures(title: str, rows: Sequence[FitRow]) -> Table:
    table = _table(("code", "rounds", "basis", "decoder", "form", "figure"), ("value", "95 % interval", "p-value"))
    table.title = title
    table.title_justify = "left"
    for i, row in enumerate(rows):
        if row.parameter == "warranted":
            continue
        following = [other for other in rows[i + 1 :] if other.parameter != "warranted"][:1]
        where = f" at {100 * row.p:.3g} %" if isinstance(row.p, float) else ""
        goal = f" for {row.target:g}" if isinstance(row.target, float) else ""
        table.add_row(
            row.code,
            str(row.rounds),
            row.bases,
            row.decoder,
            row.form,
            row.parameter + where + goal,
            _number(row.value) + ("*" if row.extrapolated else ""),
            f"[{_number(row.value_low)}, {_number(row.value_high)}]" if row.value_low != "" else "",
            _number(row.p_value),
            end_section=any((row.code, row.decoder) != (other.code, other.decoder) for other in following),
        )
    return table


def _table(left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for title in left:
        table.add_column(title)
    for title in right:
        table.add_column(title, justify="right")
    return table


def _rate(rate: Interval) -> str:
    return f"{rate.value:.2e} [{rate.low:.1e}, {rate.high:.1e}]"


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, int | float) else ""
