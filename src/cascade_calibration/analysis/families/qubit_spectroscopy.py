"""Qubit spectroscopy: the response of a qubit to a drive against the drive's frequency."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from cascade_calibration.analysis.lines import GAUSSIAN, LORENTZIAN, Found, Shape, Spectrum, fit_line, lines_beside
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, estimate
from cascade_calibration.analysis.trace import Trace, trace
from cascade_calibration.analysis.verdict import Curve, Range, Verdict
from cascade_calibration.analysis.weighing import divided, most_probable, weigh
from cascade_calibration.measurement import Measurement

_STATUSES = ("SUCCESS", "NO_SIGNAL", "MULTIPLE_PEAKS")

_LINES = 4
_SURE = 0.5
"""Logarithm of the Bayes factor of one more line."""
_WEAK = 0.25
"""Of the strongest line's height: a weaker line leaves no doubt which is the qubit's."""
_MOST_POINTS = 1201
_HEIGHT, _FACTOR = 10.0, 4.0
"""A line's height over the noise of a point, and the factor that is one standard deviation of its logarithm."""
_RARE = 0.01
"""Probability that a point is an outlier, anywhere in the data's range."""


def analyse(measurement: Measurement) -> Verdict:
    """The qubit's frequency and linewidth, and whether there is one line only."""
    line = trace(measurement, ("Hz",), least=12)
    largest = float(np.abs(line.y - np.median(line.y)).max()) or 1.0
    spectrum = Spectrum(line.x, (line.y - np.median(line.y)) / largest, order=2)
    found = lines_beside(fit_line(spectrum, (LORENTZIAN, GAUSSIAN)), _LINES, _SURE)
    first = found[0]
    fits = first.fits
    if len(found) > 1:
        first = fit_line(replace(spectrum, kept=first.kept, beside=_others(found)), (LORENTZIAN, GAUSSIAN))
        fits = first.fits

    def status_of(one: Fit) -> NDArray[np.str_]:
        inside = (one.thetas[:, 0] > line.x[0]) & (one.thetas[:, 0] < line.x[-1])
        return np.where(inside, "SUCCESS", "NO_SIGNAL")

    rivals = [one for one in found[1:] if fits and _rivals(fits[0], one.fits[0])]
    probabilities = weigh(fits, _STATUSES, status_of, nothing="NO_SIGNAL")
    if fits:
        probabilities["SUCCESS"] *= float(np.exp(_known(first)))
        probabilities = {name: one / sum(probabilities.values()) for name, one in probabilities.items()}
    if rivals:
        evidence = max(one.fits[0].evidence + _known(one) for one in rivals)
        probabilities = divided(probabilities, "MULTIPLE_PEAKS", evidence, among=("SUCCESS",), prior=0.0)
    status, probability = most_probable(probabilities)
    best = fits[0] if status != "NO_SIGNAL" else None
    parameters = {}
    if best and status == "SUCCESS":
        near = [one for one in fits if abs(one.theta[0] - best.theta[0]) < np.exp(best.theta[1])]
        parameters = {
            "f_01": estimate(near, lambda p: p[..., 0], "Hz"),
            "linewidth": estimate(near, lambda p: 2 * np.exp(p[..., 1]), "Hz"),
        }
    sentences, suggested = _advice(status, line, fits, rivals)
    return Verdict(
        family="qubit_spectroscopy",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=_facts(line, first, best, 1 + len(rivals)),
        sentences=sentences,
        suggested_range=suggested,
        next_experiment={
            "SUCCESS": "rabi at this frequency",
            "NO_SIGNAL": "qubit_spectroscopy over the suggested range, and with more power",
        }.get(status, "qubit_spectroscopy_power_frequency: the qubit's own line stays at the least power"),
        picture=_picture(line, first, best, largest),
    )


def _others(found: list[Found]) -> tuple[tuple[Shape, Array], ...]:
    return tuple((one.shape(one.fits[0]), one.fits[0].theta) for one in found[1:])


def _rivals(first: Fit, other: Fit) -> bool:
    """Whether another line is so high that either may be the qubit's."""
    heights = np.abs([first.amplitudes[1], other.amplitudes[1]])
    return bool(heights.min() > _WEAK * heights.max())


