"""Maximum likelihood for many data sets at once: Fisher scoring, damped as by Levenberg and Marquardt."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from cascade_qec.evaluation.fits.likelihood import Counts, Floats

_STEPS = 60
_ENOUGH = 1e-5
"""Gain of the log likelihood below which a step is the last; tests and intervals need it to about 1e-3."""


class Chart(Protocol):
    """A family of log rates over the points, in coordinates of which the first is the quantity of interest."""

    @property
    def size(self) -> int:
        """Number of coordinates."""
        ...

    def log_rates(self, phi: Floats) -> tuple[Floats, Floats]:
        """Log rates [batch, points] and their derivatives [batch, points, size] at coordinates [batch, size]."""
        ...


def maximise(chart: Chart, counts: Counts, start: Floats, *, held: int = 0) -> tuple[Floats, Floats]:
    """Climb from each start to a maximum of the likelihood.

    Parameters
    ----------
    chart
        The family of rates.
    counts
        Data with as many repetitions as there are starts, or with one for all of them.
    start : float64 [batch, size]
    held
        So many leading coordinates stay as they are.

    Returns
    -------
    phi : float64 [batch, size]
    log_likelihood : float64 [batch]
        Of a local maximum each: a family with several needs several starts.
    """
    batch = len(start)
    phi = np.array(start, dtype=np.float64)
    failures = np.broadcast_to(counts.failures, (batch, counts.failures.shape[-1]))
    constant = np.broadcast_to(counts.log_choices, (batch,))
    log_rate, slopes = chart.log_rates(phi)
    best, score, information = counts.with_failures(failures).scored(log_rate)
    if held == chart.size:
        return phi, best + constant
    damping = np.full(batch, 1e-3)
    active = np.arange(batch)
    free = np.eye(chart.size - held)
    slopes = slopes[..., held:]
    for _ in range(_STEPS):
        transposed = slopes.swapaxes(1, 2)
        gradient = transposed @ score[..., None]
        hessian = transposed @ (information[..., None] * slopes)
        # The scale of a coordinate that hardly matters is bounded below, so that its step stays finite.
        scale = np.einsum("bii->bi", hessian) + 1e-6
        step = np.linalg.solve(hessian + damping[active, None, None] * scale[:, :, None] * free, gradient)
        trial = phi[active]
        trial[:, held:] += np.clip(step[..., 0], -5.0, 5.0)
        log_rate, new_slopes = chart.log_rates(trial)
        likelihood, new_score, new_information = counts.with_failures(failures[active]).scored(log_rate)
        gain = likelihood - best[active]
        better = gain > 0
        phi[active[better]] = trial[better]
        best[active[better]] = likelihood[better]
        score = np.where(better[:, None], new_score, score)
        information = np.where(better[:, None], new_information, information)
        slopes = np.where(better[:, None, None], new_slopes[..., held:], slopes)
        damping[active] = np.maximum(damping[active] * np.where(better, 0.2, 8.0), 1e-9)
        # A refused step means nothing until the damping is so strong that the climb has to be at its end.
        left = ~((better & (gain < _ENOUGH) & (damping[active] < 1.0)) | (damping[active] > 1e6))
        active, score, information, slopes = active[left], score[left], information[left], slopes[left]
        if not len(active):
            break
    return phi, best + constant


def maximise_from(chart: Chart, counts: Counts, starts: Floats, *, held: int = 0) -> tuple[Floats, Floats]:
    """The best of what several starts lead to, for each repetition.

    Parameters
    ----------
    starts : float64 [repetitions, starts, size]

    Returns
    -------
    phi : float64 [repetitions, size]
    log_likelihood : float64 [repetitions]
    """
    repetitions, each, size = starts.shape
    repeated = counts.with_failures(np.repeat(counts.failures, each, axis=0))
    phi, likelihood = maximise(chart, repeated, starts.reshape(-1, size), held=held)
    phi, likelihood = phi.reshape(starts.shape), likelihood.reshape(repetitions, each)
    best = likelihood.argmax(axis=1)
    rows = np.arange(repetitions)
    return phi[rows, best], likelihood[rows, best]
