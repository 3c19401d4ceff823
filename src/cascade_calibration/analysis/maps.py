"""Maps: a spectrum for each value of a second axis, in base units, and where each spectrum has its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.separable import Array
from cascade_calibration.analysis.trace import principal_axis
from cascade_calibration.analysis.verdict import Map
from cascade_calibration.measurement import SHOT, Measurement
from cascade_calibration.units import to_base
from cascade_qec.errors import CascadeError

_WIDTHS = 6
_WIDEST = 0.12
_ROUNDS = 8
_STEPS = 5
_REACH = 3.0
_SEEN = 4.1
"""Answer of the matched filter over its noise: the largest of some hundred of noise hardly reaches it."""
_ALONE, _BESIDE = 3.5, 0.35
"""Over the noise, a point that is hardly noise; and of its height, what a line reaches in one neighbour at least."""
_CLIPPED = 12.0
_ABOVE = 2.0


@dataclass(frozen=True)
class Grid:
    """Spectra along a second axis.

    Attributes
    ----------
    f : float64 [nf], x : float64 [nx]
        Frequencies in Hz and the other axis, sorted, in base units.
    z : float64 [nx, nf]
        Each spectrum without its median, over the noise of a point; clipped, so that no outlier leads.
    values : float64 [nx, nf]
        As measured.
    """

    f_axis: str
    x_axis: str
    x_unit: str
    f: Array
    x: Array
    z: Array
    values: Array
    missing: int

    @property
    def step(self) -> float:
        """Distance of frequencies."""
        return float(np.median(np.diff(self.f)))

    def picture(self, curves: Mapping[str, tuple[Array, Array]]) -> Map:
        """The map with frequencies upwards, and curves on it by name: each [n] and [n]."""
        return Map(self.x_axis, self.f_axis, self.x_unit, "Hz", self.x, self.f, self.values.T, curves)


@dataclass(frozen=True)
class Spots:
    """The clearest line of each spectrum: all arrays are [nx].

    Attributes
    ----------
    f, strength
        Its frequency and its answer over the noise.
    seen
        Whether it is more than noise.
    half_width
        Of the filter that answers most in all, in Hz.
    """

    f: Array
    strength: Array
    seen: NDArray[np.bool_]
    half_width: float
    sign: int


def grid(measurement: Measurement, units: tuple[str, ...], least: tuple[int, int] = (5, 15), along: str = "Hz") -> Grid:
    """The map of a measurement over frequency and one other axis.

    Parameters
    ----------
    units
        That the other axis may have.
    least
        Values of the other axis, and frequencies, that are needed.
    along
        Unit of the axis that takes the place of frequency.

    Raises
    ------
    CascadeError
        If there are not two axes, none or both of them are frequencies, or too few points are finite numbers.
    """
    signal = measurement.signal
    axes = [str(dimension) for dimension in signal.dims if dimension != SHOT]
    if len(axes) != 2:
        raise CascadeError(f"expected a signal along two axes, found {len(axes)}: {', '.join(axes)}")
    bases = {axis: to_base(str(measurement.dataset.coords[axis].attrs["units"])) for axis in axes}
    frequencies = [axis for axis in axes if bases[axis][1] == along]
    others = [axis for axis in axes if bases[axis][1] in units]
    if len(frequencies) != 1 or len(others) != 1:
        wanted = " or ".join(one or "none" for one in units)
        found = ", ".join(f"{axis} [{measurement.dataset.coords[axis].attrs['units']}]" for axis in axes)
        raise CascadeError(f"expected an axis in units of {along} and one in units of {wanted}, found {found}")
    (f_axis,), (x_axis,) = frequencies, others
    values = np.asarray(signal.transpose(x_axis, f_axis, ...).values)
    values = values.mean(axis=2) if values.ndim == 3 else values
    f = bases[f_axis][0] * np.asarray(measurement.dataset.coords[f_axis].values, dtype=np.float64)
    x = bases[x_axis][0] * np.asarray(measurement.dataset.coords[x_axis].values, dtype=np.float64)
    f, columns = np.unique(np.where(np.isfinite(f), f, np.nan), return_index=True)
    x, rows = np.unique(np.where(np.isfinite(x), x, np.nan), return_index=True)
    values = values[np.ix_(rows, columns)][np.ix_(np.isfinite(x), np.isfinite(f))]
    f, x = f[np.isfinite(f)], x[np.isfinite(x)]
    finite = np.isfinite(values)
    enough = finite.mean(axis=1) > 0.5 if values.size else np.zeros(0, dtype=bool)
    if enough.sum() < least[0] or len(f) < least[1]:
        raise CascadeError(
            f"expected at least {least[0]} x {least[1]} points along {x_axis} and {f_axis}, found "
            f"{int(enough.sum())} x {len(f)} that are finite numbers"
        )
    x, values, finite = x[enough], values[enough], finite[enough]
    real = _real(values)
    z = _normal(real)
    return Grid(f_axis, x_axis, bases[x_axis][1], f, x, np.where(finite, z, 0.0), real, int((~finite).sum()))


def _real(values: NDArray[np.generic]) -> Array:
    if not np.iscomplexobj(values):
        return values.astype(np.float64)
    real = np.where(np.isfinite(values), values.real, np.nan), np.where(np.isfinite(values), values.imag, np.nan)
    in_phase, quadrature = (one - np.nanmedian(one, axis=1, keepdims=True) for one in real)
    centred = in_phase + 1j * quadrature
    size = np.abs(centred)
    inside = centred[size < _CLIPPED * np.nanmedian(size) + 1e-300]  # outliers do not say where the signal lies
    return (values * np.conj(principal_axis(inside))).real


def _normal(values: Array) -> Array:
    """Spectra without their medians over the noise, which differences of neighbours tell."""
    largest = float(np.nanmax(np.abs(np.where(np.isfinite(values), values, np.nan)))) or 1.0
    values = values / largest
    centred = values - np.nanmedian(values, axis=1, keepdims=True)
    sigma = float(np.nanmedian(np.abs(np.diff(values, axis=1)))) / (0.6745 * np.sqrt(2))
    if not sigma > 1e-12:
        return np.zeros_like(centred)
    z = centred / sigma
    # a point far from its neighbours in the spectrum is no line
    around = np.pad(z, ((0, 0), (1, 1)), mode="reflect")
    beside = np.maximum(np.sign(z) * around[:, :-2], np.sign(z) * around[:, 2:])
    alone = (np.abs(z) > _ALONE) & (beside < _BESIDE * np.abs(z))
    z = np.where(alone, 0.0, z)
    most = max(_CLIPPED, _ABOVE * float(np.nanquantile(np.abs(z), 0.99)))
    return np.clip(z, -most, most)


def spots(map_: Grid, widest: float = _WIDEST) -> Spots:
    """The clearest line of each spectrum, of one width and one sign for all."""
    count = len(map_.f)
    best: tuple[float, Spots, NDArray[np.intp], float] | None = None
    for width in np.geomspace(0.7, max(widest * count, 1.5), _WIDTHS):
        answer = answers(map_, width)
        for sign in (1, -1):
            signed = sign * answer
            top = signed.argmax(axis=1)
            strength = signed[np.arange(len(top)), top]
            seen = strength > _SEEN
            score = float((np.minimum(strength, 5 * _SEEN)[seen] ** 2).sum())
            if best is None or score > best[0]:
                best = (score, Spots(map_.f[top], strength, seen, width * map_.step, sign), top, width)
    assert best is not None  # there are several widths
    _, found, top, width = best
    return replace(found, f=_refined(map_, top, width))


def answers(map_: Grid, width: float) -> Array:
    """Each spectrum's answer to a Lorentzian of this half width in steps, over its noise: float64 [nx, nf]."""
    reach = int(np.clip(np.ceil(4 * width), 2, (len(map_.f) - 1) // 2))
    line = 1 / (1 + (np.arange(-reach, reach + 1) / width) ** 2)
    line = line - line.min()
    n = len(map_.f) + 2 * reach
    clipped = np.clip(map_.z, -_CLIPPED, _CLIPPED)
    answer = np.fft.irfft(np.fft.rfft(clipped, n) * np.fft.rfft(line, n), n)[:, reach : reach + len(map_.f)]
    # narrower where the line would reach beyond the sweep
    inside = np.fft.irfft(np.fft.rfft(np.ones(len(map_.f)), n) * np.fft.rfft(line**2, n), n)[
        reach : reach + len(map_.f)
    ]
    return answer / np.sqrt(inside)


def _refined(map_: Grid, top: NDArray[np.intp], width: float) -> Array:
    """Centres of Lorentzians of this half width in steps, fitted around each top: [nx]."""
    rows, count = np.arange(len(top)), len(map_.f)
    place, centre = np.arange(count), top.astype(np.float64)
    for _ in range(_STEPS):
        d = (place - centre[:, None]) / width
        line = 1 / (1 + d**2)
        near = np.abs(place - top[:, None]) < max(_REACH * width, 3)
        columns = np.stack([line, np.ones_like(line), 2 * d * line**2 / width], axis=-1) * near[..., None]
        moments = np.swapaxes(columns, 1, 2) @ columns + 1e-9 * np.eye(3)
        height, _, slope = np.linalg.solve(moments, np.swapaxes(columns, 1, 2) @ (map_.z * near)[..., None])[..., 0].T
        step = slope / np.where(np.abs(height) > 1e-3, height, np.inf)
        centre = np.clip(centre + np.clip(step, -width / 2, width / 2), top[rows] - width - 1, top[rows] + width + 1)
    return np.interp(centre, place, map_.f)


def consensus(y: Array, functions: Array, tolerance: float) -> tuple[int, Array]:
    """Which of many curves most points lie near to, whatever the others do.

    Parameters
    ----------
    y : float64 [n]
    functions : float64 [curves, n]
        Each curve is a constant and a positive multiple of one of these.
    tolerance
        How far a point may lie from its curve.

    Returns
    -------
    the curve's number, and how far the points are from it: float64 [n]
    """
    weights = np.ones_like(functions)
    rest, slope = np.zeros_like(functions), np.zeros(len(functions))
    for i in range(_ROUNDS):
        total = weights.sum(axis=1)
        middle, level = (weights * functions).sum(axis=1) / total, (weights * y).sum(axis=1) / total
        centred = functions - middle[:, None]
        slope = (weights * centred * y).sum(axis=1) / ((weights * centred**2).sum(axis=1) + 1e-12)
        rest = y - level[:, None] - slope[:, None] * centred
        width = tolerance * max(1.0, 8.0 / 2**i)  # from all points to those that agree
        weights = 1 / (1 + (rest / width) ** 2) ** 2
    best = int(np.where(slope > 0, np.log1p((rest / tolerance) ** 2).sum(axis=1), np.inf).argmin())
    return best, rest[best]


def share_on(map_: Grid, found: Spots, curves: Array, tolerance: float) -> float:
    """Share of spectra with a line where curves say that there is one, of those that tell for or against them.

    Against them speak a line that is elsewhere, and a spectrum without one where all curves have it within the sweep. A
    line is there if it is nearer to the others' strength than to none.

    Parameters
    ----------
    curves : float64 [samples, nx]
        That the data allow, in Hz; the first is the best.
    tolerance
        In Hz.
    """
    answer = found.sign * answers(map_, found.half_width / map_.step)
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
    near = found.seen & (np.abs(found.f - curves[0]) < tolerance)
    inside = (low > map_.f[0]) & (high < map_.f[-1])
    reach = max(tolerance, map_.step)
    around = (map_.f > low[:, None] - reach) & (map_.f < high[:, None] + reach)
    usual = float(np.median(found.strength[near])) if near.any() else np.inf
    on = near | (inside & (np.where(around, answer, -np.inf).max(axis=1) > usual / 2))
    against = (inside | found.seen) & ~on
    return float(on.sum() / max(1, on.sum() + against.sum()))


def share_near(off: Array, tolerance: float) -> float:
    """Share of points within a tolerance of their curve."""
    return float((np.abs(off) < tolerance).mean())
