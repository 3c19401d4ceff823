"""Fit of an error model's rates to how often sets of detectors have an odd number of events.

Errors are independent, so the mean of ``prod(1 - 2 event)`` over a set of detectors is ``prod(1 - 2 p)`` over the
errors that flip an odd number of them: its logarithm is linear in the rates ``-log(1 - 2 p)``. The covariance of the
means of two sets follows from the same formula, for the detectors in one of them alone. Both are exact for any errors.
So the likeliest rates come from generalised least squares, within a prior around the model that is given.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.error_models import random_words
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.estimation.moments import Moments, local_sets
from cascade_qec.estimation.pairs import Pairs
from cascade_qec.estimation.result import Estimate
from cascade_qec.estimation.sources import Sources

SETS = 5000
"""Sets of detectors at the most: their covariances are a matrix of 200 MB."""

_SILENT = 3.0
"""Sets whose rates add up to more than this are odd and even so equally often that they tell nothing."""

_HOPELESS = 300.0
"""Rates of a set, added up, that no fit comes back from: twice that is the logarithm of the largest covariance."""

_COMMON = np.log(3)
"""Standard deviation of the logarithm by which all rates together may be off."""

_FARTHEST = 1e6

_TURNS, _COLUMNS = 30, 2000


def estimate(
    model: stim.Circuit | stim.DetectorErrorModel, shots: Iterable[NDArray[np.uint8]], *, within: float = 2.0
) -> Estimate:
    """Learn the rates of a model's errors from detection events.

    Parameters
    ----------
    model
        A circuit, each of whose noise channels has a strength of its own on each of its targets, the same one in every
        round; or a detector error model, each of whose mechanisms has a probability of its own. What the shots do not
        tell stays as it is there.
    shots
        Batches of them, bit-packed: uint8 [shots, ceil(detectors / 8)], bit 0 of byte 0 being detector 0.
    within
        Two of three sources are expected to be off from the model by less than this factor; all of them together may
        be off by more.

    Raises
    ------
    CascadeError
        If the model has no errors, a batch has another shape, there are no shots, or the errors are so frequent that
        events are as likely as not.

    Warns
    -----
    CascadeWarning
        If the shots do not fit the model's errors, whatever their rates are.

    Examples
    --------
    >>> model = stim.DetectorErrorModel("error(0.01) D0 D1\\nerror(0.01) D1 L0")
    >>> truth = stim.DetectorErrorModel("error(0.02) D0 D1\\nerror(0.005) D1 L0")
    >>> events = truth.compile_sampler(seed=1).sample(100_000, bit_packed=True)[0]
    >>> found = estimate(model, [events])
    >>> for name, factor, spread in zip(found.sources.names, found.factor, found.spread, strict=True):
    ...     print(f"{name}: {0.01 * factor:.4f}, known to {spread:.0%}")
    D0 D1: 0.0202, known to 2%
    D1 L0: 0.0049, known to 5%
    """
    if not 1 < within <= _FARTHEST:
        raise CascadeError(f"expected a factor above 1 and at most {_FARTHEST:g}, got {within!r}")
    sources = Sources.of(model)
    detectors = sources.mechanisms.detectors
    moments, pairs = Moments(local_sets(sources.mechanisms, SETS), detectors), Pairs(detectors)
    for batch in shots:
        if batch.dtype != np.uint8 or batch.ndim != 2 or batch.shape[1] != -(-detectors // 8):
            raise CascadeError(
                f"expected shots of {detectors} detectors, bit-packed: uint8 [shots, {-(-detectors // 8)}], "
                f"got {batch.dtype} {list(batch.shape)}"
            )
        moments.see(batch)
        pairs.see(batch)
    found = _Fit(sources, moments, np.log(within)).run(pairs)
    if found.objection is not None:
        warnings.warn(
            f"the shots do not fit the model's errors at any rates: {found.objection}", CascadeWarning, stacklevel=2
        )
    return found


class _Fit:
    """Gauss and Newton's steps for the logarithms of the factors, which are normally distributed beforehand."""

    def __init__(self, sources: Sources, moments: Moments, width: float) -> None:
        from scipy import sparse

        self.sources, self.shots, self.width = sources, moments.shots, width
        errors = sources.mechanisms
        flips = sparse.csr_matrix(
            (np.ones(len(errors.detector)), errors.detector, errors.start), (len(errors.start) - 1, errors.detectors)
        )
        member, start = [one for each in moments.sets for one in each], np.cumsum([0, *map(len, moments.sets)])
        members = sparse.csr_matrix((np.ones(len(member)), member, start), (len(moments.sets), errors.detectors))
        # errors that look alike are one column
        _, first, look = np.unique(errors.xor(random_words(errors.detectors)), return_index=True, return_inverse=True)
        odd = (members @ flips[first].T).tocsr()
        odd.data %= 2
        odd.eliminate_zeros()
        rates = sparse.csr_matrix((sources.rate, (look, sources.source)), (len(first), len(sources.names)))
        design, signs = (odd @ rates).tocsr(), moments.signs
        total, alone = np.asarray(design.sum(axis=1)).ravel(), np.diff(start) == 1
        telling = int((signs[alone] > np.exp(-_SILENT)).sum())
        if 2 * telling < alone.sum():
            raise CascadeError(
                f"expected shots of the model, most of whose detectors have fewer events than not, got {telling} of "
                f"{alone.sum()}"
            )
        # how strong all the noise is, so that the steps begin nearby
        seen = -np.log(np.clip(signs[alone], np.exp(-_SILENT), 1)).sum()
        self.logs = np.full(design.shape[1], np.log(max(seen / total[alone].sum(), 1e-3)))
        # sets that are odd in the same shots are one; those that never are, or as often as not, tell nothing
        _, kept = np.unique(odd @ np.random.default_rng(0).random(len(first)), return_index=True)
        kept = kept[(total[kept] > 0) & (total[kept] * np.exp(max(self.logs[0], 0)) < _SILENT)]
        if not len(kept):
            raise CascadeError("expected detectors with fewer events than not, got none")
        self.odd, self.rates, self.design, self.signs = odd[kept], rates, design[kept], signs[kept]
        self.common = (flips.T @ flips).toarray() > 0  # pairs of detectors that have an error in common

    def run(self, pairs: Pairs) -> Estimate:
        """Turn by turn, until nothing moves by a thousandth."""
        from scipy.linalg import cho_factor, cho_solve

        covariance, step = np.empty(0), np.inf
        for turn in range(_TURNS):
            factor = np.exp(self.logs)
            slope, total = self.design.multiply(factor).tocsr(), self.design @ factor
            if not total.max() < _HOPELESS:
                raise CascadeError(
                    "expected shots of the model, got events so frequent that no rates of its errors explain them"
                )
            if step > 0.1 and turn < _TURNS / 2:
                covariance = self._covariance(factor)
            prior = (self.width**2 * slope @ slope.T).toarray() + _COMMON**2 * np.outer(total, total)
            factored = cho_factor(covariance + prior, lower=True, overwrite_a=True)
            pull = cho_solve(factored, 1 - self.signs * np.exp(total) + slope @ self.logs)
            change = self.width**2 * (slope.T @ pull) + _COMMON**2 * (total @ pull) - self.logs
            step = np.abs(change).max()
            if step < 1e-3:
                break
            self.logs = self.logs + np.clip(change, -1, 1)
        # what the shots leave open, and how many sets' worth of them went into the rates
        known, freedom = np.empty(len(self.logs)), float(len(self.signs))
        for some in np.split(np.arange(len(self.logs)), range(_COLUMNS, len(self.logs), _COLUMNS)):
            columns = slope[:, some].toarray()
            beforehand = self.width**2 * columns + _COMMON**2 * total[:, None]
            solved = cho_solve(factored, beforehand)
            known[some] = (beforehand * solved).sum(axis=0)
            freedom -= float((columns * solved).sum())
        return Estimate(
            sources=self.sources,
            shots=self.shots,
            factor=np.exp(self.logs),
            spread=np.sqrt(self.width**2 + _COMMON**2 - known),
            chi_squared=float(pull @ covariance @ pull),
            freedom=freedom,
            strangers=pairs.strangers(self.common),
        )

    def _covariance(self, factor: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the sets' means, over the means themselves: float64 [sets, sets]."""
        from scipy import sparse

        shared = self.odd @ sparse.diags(2 * (self.rates @ factor)) @ self.odd.T
        return np.expm1(shared.toarray()) / self.shots
