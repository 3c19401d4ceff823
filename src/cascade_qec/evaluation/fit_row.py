"""A row of tables of fits, such as ``fits.csv``."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from cascade_qec.statistics import Interval


class FitRow(BaseModel):
    """One figure. Rates are per logical per cycle, intervals 95 %, from the profile likelihood, with ends or without.

    Attributes
    ----------
    decoder, code, rounds, bases
        What was fitted; `code` is "surface_d3..7" for a series, and `rounds` its rule. Rounds and bases are empty
        where a fit holds for all of them.
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
        The figure; ends of intervals may be infinite.
    extrapolated
        "yes" if outside what was measured.
    shots, failures
        Of all points of the fit.
    seed
        Of the simulations behind a p-value.
    """

    model_config = ConfigDict(frozen=True)

    decoder: str
    code: str
    rounds: str = ""
    bases: str = ""
    form: str
    parameter: str
    p: float | None = None
    target: float | None = None
    value: float | int | None
    value_low: float | None
    value_high: float | None
    log_likelihood: float | None = None
    p_value: float | None = None
    extrapolated: str = ""
    shots: int | None = None
    failures: int | None = None
    seed: int | None = None

    @classmethod
    def of(cls, parameter: str, figure: Interval | float, **columns: Any) -> FitRow:
        """A figure with an interval, or without."""
        if not isinstance(figure, Interval):
            return cls(parameter=parameter, value=figure, value_low=None, value_high=None, **columns)
        return cls(parameter=parameter, value=figure.value, value_low=figure.low, value_high=figure.high, **columns)
