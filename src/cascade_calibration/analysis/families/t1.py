"""T1: an excited qubit relaxes; the signal decays exponentially with the delay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis import decays
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Fit, estimate, fit_robustly
from cascade_calibration.analysis.summary import curve, quality
from cascade_calibration.analysis.trace import trace
from cascade_calibration.analysis.verdict import Verdict
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement


def analyse(measurement: Measurement) -> Verdict:
    """The decay time, and whether the delays suit it."""
    line = trace(measurement, ("s",))
    fits, kept = fit_robustly([decays.decay(line.x, line.step)], line.x, line.y)
    used = line.keep(kept)

    def status_of(fit: Fit) -> NDArray[np.str_]:
        return decays.suited(used, np.exp(fit.thetas[:, 0]))

    probabilities = weigh(fits, decays.STATUSES, status_of, nothing="NO_SIGNAL")
    status, probability = most_probable(probabilities)
    best = fits[0] if fits and status != "NO_SIGNAL" else None
    t1 = estimate(fits, lambda p: np.exp(p[..., 0]), "s") if best else None
    times = np.exp(fits[0].thetas[:, 0]) if fits else np.array([line.window])
    return Verdict(
        family="t1",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters={"T1": t1} if t1 else {},
        evidence=quality(line, best, kept) | ({"window / T1": line.window / t1.value} if t1 else {}),
        sentences=decays.sentences(status, line, t1.value if t1 else np.nan, "T1"),
        suggested_range=() if status == "SUCCESS" else (decays.suggested(line, times),),
        next_experiment={
            "SUCCESS": "ramsey_t2star",
            "NO_SIGNAL": "check the pi pulse (rabi) and the readout (gmm), then repeat",
        }.get(status, "t1 over the suggested delays"),
        picture=curve(line, best, kept, marks={"T1": line.x[0] + t1.value} if t1 else {}),
    )


FAMILY = Family(
    name="t1",
    about="relaxation: the decay time T1 from the signal against the delay",
    statuses=decays.STATUSES,
    called=r"\bt1\b(?!.*(fluct|stab))",
    analyse=analyse,
)
