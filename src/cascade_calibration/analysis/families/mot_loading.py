"""Loading of a magneto-optical trap: a camera's image of the cloud, round, with a tail, or not there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, median_filter
from scipy.optimize import least_squares
from scipy.special import erfcx, expit, log_ndtr
from scipy.stats import norm

from cascade_calibration.analysis.images import image_of
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.verdict import Estimate, Map, Verdict
from cascade_calibration.analysis.weighing import most_probable
from cascade_calibration.measurement import Measurement

Array = NDArray[np.float64]

_STATUSES = ("SUCCESS", "NO_SIGNAL", "ASYMMETRIC")

_SMOOTHED = (1.5, 3.0, 6.0, 12.0, 24.0)
"""Sizes of clouds that are looked for, in pixels."""
_CLEAR = 7.0
"""Standard deviations by which a smoothed cloud must stand out of an image of noise."""
_HIGH = 1.5
"""Noises of a pixel that the cloud's peak must have: less may be light that is not even."""
_CROP = 5.0
_PIXELS = 40
"""Along each side of what is fitted: averages of pixels, if the cloud is larger."""
_TAIL = 0.6
"""Length of a tail, in widths of the cloud, that makes it asymmetric."""
_OUTLIER = 6.0
_TAIL_AT = 6
"""Place of the tail among the parameters."""


@dataclass(frozen=True)
class _Fit:
    """Parameters, half the sum of squares, and derivatives of the residuals [n, p]."""

    x: Array
    cost: float
    jac: Array


def analyse(measurement: Measurement) -> Verdict:
    """Place and width of the cloud, and whether it has a tail."""
    image, x, y, unit = image_of(measurement)
    # single bright pixels are no cloud
    smooth = median_filter(image, 3)
    noise = float(np.median(np.abs(image - smooth)) / norm.ppf(0.75))
    clean = np.where(np.abs(image - smooth) > _OUTLIER * max(noise, 1e-300), smooth, image)
    spot = _spot(clean)
    if spot is None or not noise > 0:
        clear = 0.0 if spot is None else spot[3]
        return _nothing(image, x, y, unit, clear)
    plain, tailed, corner = _fits(clean, *spot[:3])
    evidence = _evidence(plain, tailed)
    long = abs(tailed.x[6]) / max(1.0, float(np.sqrt(abs(tailed.x[3] * tailed.x[4]))))
    # a short tail is measured, and does no harm
    asymmetric = float(expit(evidence) * expit(12 * (long - _TAIL)))
    height, wide = float(plain.x[0] / noise), float(np.sqrt(abs(plain.x[3] * plain.x[4])))
    seen = float(expit(3 * (spot[3] - _CLEAR)) * expit(4 * (height - _HIGH)) * (wide > 1))
    probabilities = {"SUCCESS": seen * (1 - asymmetric), "NO_SIGNAL": 1 - seen, "ASYMMETRIC": seen * asymmetric}
    status, probability = most_probable(probabilities)
    parameters = {}
    if status == "SUCCESS":
        parameters = _parameters(plain, x, y, corner, unit)
    return Verdict(
        family="mot_loading",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence={
            "pixels": float(image.size),
            "peak over noise of a pixel": height,
            "cloud over noise": spot[3],
            "larger over smaller width": float(np.exp(abs(np.log(abs(plain.x[3] / plain.x[4]))))),
            "log Bayes factor of a tail": evidence,
            "tail over width": float(long),
        },
        sentences=_sentences(status, spot[3], float(long)),
        next_experiment={
            "SUCCESS": "load the tweezers (tweezer_array)",
            "NO_SIGNAL": "check the lasers' frequencies, the beams, the field gradient and the camera",
            "ASYMMETRIC": "balance the beams and centre the field's zero, then mot_loading",
        }[status],
        picture=Map("x", "y", unit, unit, x, y, image),
    )


