"""Fits as rows of a table, `fits.csv`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.analysis import Analysis, CurveFit
from cascade_qec.evaluation.fits.waterfall import Estimate, WaterfallFit
from cascade_qec.tables import write_table


@dataclass(frozen=True)
class FitRow:
    """One figure. Rates are per logical per cycle, intervals 95 %, from the profile likelihood; "" where none is.

    Attributes
    ----------
    decoder, code, rounds, bases
        What was fitted; `code` is "surface_d3..7" for a series, and `rounds` its rule.
    form
        "one term", "two terms", "distances" (Lambda), "crossing", or "resources".
    parameter
        One of

        - a, m1, b, m2: the form's;
        - warranted: of both forms, 1 for the one to use and 0 for the other;
        - rate: at the row's p;
        - likelihood_ratio: twice the gain of two terms, p_value by simulation from one term;
        - deviance: of the form, p_value by simulation (of "distances": chi squared);
        - lambda: P(d) / P(d + 2) at the row's p;
        - threshold: noise rate of the crossing;
        - distance, qubits_per_logical: that reach the row's target at its p.
    p, target
        Noise rate and target rate where they apply.
    value, value_low, value_high, log_likelihood, p_value
        The figure.
    extrapolated
        "yes" if outside what was measured.
    shots, failures
        Of all points of the fit.
    seed
        Of the simulations behind a p-value.
    """

    decoder: str
    code: str
    rounds: str | int
    bases: str
    form: str
    parameter: str
    p: float | str = ""
    target: float | str = ""
    value: float | str = ""
    value_low: float | str = ""
    value_high: float | str = ""
    log_likelihood: float | str = ""
    p_value: float | str = ""
    extrapolated: str = ""
    shots: int | str = ""
    failures: int | str = ""
    seed: int | str = ""


def fit_rows(analysis: Analysis, *, at: Sequence[float] = (), seed: int) -> list[FitRow]:
    """An analysis as rows; `at` are noise rates at which fitted rates are wanted."""
    return [*_curves(analysis, at, seed), *_series(analysis), *_resources(analysis)]


def _interval(estimate: Estimate) -> dict[str, Any]:
    return {"value": estimate.value, "value_low": estimate.low, "value_high": estimate.high}


def _curves(analysis: Analysis, at: Sequence[float], seed: int) -> Iterator[FitRow]:
    for result in analysis.curves:
        for fit, p_value in ((result.one, result.one_fits), (result.two, result.two_fits)):
            if fit is None or p_value is None:
                continue
            common = _common(result, fit)
            for name, estimate in fit.parameters.items():
                yield FitRow(**common, parameter=name, **_interval(estimate))
            for p in at:
                outside = "" if fit.curve.holds(p) else "yes"
                yield FitRow(**common, parameter="rate", p=p, **_interval(fit.rate(p)), extrapolated=outside)
            yield FitRow(**common, parameter="deviance", value=fit.deviance, p_value=p_value, seed=seed)
            yield FitRow(**common, parameter="warranted", value=int(fit is result.warranted))
        if result.two is not None and result.test is not None:
            yield FitRow(
                **_common(result, result.two),
                parameter="likelihood_ratio",
                value=result.test.likelihood_ratio,
                p_value=result.test.p_value,
                seed=seed,
            )


def _common(result: CurveFit, fit: WaterfallFit) -> dict[str, Any]:
    here = result.curve.first
    return {
        "decoder": here.decoder,
        "code": here.code,
        "rounds": here.rounds,
        "bases": here.bases,
        "form": fit.form,
        "log_likelihood": fit.log_likelihood,
        "shots": sum(point.shots for point in result.curve.points),
        "failures": sum(point.failures for point in result.curve.points),
    }


def _series(analysis: Analysis) -> Iterator[FitRow]:
    for series, found in analysis.suppressions:
        common: dict[str, Any] = {
            "decoder": series.decoder,
            "code": series.codes,
            "rounds": series.rule,
            "bases": series.curves[0].first.bases,
            "form": "distances",
            "p": found.p,
            "log_likelihood": found.log_likelihood,
            "shots": int(found.counts.shots.sum()),
            "failures": int(found.counts.failures.sum()),
        }
        yield FitRow(**common, parameter="lambda", **_interval(found.factor))
        if found.p_value is not None:
            yield FitRow(**common, parameter="deviance", value=found.deviance, p_value=found.p_value)
    for series, crossed in analysis.thresholds:
        yield FitRow(
            decoder=series.decoder,
            code="+".join(crossed.codes),
            rounds=series.rule,
            bases=series.curves[0].first.bases,
            form="crossing",
            parameter="threshold",
            **_interval(crossed.p),
            log_likelihood=crossed.log_likelihood,
            extrapolated="yes" if crossed.extrapolated else "",
        )


def _resources(analysis: Analysis) -> Iterator[FitRow]:
    for found in analysis.resources:
        common: dict[str, Any] = {
            "decoder": found.decoder,
            "code": found.code,
            "rounds": found.rounds,
            "bases": found.bases,
            "form": "resources",
            "p": found.p,
            "target": found.target,
            "extrapolated": "yes" if found.extrapolated else "",
        }
        if found.distance is not None:
            yield FitRow(**common, parameter="distance", **_interval(found.distance))
        yield FitRow(**common, parameter="qubits_per_logical", **_interval(found.qubits))


def write_fits(rows: Sequence[FitRow], path: Path) -> None:
    """Write rows as a CSV file with a header; the file appears whole or not at all.

    Raises
    ------
    CascadeError
        If there are no rows or the file cannot be written.
    """
    if not rows:
        raise CascadeError(f"{path}: expected at least one fit to write, got none")
    write_table(path, [column.name for column in fields(FitRow)], (asdict(row) for row in rows))
