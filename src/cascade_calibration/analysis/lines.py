"""Lines of a spectrum over a smooth background, real or complex: found without starting values, weighed, and refined.

The background is a polynomial; what lies in its span is taken out of the data and of the lines' functions, so that the
evidence of a line is against the background alone. Complex spectra are fitted as their real and imaginary parts in one
column. Places to start come from matched filters of several widths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.stats import norm

from cascade_calibration.analysis.separable import Array, Fit, Model, fit, side_by_side
from cascade_calibration.analysis.verdict import Estimate

_NARROWEST = 0.6
"""Half width in steps: of a narrower line, one point would show all."""
_WIDEST = 0.35
"""Half width in windows: a wider line is a background."""
_WIDTHS = 9
_CENTRES = 3
_BEYOND = 0.5
_FLANK = 2.0
"""Windows, and half widths, beyond the ends in which a line may be centred whose flank alone is seen."""
_OUTLIER = 4.5
_BESIDE = 0.4
_AROUND = 15
_ALONE = 7.0
_HIDDEN = 5.0
"""Logarithm of the Bayes factor that a line loses at least by its free parameters."""
_NEIGHBOUR = 0.2
_MOST_OUTLIERS = 0.1
_PASSES = 5


@dataclass(frozen=True)
class Shape:
    """A line's functions of the distance from its centre in half widths: [..., n] -> [..., n, k], or complex [..., n].

    Complex ones have a complex amplitude.
    """

    name: str
    of: Callable[[Array], NDArray[Any]]
    prior: float = 0.0


def _lorentzian(d: Array) -> Array:
    return (1 / (1 + d**2))[..., None]


def _gaussian(d: Array) -> Array:
    return np.exp(-np.log(2) * np.clip(d, -30, 30) ** 2)[..., None]


def _fano(d: Array) -> Array:
    peak = 1 / (1 + d**2)
    return side_by_side(peak, d * peak)


def _circle(d: Array, side: float) -> NDArray[np.complex128]:
    """``1 / (1 - 1j side d)``, of which complex division takes three times as long."""
    found = np.empty(d.shape, dtype=np.complex128)
    np.divide(1, 1 + d**2, out=found.real)
    np.multiply(side * d, found.real, out=found.imag)
    return found


LORENTZIAN = Shape("lorentzian", _lorentzian)
GAUSSIAN = Shape("gaussian", _gaussian)
FANO = Shape("fano", _fano)
"""A Lorentzian and its dispersion: of a resonance beside other paths, in power or in one quadrature."""
RESONANCE = Shape("resonance", lambda d: _circle(d, -1.0))
"""Complex response of a resonator."""
MIRRORED = Shape("mirrored resonance", lambda d: _circle(d, 1.0))
"""The same where phases are counted the other way round."""


@dataclass(frozen=True)
class Spectrum:
    """A spectrum and what is known of its background.

    Attributes
    ----------
    f : float64 [n], sorted
    y : float64 or complex128 [n]
    order
        Of the background's polynomial.
    weights : float64 [n] or None
        One over the standard deviation of a point, up to a factor.
    beside
        Lines that are there too: shape, centre and logarithm of the half width.
    kept : bool [n] or None
        Points that are no outliers.
    """

    f: Array
    y: NDArray[Any]
    order: int = 1
    weights: Array | None = None
    beside: tuple[tuple[Shape, Array], ...] = ()
    kept: NDArray[np.bool_] | None = None

    @property
    def step(self) -> float:
        """The usual distance of neighbours."""
        return float(np.median(np.diff(np.unique(self.f))))

    @property
    def window(self) -> float:
        """From the first point to the last."""
        return float(self.f[-1] - self.f[0])

    @property
    def scale(self) -> Array:
        """Weights, or ones: [n]."""
        return np.ones(len(self.f)) if self.weights is None else self.weights

    @property
    def box(self) -> tuple[Array, Array]:
        """Least and greatest centre and logarithm of the half width: [2] each."""
        widest = max(_WIDEST * self.window, 2 * _NARROWEST * self.step)
        return (
            np.array([self.f[0] - _BEYOND * self.window, np.log(_NARROWEST * self.step)]),
            np.array([self.f[-1] + _BEYOND * self.window, np.log(widest)]),
        )

    def stacked(self, values: NDArray[Any]) -> Array:
        """Real and imaginary parts in one column, if the spectrum is complex: [..., n] -> [..., n or 2 n]."""
        if not np.iscomplexobj(self.y):
            return np.real(values)
        return np.concatenate([np.real(values), np.imag(values)], axis=-1)

    def line(self, shape: Shape, theta: Array, f: Array | None = None) -> Array:
        """A line's functions: [..., p] -> [..., n or 2 n, k]."""
        f = self.f if f is None else f
        values = shape.of((f - theta[..., None, 0]) / np.exp(theta[..., None, 1]))
        if not np.iscomplexobj(values):
            return values
        if not np.iscomplexobj(self.y):
            return side_by_side(np.real(values), -np.imag(values))
        n = values.shape[-1]
        found = np.empty((*values.shape[:-1], 2, 2 * n))  # times 1 and times i; real parts first
        found[..., 0, :n] = found[..., 1, n:] = np.real(values)
        found[..., 0, n:] = np.imag(values)
        found[..., 1, :n] = -np.imag(values)
        return np.swapaxes(found, -1, -2)

    def background(self, f: Array | None = None) -> Array:
        """Functions of the background and of the lines beside: [n or 2 n, k]."""
        f = self.f if f is None else f
        place = 2 * (f - self.f[0]) / self.window - 1
        polynomial = chebvander(place, self.order)
        columns = [self.stacked(one) for one in polynomial.T]
        if np.iscomplexobj(self.y):
            columns += [self.stacked(1j * one) for one in polynomial.T]
        return np.column_stack([*columns, *(self.line(shape, theta, f) for shape, theta in self.beside)])

    def only(self, kept: NDArray[np.bool_]) -> Spectrum:
        """Some of the points; the window is as it was only if the ends are among them."""
        weights = None if self.weights is None else self.weights[kept]
        return replace(self, f=self.f[kept], y=self.y[kept], weights=weights, kept=None)