def _spot(image: Array) -> tuple[float, float, float, float] | None:
    """Place (x, y) and size of what stands out most, in pixels, and by how many standard deviations."""
    best = None
    for size in _SMOOTHED:
        if size > min(image.shape) / 12:
            break
        # light that is not even over the image is no cloud
        smooth = gaussian_filter(image, size, mode="nearest") - gaussian_filter(image, 3 * size, mode="nearest")
        middle = np.median(smooth)
        scale = np.median(np.abs(smooth - middle)) / norm.ppf(0.75)
        if not scale > 0:
            continue
        row, column = np.unravel_index(np.argmax(smooth), smooth.shape)
        clear = float((smooth[row, column] - middle) / scale)
        if best is None or clear > best[3]:
            best = (float(column), float(row), size, clear)
    return best


def _fits(image: Array, column: float, row: float, size: float) -> tuple[_Fit, _Fit, tuple[int, int]]:
    """Fits of a cloud without and with a tail, and what was fitted: first column and row.

    Parameters: height, x, y, widths along and across, angle, (length of the tail,) level.
    """
    reach = int(max(8, _CROP * size))
    left, top = max(0, int(column) - reach), max(0, int(row) - reach)
    part = image[top : int(row) + reach + 1, left : int(column) + reach + 1]
    bin_ = max(1, int(np.ceil(max(part.shape) / _PIXELS)))
    rows, columns = (n // bin_ * bin_ for n in part.shape)
    part = part[:rows, :columns].reshape(rows // bin_, bin_, columns // bin_, bin_).mean(axis=(1, 3))
    places = np.arange(part.shape[1]) * bin_ + (bin_ - 1) / 2, np.arange(part.shape[0]) * bin_ + (bin_ - 1) / 2
    xs, ys = np.meshgrid(*places)
    height, level = float(part.max() - np.median(part)), float(np.median(part))
    unit = max(height, 1e-300)

    def descended(start: Array, free: NDArray[np.bool_], steps: int) -> _Fit:
        """Least squares from a start, by the free parameters."""
        whole = start.copy()

        @lru_cache(maxsize=1)
        def at(p: bytes) -> tuple[Array, Array]:
            whole[free] = np.frombuffer(p)
            value, slopes = _cloud(whole, xs, ys)
            return ((value - part) / unit).ravel(), (slopes[free] / unit).reshape(free.sum(), -1).T

        scales = np.array([unit, size, size, size, size, 1.0, size, unit])[free]
        found = least_squares(
            lambda p: at(p.tobytes())[0],
            start[free],
            lambda p: at(p.tobytes())[1],  # pyright: ignore[reportArgumentType] (stubs know names alone)
            method="lm",
            x_scale=scales,
            max_nfev=steps,
        )
        whole[free] = found.x
        return _Fit(whole, float(found.cost), found.jac)

    begin = np.array([height, column - left, row - top, 1.2 * size, size, 0.3, 0.0, level])
    plain = descended(begin, np.arange(len(begin)) != _TAIL_AT, 60)
    tails: list[_Fit] = []
    for angle in np.arange(4) * np.pi / 2 + np.pi / 4:
        start = plain.x.copy()
        wide = float(np.sqrt(abs(start[3] * start[4])))
        start[3:7] = wide * 0.8, wide * 0.8, angle, wide
        start[1:3] -= 0.7 * wide * np.array([np.cos(angle), np.sin(angle)])
        start[0] *= 1.3
        tails.append(descended(start, np.ones(len(start), dtype=bool), 25))
    return plain, min(tails, key=lambda one: one.cost), (left, top)


def _cloud(p: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """A Gaussian whose atoms leave along its first axis, exponentially far: [ny, nx], and derivatives [8, ny, nx].

    p is height, place x and y, widths along and across, angle, tail and level.
    """
    height, x0, y0, along, across, angle, tail, level = p
    signs = [-1 if one < 0 else 1 for one in (along, across, tail)]
    along, across, tail = abs(along) + 1e-3, abs(across) + 1e-3, abs(tail)
    cosine, sine = np.cos(angle), np.sin(angle)
    u, v = (x - x0) * cosine + (y - y0) * sine, (y - y0) * cosine - (x - x0) * sine
    aside, middle = np.exp(-0.5 * (v / across) ** 2), np.exp(-0.5 * (u / along) ** 2)
    if tail < 0.02 * along:
        shape, by_u, by_tail = middle, -u / along**2 * middle, np.zeros_like(u)
        by_along = u**2 / along**3 * middle
    else:
        ratio = along / tail
        z = (ratio - u / along) / np.sqrt(2)
        # each form overflows where the other is used
        far = np.exp(0.5 * ratio**2 - u / tail + log_ndtr(-z * np.sqrt(2)))
        near = 0.5 * middle * erfcx(np.maximum(z, 0))
        shape = np.sqrt(2 * np.pi) * ratio * np.where(z > 0, near, far)
        by_u = middle * ratio / along - shape / tail
        by_along = shape * (1 / along + along / tail**2) - middle * ratio * (1 / tail + u / along**2)
        by_tail = shape * (u / tail**2 - along**2 / tail**3 - 1 / tail) + middle * ratio * along / tail**2
    by_v = -v / across**2 * aside
    slopes = np.stack(
        [
            shape * aside,
            -height * (by_u * aside * cosine - shape * by_v * sine),
            -height * (by_u * aside * sine + shape * by_v * cosine),
            signs[0] * height * by_along * aside,
            signs[1] * height * shape * aside * v**2 / across**3,
            height * (by_u * aside * v - shape * by_v * u),
            signs[2] * height * by_tail * aside,
            np.ones_like(u),
        ]
    )
    return level + height * shape * aside, slopes


def _evidence(plain: _Fit, tailed: _Fit) -> float:
    """Logarithm of the Bayes factor of a tail, about: one parameter more."""
    n = len(plain.jac)
    return float(0.5 * n * np.log(max(plain.cost, 1e-300) / max(tailed.cost, 1e-300)) - 1.0 * np.log(n))


def _parameters(plain: _Fit, x: Array, y: Array, corner: tuple[int, int], unit: str) -> dict[str, Estimate]:
    left, top = corner
    n = len(plain.jac)
    covariance = np.linalg.pinv(plain.jac.T @ plain.jac) * 2 * plain.cost / max(1, n - 7)
    errors = np.sqrt(np.diag(covariance))
    step = float(np.median(np.diff(x))), float(np.median(np.diff(y)))
    # of widths that hardly differ, the mean is better known than which is larger
    along, across = np.abs(plain.x[3:5])
    width = float(np.sqrt(along * across))
    slope = np.zeros(len(errors))
    slope[3:5] = width / 2 / plain.x[3:5]
    values = {
        "center x": (x[0] + step[0] * (left + plain.x[1]), step[0] * errors[1]),
        "center y": (y[0] + step[1] * (top + plain.x[2]), step[1] * errors[2]),
        "width": (step[0] * width, step[0] * float(np.sqrt(slope @ covariance @ slope))),
    }
    return {
        name: Estimate(float(v), float(e), float(v - 1.96 * e), float(v + 1.96 * e), unit)
        for name, (v, e) in values.items()
    }


def _sentences(status: str, clear: float, long: float) -> tuple[str, ...]:
    if status == "NO_SIGNAL":
        return (
            f"Nothing in the image stands out: the brightest place by {clear:.2g} standard deviations.",
            "The data cannot tell a trap without atoms from light that does not reach the camera.",
        )
    if status == "ASYMMETRIC":
        return (f"The cloud has a tail, {long:.2g} times as long as it is wide.", "Unbalanced beams push atoms out.")
    return ("A cloud stands out of the background, and a Gaussian without a tail fits it.",)


def _nothing(image: Array, x: Array, y: Array, unit: str, clear: float) -> Verdict:
    return Verdict(
        family="mot_loading",
        status="NO_SIGNAL",
        probability=1.0,
        probabilities={"SUCCESS": 0.0, "NO_SIGNAL": 1.0, "ASYMMETRIC": 0.0},
        evidence={"pixels": float(image.size), "cloud over noise": clear},
        sentences=_sentences("NO_SIGNAL", clear, 0.0),
        next_experiment="check the lasers' frequencies, the beams, the field gradient and the camera",
        picture=Map("x", "y", unit, unit, x, y, image),
    )


FAMILY = Family(
    name="mot_loading",
    about="loading of a magneto-optical trap: place, widths and symmetry of the cloud in a camera's image",
    statuses=_STATUSES,
    called=r"\bmot\b",
    analyse=analyse,
)
