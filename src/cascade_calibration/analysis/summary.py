"""What every verdict on a line of data says of its fit: evidence in numbers, and the picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.separable import Fit, lack_of_fit
from cascade_calibration.analysis.trace import Trace
from cascade_calibration.analysis.verdict import Curve

_FINE = 400


def quality(line: Trace, best: Fit | None, kept: NDArray[np.bool_]) -> dict[str, float]:
    """Numbers about data and fit; reduced chi squared only where errors are known."""
    facts = {"points": float(len(line.x)), "outliers": float((~kept).sum()), "missing": float(line.missing)}
    if best is not None:
        facts["signal to noise"] = float(np.ptp(best(best.x)) / best.sigma) if best.sigma > 0 else float("inf")
        facts["log Bayes factor of a signal"] = best.evidence
        facts["log Bayes factor of structure in the residuals"] = lack_of_fit(best)
        if line.error is not None and (line.error[kept] > 0).all():
            facts["reduced chi squared"] = float(((best.residuals / line.error[kept]) ** 2).sum() / best.dof)
    return facts


def curve(line: Trace, best: Fit | None, kept: NDArray[np.bool_], marks: Mapping[str, float] | None = None) -> Curve:
    """The picture of a line of data."""
    fine = np.linspace(line.x[0], line.x[-1], _FINE)
    return Curve(
        axis=line.axis,
        x_unit=line.x_unit,
        y_unit=line.y_unit,
        x=line.x,
        y=line.y,
        fit=best(line.x) if best else None,
        fine_x=fine if best else None,
        fine_fit=best(fine) if best else None,
        outliers=~kept,
        marks=marks or {},
    )
