"""A law with few parameters for the failure spectrum, to carry it to numbers of faults at which no failure is seen.

The ansatz of M. E. Beverland et al., "Fail fast: techniques to probe rare events in quantum error correction",
arXiv:2511.15177, equation 10: below the onset w0 nothing fails, and from there on

    f(w) = a (1 - exp(-F(w) / a)),   a = 1 - 2^-k
    F(w) = f0 (w / w0)^g1 [(1 + (w / wc)^2) / (1 + (w0 / wc)^2)]^((g2 - g1) / 2),

so that F rises with the exponent g1 at few faults and g2 at many, and f ends where all k observables are guessed.
With one exponent F is f0 (w / w0)^g. Of two, g1 is at least w0 here: a failure needs w0 faults at their places, and
these are among w faults in binomial(w, w0) ways, which rise at least as w^w0. Parameters are found by maximum
likelihood, of counts of shots with w faults as well as of shots sampled at some noise rate, in which the number of
faults has a known distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.likelihood import Floats, Law, Outcomes, maximise

Form = Literal["one exponent", "two exponents"]
FORMS: tuple[Form, ...] = ("one exponent", "two exponents")

_SIZES = {"one exponent": 2, "two exponents": 4}
_EXPONENTS = (3.0, 8.0)
"""Where a search starts."""

_MOST_MEAN = 50.0  # of log F: nothing is left of 1 - f
_MOST_ABOVE = 4.0  # of log(g1 - w0): no spectrum is that steep


def distribution(probabilities: Floats, most: int) -> Floats:
    """P(W = w) of the number W of faults, for w = 0 ... most: float64 [most + 1].

    As exact as :func:`~cascade_qec.evaluation.rare_events.faults.number_of_faults`, and faster: a circuit's faults
    have few different probabilities, and of each the number that happen is binomial. Nothing cancels.
    """
    total = np.ones(1)
    for probability, faults in zip(*np.unique(probabilities, return_counts=True), strict=True):
        total = np.convolve(total, binom.pmf(np.arange(most + 1), faults, probability))[: most + 1]
    return total


@dataclass(frozen=True)
class Sampled:
    """Failures of one decoder in shots whose number of faults is known, or its distribution.

    Attributes
    ----------
    numbers : float64 [points, most + 1]
        P(W = w) at each point; of shots with exactly w faults a single 1.
    shots, failures : int64 [points]
    """

    numbers: Floats
    shots: NDArray[np.int64]
    failures: NDArray[np.int64]


@dataclass(frozen=True)
class _Family:
    """The spectra of one form; parameters are log F at the pivot and g, or log F, log(g1 - w0), g2 and log wc."""

    form: Form
    k: int
    faults: Floats  # [strata] from the onset on
    pivot: float

    @property
    def _most(self) -> float:
        return 1 - 2.0**-self.k

    def spectrum(self, phi: Floats) -> tuple[Floats, Floats]:
        """f [batch, strata] and its slopes [batch, strata, size], from parameters [batch, size]."""
        x = np.log(self.faults / self.pivot)
        ones = np.ones((len(phi), len(x)))
        if self.form == "one exponent":
            log_mean, slopes = phi[:, :1] + phi[:, 1:] * x, np.stack([ones, ones * x], axis=-1)
        else:
            level, log_above, many, log_cross = (phi[:, i : i + 1] for i in range(4))
            above = np.exp(np.minimum(log_above, _MOST_ABOVE))
            few = self.faults[0] + above
            here, there = ((at / np.exp(log_cross)) ** 2 for at in (self.faults, self.pivot))
            bend = 0.5 * (np.log1p(here) - np.log1p(there))
            log_mean = level + few * x + (many - few) * bend
            by_cross = (many - few) * (there / (1 + there) - here / (1 + here))
            slopes = np.stack([ones, above * (x - bend), bend, by_cross], axis=-1)
        mean = np.exp(np.minimum(log_mean, _MOST_MEAN))
        f = -self._most * np.expm1(-mean / self._most)
        return f, (mean * np.exp(-mean / self._most))[..., None] * slopes

    def law(self, numbers: Floats) -> Law:
        """Log rates of points, as :func:`maximise` wants them: of one observable of k, in one cycle."""

        def log_rates(phi: Floats) -> tuple[Floats, Floats]:
            f, slopes = self.spectrum(phi)
            block = np.maximum(f @ numbers.T, 1e-300)
            rate = -np.expm1(np.log1p(-block) / self.k)
            by_block = (1 - block) ** (1 / self.k - 1) / (self.k * rate)
            return np.log(rate), by_block[..., None] * np.einsum("pw,bws->bps", numbers, slopes)

        return log_rates

    def starts(self, fraction: Floats) -> Floats:
        """Where to climb from, [repetitions, starts, size], given the fraction of failures near the pivot."""
        level = np.log(-self._most * np.log1p(-np.minimum(fraction / self._most, 0.999)))
        if self.form == "one exponent":
            others = [[g] for g in _EXPONENTS]
        else:
            places = [math.log(self.pivot) + step for step in (-0.5, 0.5)]
            others = [[0.0, g2, at] for g2 in _EXPONENTS for at in places]
        return np.array([[[each, *more] for more in others] for each in level])


@dataclass(frozen=True)
class AnsatzFit:
    """A fitted spectrum, and fits to counts simulated from it.

    Attributes
    ----------
    onset
        Fewest faults that fail.
    spectrum : float64 [most + 1]
        f(w).
    simulated : float64 [simulations, most + 1]
        f(w) as fitted to counts drawn from `spectrum`: how far a fit may be off.
    deviance
        Twice what a rate of its own for each point adds to the log likelihood.
    goodness
        Share of simulations with at least that deviance: small if the form is wrong.
    """

    onset: int
    spectrum: Floats
    simulated: Floats
    deviance: float
    goodness: float


def fit_ansatz(sampled: Sampled, *, form: Form, k: int, onset: int, simulations: int, seed: int) -> AnsatzFit:
    """Fit a failure spectrum, and as many spectra to counts simulated from the fit (parametric bootstrap).

    Parameters
    ----------
    sampled
        Counts. Points without shots, and shots that surely have fewer faults than the onset, say nothing.
    form
        With one exponent or two.
    k
        Observables of the code.
    onset
        Fewest faults that fail, at least 1. It is not fitted, as nothing is seen of it.
    simulations, seed
        Of the bootstrap.

    Raises
    ------
    CascadeError
        If there are failures of fewer faults than the onset, failures at too few points, or more failures than shots.
    """
    if k < 1:
        raise CascadeError(f"expected at least one observable, got {k}")
    if onset < 1 or simulations < 1:
        raise CascadeError(f"expected an onset and simulations of at least 1, got {onset} and {simulations}")
    if ((sampled.failures < 0) | (sampled.failures > sampled.shots)).any():
        raise CascadeError(
            f"expected failures from 0 to the number of shots, got {sampled.failures} of {sampled.shots} shots"
        )
    tells = (sampled.numbers[:, onset:].sum(axis=1) > 0) & (sampled.shots > 0)
    if sampled.failures[~tells].any():
        raise CascadeError(f"expected no failures of fewer than {onset} faults, got {sampled.failures[~tells].sum()}")
    numbers, shots, failures = sampled.numbers[tells], sampled.shots[tells], sampled.failures[tells]
    if np.count_nonzero(failures) <= _SIZES[form]:
        raise CascadeError(
            f"expected failures at more than {_SIZES[form]} points to fit {form}, got {np.count_nonzero(failures)}"
        )
    most = numbers.shape[1] - 1
    best_known = int(np.argmax(failures * (1 - failures / shots)))
    pivot = float(numbers[best_known] @ np.arange(most + 1) / numbers[best_known].sum())
    family = _Family(form, k, np.arange(onset, most + 1, dtype=np.float64), pivot)
    law, ones = family.law(numbers[:, onset:]), np.ones(len(shots))
    outcomes = Outcomes(shots.astype(np.float64), failures[None].astype(np.float64), k * ones, ones)

    def fitted(outcomes: Outcomes) -> tuple[Floats, Floats]:
        fraction = (outcomes.failures[:, best_known] + 0.5) / (shots[best_known] + 1)
        phi, likelihood = maximise(law, outcomes, family.starts(fraction))
        return family.spectrum(phi)[0], 2 * (outcomes.highest_log_likelihood() - likelihood)

    spectrum, (deviance,) = fitted(outcomes)
    expected = spectrum[0] @ numbers[:, onset:].T
    drawn = np.random.default_rng(seed).binomial(shots, expected, size=(simulations, len(shots)))
    simulated, deviances = fitted(outcomes.with_failures(drawn))
    goodness = float((1 + np.sum(deviances >= deviance - 1e-6)) / (simulations + 1))
    none = ((0, 0), (onset, 0))
    return AnsatzFit(onset, np.pad(spectrum, none)[0], np.pad(simulated, none), float(deviance), goodness)
