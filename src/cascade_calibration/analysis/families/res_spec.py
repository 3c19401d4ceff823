"""Resonator spectroscopy: transmission or reflection of a readout line near a resonance, in magnitude or complex."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebder, chebval, chebvander
from numpy.typing import NDArray

from cascade_calibration.analysis.lines import (
    FANO,
    MIRRORED,
    RESONANCE,
    Found,
    Shape,
    Spectrum,
    alone,
    fit_line,
    interval,
    lines_beside,
)
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, estimate
from cascade_calibration.analysis.trace import in_base_units
from cascade_calibration.analysis.verdict import Curve, Estimate, Range, Verdict
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import SHOT, Measurement
from cascade_calibration.units import to_base
from cascade_qec.errors import CascadeError

_STATUSES = ("SUCCESS", "NO_SIGNAL")
_LEAST = 12
_SURE = 5.0
_MOST_LINES = 3
_BENT = 3
"""Order of the background."""
_STRAIGHT = 0.3
"""Turn of the background in half a window that its polynomial bears."""
_FINE = 32
_WIDE = 6
"""Linewidths in a window beyond which a bent background and the line are well apart."""
_MOST_POINTS = 1601


@dataclass(frozen=True)
class _Data:
    """A spectrum as measured: `kind` is complex, power (squared magnitude) or quadrature (real with both signs)."""

    axis: str
    f: Array
    y: NDArray[Any]
    unit: str
    kind: str
    reflection: bool
    missing: int


def analyse(measurement: Measurement) -> Verdict:
    """The resonator's frequency and quality factors."""
    data = _read(measurement)
    found = _resonances(data)
    first = found[0]

    def status_of(one: Fit) -> NDArray[np.str_]:
        inside = (one.thetas[:, 0] > data.f[0]) & (one.thetas[:, 0] < data.f[-1])
        return np.where(inside, "SUCCESS", "NO_SIGNAL")

    probabilities = weigh(first.fits, _STATUSES, status_of, nothing="NO_SIGNAL")
    status, probability = most_probable(probabilities)
    best = first.fits[0] if status == "SUCCESS" else None
    parameters, asymmetry = _parameters(data, first) if best else ({}, {})
    points = len(data.f)
    facts = {"points": float(points), "outliers": float((~first.kept).sum()), "missing": float(data.missing)}
    if best:
        width = 2 * float(np.exp(best.theta[1]))
        facts |= {
            "resonances": float(len(found)),
            "signal to noise": float(np.hypot(*(best.amplitudes[1:3])))
            / best.sigma
            * float(np.median(first.used.scale)),
            "log Bayes factor of a resonance": best.evidence,
            "points per linewidth": width / first.spectrum.step,
            "window / linewidth": first.spectrum.window / width,
        } | asymmetry
    sentences, suggested = _advice(status, data, found, parameters)
    return Verdict(
        family="res_spec",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=facts,
        sentences=sentences,
        suggested_range=suggested,
        next_experiment="qubit_spectroscopy"
        if status == "SUCCESS"
        else "res_spec over the suggested range; if that is flat too, check the readout line",
        picture=_picture(data, first, best),
    )


def _read(measurement: Measurement) -> _Data:
    signal = measurement.signal
    axes = [str(dimension) for dimension in signal.dims if dimension != SHOT]
    if len(axes) != 1:
        raise CascadeError(f"expected a signal along one axis, found {len(axes)}: {', '.join(axes)}")
    f, _ = in_base_units(measurement.dataset.coords[axes[0]], ("Hz",))
    values = np.asarray(signal.transpose(axes[0], ...).values)
    values = values.mean(axis=1) if values.ndim == 2 else values
    factor, unit = to_base(str(signal.attrs["units"]))
    values, unit = (
        (10 ** (values / 20), "") if unit == "dB" and not np.iscomplexobj(values) else (factor * values, unit)
    )
    finite = np.isfinite(f) & np.isfinite(values)
    distinct = len(np.unique(f[finite]))
    if distinct < _LEAST:
        raise CascadeError(
            f"expected at least {_LEAST} points along {axes[0]}, found {distinct} that are finite numbers"
        )
    order = np.flatnonzero(finite)[np.argsort(f[finite], kind="stable")]
    y = values[order]
    kind = "complex" if np.iscomplexobj(y) else "power" if (y >= 0).all() else "quadrature"
    told = str(measurement.dataset.attrs.get("geometry", "")).lower() or str(signal.name)
    reflection = told == "reflection" or told in ("S11", "S22")
    return _Data(axes[0], f[order], y, unit, kind, reflection, int((~finite).sum()))


