"""An error model with other probabilities."""

from __future__ import annotations

import numpy as np
import stim
from numpy.typing import NDArray


def reweighted(model: stim.DetectorErrorModel, probability: NDArray[np.float64]) -> stim.DetectorErrorModel:
    """The same mechanisms with other probabilities.

    Parameters
    ----------
    model
        Whose errors all have a probability above 0.
    probability : float64 [mechanisms]
        In the order of `Mechanisms.of`.

    Raises
    ------
    ValueError
        If there are more or fewer of them than errors.
    """
    # Stim's text is read and written several times faster than its objects
    lines = str(model.flattened()).splitlines()
    errors = [number for number, line in enumerate(lines) if line.startswith("error")]
    for number, p in zip(errors, probability.tolist(), strict=True):
        lines[number] = f"error({p!r}){lines[number].partition(')')[2]}"
    return stim.DetectorErrorModel("\n".join(lines))