@dataclass(frozen=True)
class Found:
    """Lines that explain a spectrum, each fit another explanation by one line; the most probable first.

    Attributes
    ----------
    spectrum
        With all points.
    fits
        Of the points that were kept; `theta` is the centre and the logarithm of the half width.
    """

    spectrum: Spectrum
    used: Spectrum
    shapes: tuple[Shape, ...]
    fits: list[Fit]
    kept: NDArray[np.bool_]

    def shape(self, one: Fit) -> Shape:
        """Of a fit."""
        return next(shape for shape in self.shapes if shape.name == one.model.name)

    def levels(self, one: Fit, thetas: Array, amplitudes: Array) -> Array:
        """Amplitudes of the background that go with those of the line: [..., p], [..., k] -> [..., columns]."""
        scale = self.used.stacked(self.used.scale * (1 + 1j))
        line = (self.used.line(self.shape(one), thetas) @ amplitudes[..., None])[..., 0]
        rest = scale * (self.used.stacked(self.used.y) - line)
        return rest @ self.inverse.T

    @cached_property
    def inverse(self) -> Array:
        """From weighted rows to the background's amplitudes: [columns, rows]."""
        scale = self.used.stacked(self.used.scale * (1 + 1j))
        return np.linalg.pinv(scale[:, None] * self.used.background()).astype(np.float64)

    def curve(self, f: Array, one: Fit | None = None) -> NDArray[Any]:
        """The fitted spectrum, or the background without a line."""
        if one is None:
            scale = self.used.stacked(self.used.scale * (1 + 1j))
            levels = self.inverse @ (scale * self.used.stacked(self.used.y))
            values = self.used.background(f) @ levels
        else:
            levels = self.levels(one, one.theta, one.amplitudes[1:])
            line = self.used.line(self.shape(one), one.theta, f) @ one.amplitudes[1:]
            values = self.used.background(f) @ levels + line
        return values[: len(f)] + 1j * values[len(f) :] if np.iscomplexobj(self.used.y) else values