def _resonances(data: _Data) -> list[Found]:
    """Explanations by one resonance beside the others, the clearest first; at least one, which may be of noise."""
    largest = float(np.abs(data.y).max()) or 1.0
    y = data.y / largest
    if data.kind == "complex":
        fitted = _without_delay(Spectrum(data.f, y, order=_BENT))
    else:
        kept = ~alone(Spectrum(data.f, y))
        fitted = fit_line(Spectrum(data.f, y**2 if data.kind == "power" else y, order=_BENT, kept=kept), (FANO,))
    found = lines_beside(fitted, _MOST_LINES)
    if not fitted.fits:
        return found
    shape, final = fitted.shape(fitted.fits[0]), replace(fitted.spectrum, kept=fitted.kept)
    if len(found) > 1:
        final = replace(final, beside=tuple((shape, one.fits[0].theta) for one in found[1:]))
    if data.kind == "power":  # noise of a power grows with it
        curve = fitted.curve(data.f, fitted.fits[0])
        final = replace(final, weights=1 / np.sqrt(np.abs(curve) + fitted.fits[0].sigma ** 2 / (4 * np.median(curve))))
    if data.kind == "power" or len(found) > 1:
        fitted = fit_line(final, (shape,))
    return [fitted, *found[1:]]


def _without_delay(spectrum: Spectrum) -> Found:
    """A resonance in complex data whose cable delay was taken out."""
    even = np.linspace(spectrum.f[0], spectrum.f[-1], len(spectrum.f))
    padded = _FINE * len(even)
    delays = -np.fft.fftfreq(padded, even[1] - even[0])
    delay = float(delays[np.argmax(np.abs(np.fft.fft(np.interp(even, spectrum.f, spectrum.y), padded)))])
    shapes: tuple[Shape, ...] = (RESONANCE, MIRRORED)
    for _ in range(3):
        turned = replace(spectrum, y=spectrum.y * np.exp(2j * np.pi * (spectrum.f - spectrum.f.mean()) * delay))
        found = fit_line(turned, shapes)
        if not found.fits or found.fits[0].evidence < _SURE:
            break
        best = found.fits[0]
        levels = found.levels(best, best.theta, best.amplitudes[1:])
        polynomial = levels[: _BENT + 1] + 1j * levels[_BENT + 1 : 2 * _BENT + 2]
        bend = float(np.imag(chebval(0, chebder(polynomial)) / chebval(0, polynomial)))
        if not _STRAIGHT < abs(bend) < 3:
            break
        delay -= bend / (np.pi * spectrum.window)
        shapes, spectrum = (found.shape(best),), replace(spectrum, kept=found.kept)
    return found


def _simplest(found: Found) -> Found:
    """The same with a straight background, where a bent one looks like the line's tails and the data ask for none."""
    best = found.fits[0]
    if found.spectrum.window > _WIDE * 2 * np.exp(best.theta[1]):
        return found
    straight = fit_line(replace(found.spectrum, order=1, kept=found.kept), (found.shape(best),))
    if not straight.fits or len(straight.fits[0].residuals) != len(best.residuals):
        return found
    rows = len(best.residuals)
    squares = [float(one.fits[0].residuals @ one.fits[0].residuals) for one in (straight, found)]
    more = (_BENT - 1) * (2 if np.iscomplexobj(found.used.y) else 1)
    return found if rows * np.log(squares[0] / max(squares[1], 1e-300)) > more * np.log(rows) else straight


def _parameters(data: _Data, found: Found) -> tuple[dict[str, Estimate], dict[str, float]]:
    """What the data tell: always the frequency and the loaded quality factor."""
    found = _simplest(found)
    best = found.fits[0]
    fits = [one for one in found.fits if one.model.name == best.model.name]
    parameters = {
        "f_r": estimate(fits, lambda p: p[..., 0], "Hz"),
        "Q_l": estimate(fits, lambda p: p[..., 0] / (2 * np.exp(p[..., 1])), ""),
    }
    if data.kind == "quadrature" or (data.kind == "power" and data.reflection):
        return parameters, {}
    share = _coupling(data, found, best)
    middle = share(np.concatenate([best.theta, best.amplitudes]))
    limit = 2.0 if data.reflection else 1.0
    loaded = best.samples[:, 0] / (2 * np.exp(best.samples[:, 1]))
    coupled = np.real(share(best.samples)) / limit  # Q_l / Q_c
    if ((coupled > 0) & (coupled < 1)).mean() < 0.9:
        return parameters, {}
    at = float(np.real(middle) / limit)
    low, high = np.quantile(coupled, [0.025, 0.975])
    if low > 0 < at:
        parameters["Q_c"] = interval(parameters["Q_l"].value / at, loaded / np.maximum(coupled, 1e-9), "")
    if high < 1 > at:
        parameters["Q_i"] = interval(parameters["Q_l"].value / (1 - at), loaded / np.maximum(1 - coupled, 1e-9), "")
    return parameters, {"asymmetry [rad]": float(np.angle(middle))}