def _known(found: Found) -> float:
    """What is known beforehand of lines and of outliers, as a logarithm that is added to the first fit's evidence.

    That takes a line's height from as many points as there are, so that wide lines would be lower than the noise: here
    it is a height that lines have. And it is against a constant: here one point may be an outlier, as a line is that
    only one point shows.
    """
    best = found.fits[0]
    height = max(abs(float(best.amplitudes[1])) / best.sigma, 1e-9)
    functions = best.model.basis(best.x, best.theta)[:, 0]
    wide = np.sqrt(len(best.x) / max(float(((functions - functions.mean()) ** 2).sum()), 1e-300))
    off = np.log(height / _HEIGHT) / np.log(_FACTOR)
    size = norm.logpdf(off) - np.log(2 * height * np.log(_FACTOR)) - norm.logpdf(height, scale=wide)
    without = np.abs(found.used.y - found.curve(found.used.f)) / best.sigma
    spread = float(np.ptp(found.spectrum.y)) / best.sigma
    outlier = float((without**2).max()) / 2 + np.log(_RARE * np.sqrt(2 * np.pi) / spread)
    return float(size - np.logaddexp(0.0, outlier))


def _facts(line: Trace, found: Found, best: Fit | None, count: int) -> dict[str, float]:
    facts = {
        "points": float(len(line.x)),
        "outliers": float((~found.kept).sum()),
        "missing": float(line.missing),
    }
    if best:
        width = 2 * float(np.exp(best.theta[1]))
        facts |= {
            "lines": float(count),
            "signal to noise": abs(float(best.amplitudes[1])) / best.sigma,
            "log Bayes factor of a line": best.evidence,
            "points per linewidth": width / line.step,
            "window / linewidth": line.window / width,
        }
    return facts


def _advice(
    status: str, line: Trace, fits: list[Fit], rivals: list[Found]
) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    low, high, points = float(line.x[0]), float(line.x[-1]), min(3 * len(line.x), _MOST_POINTS)
    if status == "NO_SIGNAL":
        best = fits[0] if fits else None
        if best and best.evidence > 0 and not low < best.theta[0] < high:
            return (
                "The sweep shows the flank of a line that lies beyond its end.",
                "Without the line itself its place is a guess.",
            ), (Range(line.axis, best.theta[0] - (high - low), best.theta[0] + (high - low), "Hz", points),)
        return (
            "No line stands out of the noise.",
            "The data cannot tell a qubit elsewhere from a drive or a readout that does not reach it.",
        ), (Range(line.axis, max(2 * low - high, 0.0), 2 * high - low, "Hz", points),)
    places = sorted([float(fits[0].theta[0]), *(float(one.fits[0].theta[0]) for one in rivals)])
    if status == "MULTIPLE_PEAKS":
        return (
            f"There are {len(places)} lines, at {', '.join(f'{1e-9 * one:.5g}' for one in places)} GHz.",
            "Another transition, qubit or defect would look like this; one sweep cannot tell which is the qubit.",
        ), ()
    width = 2e-6 * np.exp(fits[0].theta[1])
    return (f"One line fits, {width:.3g} MHz wide ({fits[0].model.name}).",), ()


def _picture(line: Trace, found: Found, best: Fit | None, largest: float) -> Curve:
    fine = np.linspace(line.x[0], line.x[-1], 1000)
    level = float(np.median(line.y))
    return Curve(
        axis=line.axis,
        x_unit=line.x_unit,
        y_unit=line.y_unit,
        x=line.x,
        y=line.y,
        fit=level + largest * found.curve(line.x, best) if best else None,
        fine_x=fine if best else None,
        fine_fit=level + largest * found.curve(fine, best) if best else None,
        outliers=~found.kept,
        marks={"f_01": float(best.theta[0])} if best else {},
    )


FAMILY = Family(
    name="qubit_spectroscopy",
    about="qubit spectroscopy: the qubit's frequency from its response against the drive's frequency",
    statuses=_STATUSES,
    called=r"^(?!.*(res|flux|power|rydberg|coupler)).*\bspec(troscopy)?\b",
    analyse=analyse,
)