def fit_line(spectrum: Spectrum, shapes: Sequence[Shape], least: float = 0.0) -> Found:
    """One line, anywhere, of any width and of one of the shapes; outliers are left out.

    Parameters
    ----------
    least
        Do not look closer where no line could explain more than so many times the noise's variance.
    """
    kept = ~alone(spectrum) if spectrum.kept is None else spectrum.kept
    for _ in range(_PASSES):
        used = spectrum.only(kept)
        found = Found(spectrum, used, tuple(shapes), _fits(used, shapes, least), kept)
        good = found.fits[0] if found.fits and found.fits[0].evidence > 0 else None
        distance = np.abs(spectrum.y - found.curve(spectrum.f, good)) * spectrum.scale
        half = np.sqrt(2 * np.log(2)) if np.iscomplexobj(spectrum.y) else norm.ppf(0.75)
        scale = np.median(distance[kept]) / half
        bound = _OUTLIER * scale
        beside = np.pad(distance * kept, 1)
        # several in a row are no outliers: another line, or a shape of its own
        far = kept & (distance > bound) & (np.maximum(beside[:-2], beside[2:]) < _BESIDE * distance)
        if not far.any() or (~kept | far).sum() > max(1, _MOST_OUTLIERS * len(kept)):
            break
        kept = kept & ~far
    return found


def lines_beside(first: Found, most: int, sure: float = 5.0) -> list[Found]:
    """The first line, and others beside it, each found with those before it in the background; `most` in all.

    Parameters
    ----------
    sure
        Logarithm of the Bayes factor that each must have.
    """
    found, last = [first], first
    for _ in range(most - 1):
        if not last.fits or last.fits[0].evidence < sure:
            break
        shape, theta = last.shape(last.fits[0]), last.fits[0].theta
        beside = replace(last.spectrum, kept=last.kept, beside=(*last.spectrum.beside, (shape, theta)))
        last = fit_line(beside, (shape,), 2 * (sure + _HIDDEN))
        if last.fits and last.fits[0].evidence > sure and all(_apart(one.fits[0], last.fits[0]) for one in found):
            found.append(last)
    return found


def _apart(one: Fit, other: Fit) -> bool:
    """Whether two lines stand side by side: nearer ones are one line of another shape."""
    return bool(abs(one.theta[0] - other.theta[0]) > np.exp(one.theta[1]) + np.exp(other.theta[1]))


def interval(value: float, samples: Array, unit: str) -> Estimate:
    """A parameter from samples [samples] of it that the data allow."""
    low, down, up, high = np.quantile(samples, [0.025, 0.15866, 0.84134, 0.975])
    return Estimate(float(value), float((up - down) / 2), float(low), float(high), unit)


def alone(spectrum: Spectrum) -> NDArray[np.bool_]:
    """Points, one or two in a row, far from their neighbours, which are near to what is around: no line is that narrow.

    bool [n]
    """
    y = spectrum.y
    middle = median_filter(np.real(y), _AROUND, mode="mirror")
    if np.iscomplexobj(y):
        middle = middle + 1j * median_filter(np.imag(y), _AROUND, mode="mirror")
    apart = np.abs(y - middle)
    half = np.sqrt(2 * np.log(2)) if np.iscomplexobj(y) else norm.ppf(0.75)
    sigma = float(np.median(np.abs(np.diff(y)))) / np.sqrt(2) / half
    n = len(y)
    around = np.pad(apart, 2)
    far = np.zeros(n, dtype=bool)
    for run in (1, 2):
        top = np.maximum(apart[: n - run + 1], apart[run - 1 :])
        outside = np.maximum(around[1 : n - run + 2], around[2 + run : n + 3])
        lone = (top > _ALONE * sigma) & (outside < np.maximum(_NEIGHBOUR * top, 1.5 * sigma))
        for i in range(run):
            far[i : n - run + 1 + i] |= lone & (apart[i : n - run + 1 + i] > _OUTLIER * sigma)
    return far if far.sum() <= max(1, _MOST_OUTLIERS * n) else np.zeros(n, dtype=bool)