def _coupling(data: _Data, found: Found, best: Fit) -> Callable[[Array], NDArray[np.complex128]]:
    """From `theta` and amplitudes [..., p] to the circle's diameter over the background's level, complex: [...]."""
    used, order = found.used, found.used.order
    noise = np.random.default_rng(1).standard_normal((2, len(best.thetas)))

    def share(p: Array) -> NDArray[np.complex128]:
        thetas, amplitudes = p[..., :2], p[..., 3:]
        levels = found.levels(best, thetas, amplitudes)
        at = 2 * (thetas[..., 0] - used.f[0]) / used.window - 1
        place = chebvander(at, order).reshape(*at.shape, order + 1)
        spread = best.sigma * np.linalg.norm(place @ found.inverse[: order + 1], axis=-1)
        drawn = spread * (noise if p.ndim == 2 else np.zeros(2))  # the best itself, or samples
        level = (place * levels[..., : order + 1]).sum(axis=-1) + drawn[0]
        if data.kind == "complex":
            level = level + 1j * ((place * levels[..., order + 1 : 2 * order + 2]).sum(axis=-1) + drawn[1])
            return -(amplitudes[..., 0] + 1j * amplitudes[..., 1]) / level
        level = level - 2 * (best.sigma / 2) ** 2  # what noise adds to a power
        dip, lean = amplitudes[..., 0] / level, amplitudes[..., 1] / level
        return 1 - np.sqrt(np.clip(1 + dip - lean**2 / 4, 0, None)) - 0.5j * lean

    return share


def _advice(
    status: str, data: _Data, found: list[Found], parameters: dict[str, Estimate]
) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    low, high = float(data.f[0]), float(data.f[-1])
    if status == "NO_SIGNAL":
        points = min(3 * len(data.f), _MOST_POINTS)
        best = found[0].fits[0] if found[0].fits else None
        if best and best.evidence > 0 and not low < best.theta[0] < high:
            middle, half = float(best.theta[0]), high - low
            return (
                "The sweep shows the flank of a resonance that lies beyond its end.",
                "Without the resonance itself its parameters are a guess.",
            ), (Range(data.axis, max(middle - half, 0.0), middle + half, "Hz", points),)
        return (
            "Nothing in the sweep looks like a resonance; the background and noise explain it.",
            "The data cannot tell a resonator elsewhere from a readout line that is dead.",
        ), (Range(data.axis, max(low - (high - low), 0.0), high + (high - low), "Hz", points),)
    best = found[0].fits[0]
    sentences = [f"A resonance with a linewidth of {2e-6 * np.exp(best.theta[1]):.3g} MHz fits."]
    if len(found) > 1:
        places = ", ".join(f"{1e-9 * one.fits[0].theta[0]:.6g}" for one in found[1:])
        sentences.append(f"There are others, at {places} GHz; the parameters are those of the clearest.")
    if "Q_c" not in parameters:
        sentences.append("The data cannot tell coupling from internal losses.")
    return tuple(sentences), ()


def _picture(data: _Data, found: Found, best: Fit | None) -> Curve:
    largest = float(np.abs(data.y).max()) or 1.0

    def shown(values: NDArray[Any]) -> Array:
        if data.kind == "quadrature":
            return largest * values
        return largest * (np.sqrt(np.clip(values, 0, None)) if data.kind == "power" else np.abs(values))

    fine = np.linspace(data.f[0], data.f[-1], 1000)
    return Curve(
        axis=data.axis,
        x_unit="Hz",
        y_unit=data.unit,
        x=data.f,
        y=np.abs(data.y) if data.kind == "complex" else data.y,
        fit=shown(found.curve(data.f, best)) if best else None,
        fine_x=fine if best else None,
        fine_fit=shown(found.curve(fine, best)) if best else None,
        outliers=~found.kept,
        marks={"f_r": float(best.theta[0])} if best else {},
    )


FAMILY = Family(
    name="res_spec",
    about="resonator spectroscopy: frequency and quality factors from a readout line's transmission or reflection",
    statuses=_STATUSES,
    called=r"\bres(onator)?( spec(troscopy)?| id\d+|\b.*\bline)?\b(?!.*(power|flux|qubit))|\breadout spec",
    analyse=analyse,
)
