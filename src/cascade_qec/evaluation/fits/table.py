"""Fits as rows of a table, `fits.csv`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from cascade_qec.evaluation.fit_row import FitRow
from cascade_qec.evaluation.fits.analysis import Analysis, CurveFit
from cascade_qec.evaluation.fits.waterfall import WaterfallFit
from cascade_qec.statistics import Interval


def fit_rows(analysis: Analysis, *, at: Sequence[float] = (), seed: int) -> list[FitRow]:
    """An analysis as rows; `at` are noise rates at which fitted rates are wanted."""
    return [*_curves(analysis, at, seed), *_series(analysis), *_resources(analysis)]


def _row(parameter: str, figure: Interval | float, *, p_value: float | None = None, **columns: object) -> FitRow:
    value, low, high = (figure.value, figure.low, figure.high) if isinstance(figure, Interval) else (figure, None, None)
    columns |= {"parameter": parameter, "value": value, "value_low": low, "value_high": high, "p_value": p_value}
    return FitRow.model_validate(columns)


def _curves(analysis: Analysis, at: Sequence[float], seed: int) -> Iterator[FitRow]:
    for result in analysis.curves:
        for fit, p_value in ((result.one, result.one_fits), (result.two, result.two_fits)):
            if fit is None or p_value is None:
                continue
            row = _of_curve(result, fit)
            yield from (row(name, figure) for name, figure in fit.parameters.items())
            for p in at:
                yield row("rate", fit.rate(p), p=p, extrapolated="" if fit.curve.holds(p) else "yes")
            yield row("deviance", fit.deviance, p_value=p_value, seed=seed)
            yield row("warranted", int(fit is result.warranted))
        if result.two is not None and result.test is not None:
            test = result.test
            yield _of_curve(result, result.two)(
                "likelihood_ratio", test.likelihood_ratio, p_value=test.p_value, seed=seed
            )


def _of_curve(result: CurveFit, fit: WaterfallFit) -> partial[FitRow]:
    here = result.curve.first
    return partial(
        _row,
        decoder=here.decoder,
        code=here.code,
        rounds=str(here.rounds),
        bases=here.bases,
        form=fit.form,
        log_likelihood=fit.log_likelihood,
        shots=sum(point.shots for point in result.curve.points),
        failures=sum(point.failures for point in result.curve.points),
    )


def _series(analysis: Analysis) -> Iterator[FitRow]:
    for series, found in analysis.suppressions:
        row = partial(
            _row,
            decoder=series.decoder,
            code=series.codes,
            rounds=series.rule,
            bases=series.bases,
            form="distances",
            p=found.p,
            log_likelihood=found.log_likelihood,
            shots=int(found.outcomes.shots.sum()),
            failures=int(found.outcomes.failures.sum()),
        )
        yield row("lambda", found.factor)
        if found.p_value is not None:
            yield row("deviance", found.deviance, p_value=found.p_value)
    for series, crossed in analysis.thresholds:
        yield _row(
            "threshold",
            crossed.p,
            decoder=series.decoder,
            code="+".join(crossed.codes),
            rounds=series.rule,
            bases=series.bases,
            form="crossing",
            log_likelihood=crossed.log_likelihood,
            extrapolated="yes" if crossed.extrapolated else "",
        )


def _resources(analysis: Analysis) -> Iterator[FitRow]:
    for found in analysis.resources:
        row = partial(
            _row,
            decoder=found.decoder,
            code=found.code,
            rounds=found.rounds,
            bases=found.bases,
            form="resources",
            p=found.p,
            target=found.target,
            extrapolated="yes" if found.extrapolated else "",
        )
        if found.distance is not None:
            yield row("distance", found.distance)
        yield row("qubits_per_logical", found.qubits)