def _fits(spectrum: Spectrum, shapes: Sequence[Shape], least: float) -> list[Fit]:
    scale = spectrum.stacked(spectrum.scale * (1 + 1j))
    known = _orthonormal(scale[:, None] * spectrum.background())
    data = scale * spectrum.stacked(spectrum.y)
    rest = data - known @ (known.T @ data)
    if not (rest @ rest > 1e-20 * (data @ data)) or len(rest) < 10:
        return []
    low, high = spectrum.box
    widths = np.linspace(low[1], high[1], _WIDTHS)
    places, explained = _centres(spectrum, rest / scale, widths)
    if explained < least:
        return []
    ends = (low[0] + high[0]) / 2 + (high[0] - low[0]) / 2 * np.array([-1, -0.75, -0.5, 0.5, 0.75, 1])
    centres = np.unique(np.concatenate([ends, places]))

    def model(shape: Shape) -> Model:
        def basis(x: Array, theta: Array) -> Array:
            functions = np.swapaxes(spectrum.line(shape, theta), -1, -2)
            rows = functions.reshape(-1, len(rest))
            if spectrum.weights is not None:
                rows *= scale
            rows -= (rows @ known) @ known.T
            return np.swapaxes(rows.reshape(functions.shape), -1, -2)

        return Model(shape.name, basis, (centres, widths), shape.prior)

    fits = fit([model(shape) for shape in shapes], np.arange(len(rest), dtype=np.float64), rest)
    # of a line farther out its flank is a background
    outside = [max(spectrum.f[0] - one.theta[0], one.theta[0] - spectrum.f[-1]) for one in fits]
    return [one for one, far in zip(fits, outside, strict=True) if far < _FLANK * np.exp(one.theta[1])]


def _centres(spectrum: Spectrum, rest: Array, widths: Array) -> tuple[Array, float]:
    """Where matched filters of several widths answer most, and how much a line explains, in variances of the noise."""
    n = len(spectrum.f)
    even = np.linspace(spectrum.f[0], spectrum.f[-1], n)
    values = rest[:n] + 1j * rest[n:] if len(rest) == 2 * n else rest
    values = np.interp(even, spectrum.f, values)
    transform = np.fft.fft(values, 2 * n)
    distance = np.fft.fftfreq(2 * n, 1 / (2 * n)) * spectrum.window / (n - 1)
    sigma = np.median(np.abs(values)) / (np.sqrt(2 * np.log(2)) if np.iscomplexobj(values) else norm.ppf(0.75))
    found, explained = [], 0.0
    for width in np.exp(widths):
        line = 1 / (1 + 1j * distance / width)
        answer = np.fft.ifft(transform * np.conj(np.fft.fft(line)))[:n]
        # of real spectra, the real part is a Lorentzian's answer and the imaginary one its dispersion's
        size = np.abs(answer)
        inner = np.r_[True, size[1:] >= size[:-1]] & np.r_[size[:-1] >= size[1:], True]
        tops = np.flatnonzero(inner)
        found.append(even[tops[np.argsort(-size[tops])][:_CENTRES]])
        explained = max(explained, float(size.max() ** 2 / (np.abs(line) ** 2).sum() / max(sigma**2, 1e-300)))
        if not np.iscomplexobj(values):
            found.append(even[[int(np.argmax(answer.real)), int(np.argmin(answer.real))]])
    return np.concatenate(found), explained


def _orthonormal(columns: Array) -> Array:
    left, values, _ = np.linalg.svd(columns / np.linalg.norm(columns, axis=0), full_matrices=False)
    return left[:, values > 1e-7]
