"""Probabilities of statuses: competing explanations, each with the statuses that its parameters mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp

from cascade_calibration.analysis.separable import Fit


def weigh(
    fits: Sequence[Fit],
    statuses: Sequence[str],
    status_of: Callable[[Fit], NDArray[np.str_]],
    *,
    nothing: str,
) -> dict[str, float]:
    """Probabilities of all statuses.

    Parameters
    ----------
    fits
        Explanations of the same data, each with its evidence against the constant.
    statuses
        All names.
    status_of
        For each sample of a fit (:attr:`Fit.thetas`) the status that it means: [samples].
    nothing
        Status of a constant, which is twice as probable beforehand as any other: slow drift makes a signal of nothing.
    """
    prior = np.log((len(statuses) - 1) / 2 / max(1, len({one.model.name for one in fits})))
    evidence = np.array([0.0, *(one.evidence + prior for one in fits)])
    weights = np.exp(evidence - logsumexp(evidence))
    probabilities = dict.fromkeys(statuses, 0.0)
    probabilities[nothing] += float(weights[0])
    for weight, one in zip(weights[1:], fits, strict=True):
        if weight < 1e-4:
            continue
        found, counts = np.unique(status_of(one), return_counts=True)
        for status, count in zip(found, counts, strict=True):
            probabilities[str(status)] += float(weight * count / counts.sum())
    total = sum(probabilities.values())
    return {status: share / total for status, share in probabilities.items()}


def divided(
    probabilities: dict[str, float], status: str, evidence: float, among: Sequence[str], prior: float = -2.0
) -> dict[str, float]:
    """Give `status` its share of what `among` have, by the evidence (a logarithm) for it against them.

    For what needs one more explanation, such as a fit that leaves structure in its residuals.
    """
    share = float(expit(evidence + prior))
    moved = {name: probabilities[name] * share for name in among}
    return {name: value - moved.get(name, 0.0) for name, value in probabilities.items()} | {
        status: probabilities[status] + sum(moved.values())
    }


def most_probable(probabilities: dict[str, float]) -> tuple[str, float]:
    """The status to name, and its probability."""
    status = max(probabilities, key=lambda name: probabilities[name])
    return status, probabilities[status]
