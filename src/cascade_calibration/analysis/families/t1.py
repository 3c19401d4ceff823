"""T1: an excited qubit relaxes; the signal decays exponentially with the delay."""

from __future__ import annotations

import numpy as np

from cascade_calibration.analysis import decays
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.relaxation import relaxation
from cascade_calibration.analysis.summary import curve
from cascade_calibration.analysis.verdict import Verdict
from cascade_calibration.analysis.weighing import most_probable
from cascade_calibration.measurement import Measurement


def analyse(measurement: Measurement) -> Verdict:
    """The decay time, and whether the delays suit it."""
    found = relaxation(measurement, "s", lambda line: decays.possible(line, line.step))
    line, used = found.line, found.line.keep(found.kept)
    probabilities = found.weigh(decays.STATUSES, lambda times: decays.suited(used, times), nothing="NO_SIGNAL")
    status, probability = most_probable(probabilities)
    best = found.fit(decays.decay(line.x, line.step)) if status != "NO_SIGNAL" else None
    t1 = found.estimate(lambda times: times, "s") if best else None
    return Verdict(
        family="t1",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters={"T1": t1} if t1 else {},
        evidence=found.quality(best) | ({"window / T1": line.window / t1.value} if t1 else {}),
        sentences=decays.sentences(status, line, t1.value if t1 else np.nan, "T1"),
        suggested_range=() if status == "SUCCESS" else (decays.suggested(line, found.times),),
        next_experiment={
            "SUCCESS": "ramsey_t2star",
            "NO_SIGNAL": "check the pi pulse (rabi) and the readout (gmm), then repeat",
        }.get(status, "t1 over the suggested delays"),
        picture=curve(line, best, found.kept, marks={"T1": line.x[0] + t1.value} if t1 else {}),
    )


FAMILY = Family(
    name="t1",
    about="relaxation: the decay time T1 from the signal against the delay",
    statuses=decays.STATUSES,
    called=r"\bt1\b(?!.*(fluct|stab))",
    analyse=analyse,
)
