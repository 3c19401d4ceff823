"""Everything that `cascade fit` says of a set of points, as rows of fits.csv."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fit_row import FitRow
from cascade_qec.evaluation.fits.points import Curve
from cascade_qec.evaluation.fits.resources import code_resources, series_resource
from cascade_qec.evaluation.fits.suppression import (
    Series,
    distance_series,
    in_series,
    measured_noise_rates,
    suppression,
    threshold,
)
from cascade_qec.evaluation.fits.waterfall import CurveFit, enough_for, fit_curve


def analyse(
    curves: Sequence[Curve],
    *,
    at: Sequence[float],
    target: float,
    simulations: int,
    seed: int,
    report: Callable[[int, int], None],
) -> tuple[list[FitRow], list[str]]:
    """Fit curves, suppression, thresholds, and what they say of resources.

    Parameters
    ----------
    curves
        What was measured.
    at
        Noise rates of fitted rates and of the resource estimates.
    target
        Rate per logical per cycle of the resource estimates.
    simulations, seed
        Of the tests by simulation.
    report
        Called with curves done and in all.

    Returns
    -------
    rows : list of FitRow
        Curves over the noise rate; Lambda of each series at each noise rate that two distances share; crossings of
        neighbouring distances; qubits for the target.
    left_out : list of str
        What could not be fitted, and why.
    """
    fits: list[CurveFit] = []
    left_out: list[str] = []
    for index, curve in enumerate(curves):
        if enough_for(curve, "one term"):
            fits.append(fit_curve(curve, simulations=simulations, seed=seed))
        else:
            left_out.append(f"{curve.name}: failures at fewer than two noise rates")
        report(index + 1, len(curves))
    rows = [row for result in fits for row in _curve_rows(result, at, seed)]
    crossings: list[FitRow] = []
    resources: list[FitRow] = []
    fitted = {id(result.one.curve) for result in fits}
    for series in distance_series(curves):
        rows += [row for p in measured_noise_rates(series) for row in _suppression_rows(series, p)]
        for small, large in pairwise(curve for curve in series.curves if id(curve) in fitted):
            if (row := _crossing_row(series, small, large)) is None:
                left_out.append(f"{series.name}: {small.first.code} and {large.first.code} do not cross")
            else:
                crossings.append(row)
        for p in at:
            try:
                resources += series_resource(series, p=p, target=target)
            except CascadeError as error:
                left_out.append(f"resources: {error}")
    others = [result.warranted for result in fits if not in_series(result.one.curve)]
    for p in at:
        resources += code_resources(others, p=p, target=target)
    return rows + crossings + resources, left_out


def _curve_rows(result: CurveFit, at: Sequence[float], seed: int) -> Iterator[FitRow]:
    points = result.one.curve.points
    of_curve = partial(
        FitRow.of,
        decoder=points[0].decoder,
        code=points[0].code,
        rounds=str(points[0].rounds),
        bases=points[0].bases,
        shots=sum(point.shots for point in points),
        failures=sum(point.failures for point in points),
    )
    for fit, p_value in ((result.one, result.one_fits), (result.two, result.two_fits)):
        if fit is None or p_value is None:
            continue
        row = partial(of_curve, form=fit.form, log_likelihood=fit.log_likelihood)
        yield from (row(name, figure) for name, figure in fit.parameters.items())
        for p in at:
            yield row("rate", fit.rate(p), p=p, extrapolated="" if fit.curve.holds(p) else "yes")
        yield row("deviance", fit.deviance, p_value=p_value, seed=seed)
        yield row("warranted", int(fit is result.warranted))
    if result.two is not None and result.test is not None:
        row = partial(of_curve, form=result.two.form, log_likelihood=result.two.log_likelihood)
        yield row("likelihood_ratio", result.test.likelihood_ratio, p_value=result.test.p_value, seed=seed)


def _suppression_rows(series: Series, p: float) -> Iterator[FitRow]:
    found = suppression(series, p)
    row = partial(
        FitRow.of,
        decoder=series.decoder,
        code=series.codes,
        rounds=series.rule,
        bases=series.bases,
        form="distances",
        p=p,
        log_likelihood=found.log_likelihood,
        shots=int(found.outcomes.shots.sum()),
        failures=int(found.outcomes.failures.sum()),
    )
    yield row("lambda", found.factor)
    if found.p_value is not None:
        yield row("deviance", found.deviance, p_value=found.p_value)


def _crossing_row(series: Series, small: Curve, large: Curve) -> FitRow | None:
    crossed = threshold(small, large)
    return crossed and FitRow.of(
        "threshold",
        crossed.p,
        decoder=series.decoder,
        code=f"{small.first.code}+{large.first.code}",
        rounds=series.rule,
        bases=series.bases,
        form="crossing",
        log_likelihood=crossed.log_likelihood,
        extrapolated="yes" if crossed.extrapolated else "",
    )
