"""Randomized benchmarking: the signal decays as ``A f**m + B`` with the number m of Clifford gates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis import decays
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.relaxation import relaxation
from cascade_calibration.analysis.separable import Array
from cascade_calibration.analysis.summary import curve
from cascade_calibration.analysis.trace import Trace
from cascade_calibration.analysis.verdict import Range, Verdict
from cascade_calibration.analysis.weighing import most_probable
from cascade_calibration.measurement import Measurement
from cascade_qec.errors import CascadeError

_STATUSES = ("SUCCESS", "NO_SIGNAL", "TOO_SHORT", "TOO_LONG")
_CALLED = {"WINDOW_TOO_SHORT": "TOO_SHORT", "SAMPLING_TOO_COARSE": "TOO_LONG"}
"""What statuses of a decay are called here: it is the sequences that are."""

_LEAST = 8
"""Gates that the longest sequence of a next measurement has."""


def analyse(measurement: Measurement) -> Verdict:
    """f and the error of a Clifford gate, and whether the lengths of the sequences suit them.

    The attribute `qubits` of the measurement says on how many the gates act; one by default.
    """
    levels = 2.0 ** _qubits(measurement)
    found = relaxation(measurement, "", lambda line: decays.possible(line, _shortest(line)))
    line = found.line
    if line.x[0] < 0:
        raise CascadeError(f"{line.axis}: expected numbers of Clifford gates, found {line.x[0]:g}")
    # several sequences of a length are several points, but one length
    used = line.keep(found.kept)
    lengths = used.keep(np.diff(used.x, prepend=-1) > 0)

    def status_of(times: Array) -> NDArray[np.str_]:
        suits = decays.suited(lengths, times)
        return np.array([_CALLED.get(str(one), str(one)) for one in suits])

    probabilities = found.weigh(_STATUSES, status_of, nothing="NO_SIGNAL")
    status, probability = most_probable(probabilities)
    best = found.fit(decays.decay(line.x, _shortest(line))) if status != "NO_SIGNAL" else None
    length = float(np.exp(best.theta[0])) if best else np.nan
    parameters = {}
    if best and status != "TOO_LONG":
        parameters = {
            "f": found.estimate(lambda lengths: np.exp(-1 / lengths), ""),
            "error per Clifford": found.estimate(lambda lengths: -np.expm1(-1 / lengths) * (levels - 1) / levels, ""),
        }
    suggested = decays.suggested(lengths, found.times)
    last = max(_LEAST, round(suggested.high))
    return Verdict(
        family="rb",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=found.quality(best) | ({"longest / decay length": line.window / length} if best else {}),
        sentences=_sentences(status, line.window / length, int((lengths.x <= lengths.x[0] + length).sum())),
        suggested_range=()
        if status == "SUCCESS"
        else (Range(line.axis, 0.0, float(last), "", min(last + 1, suggested.points)),),
        next_experiment={
            "SUCCESS": "interleaved sequences, or compare with the limit that T1 and T2 set",
            "NO_SIGNAL": "check the gates (rabi, drag, pingpong) and the readout (gmm)",
        }.get(status, "rb over the suggested lengths"),
        picture=curve(line, best, found.kept),
    )


def _shortest(line: Trace) -> float:
    """The shortest step: lengths are often spaced geometrically, and it tells the fastest decay."""
    return float(np.diff(np.unique(line.x)).min())


def _qubits(measurement: Measurement) -> float:
    found = measurement.dataset.attrs.get("qubits", 1)
    try:
        qubits = float(found)
    except (TypeError, ValueError):
        qubits = np.nan
    if not 1 <= qubits <= 10:
        raise CascadeError(f"qubits: expected the number of qubits that the gates act on, found {found!r}")
    return qubits


def _sentences(status: str, ratio: float, inside: int) -> tuple[str, ...]:
    if status == "NO_SIGNAL":
        return (
            "The signal does not change with the length by more than its noise.",
            "The data cannot tell gates that fail at once from gates that hardly err over these lengths.",
        )
    if status == "TOO_SHORT":
        left = (
            f"The longest sequences are {ratio:.2g} decay lengths long, with {np.exp(-ratio):.0%} of the signal left."
        )
        return (left, "The level that it decays to is a guess, and so is f.")
    if status == "TOO_LONG":
        return (f"Only {inside} lengths are shorter than the decay.", "Shorter sequences tell how fast it is.")
    return (f"A decay A f^m + B fits, over {ratio:.2g} decay lengths.",)


FAMILY = Family(
    name="rb",
    about="randomized benchmarking: the error of a Clifford gate from the signal against the number of gates",
    statuses=_STATUSES,
    called=r"\brb\b|\brandomi[sz]ed bench|\bclifford",
    analyse=analyse,
)
