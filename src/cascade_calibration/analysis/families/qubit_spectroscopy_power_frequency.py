"""Qubit spectroscopy against frequency and drive amplitude: a line that saturates and broadens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.maps import Grid, answers, grid, spots
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, Model, estimate, fit
from cascade_calibration.analysis.verdict import Map, Range, Verdict
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement

_STATUSES = ("SUCCESS", "AMP_TOO_HIGH", "NO_SIGNAL")

_BROAD = 3.0
"""Saturation at the least amplitude: more, and nowhere is the line within twice its own width."""
_AIM = 0.05, 3.0
"""Saturation at the ends of the suggested amplitudes."""
_CELLS = 3000
_SHIFT = 1.0


def saturating(map_: Grid, drive: Array, z: Array, f: Array) -> Model:
    """A two-level system's steady state: height s / (1 + s), width w sqrt(1 + s), s the drive's square.

    theta is the frequency in sweeps, the logarithm of the half width in sweeps, and the logarithm of the amplitude that
    saturates, over the largest, and the shift at the largest amplitude in half widths there.
    """
    span = float(f[-1] - f[0])
    place, level = (f - f[0]) / span, drive / drive.max()
    mean = np.abs(z.mean(axis=0))
    smooth = sum(np.abs(answers(map_, width)).mean(axis=0) for width in (1.5, 4.0))
    top = (map_.f[np.argsort(-smooth)[:1]] - f[0]) / span
    centres = np.unique(np.concatenate([[0.0, 1.0], np.linspace(0.1, 0.9, 5), place[[int(mean.argmax())]], top]))
    low = np.log(level.min())

    def basis(x: Array, theta: Array) -> Array:
        saturation = (level / np.exp(theta[..., 2, None])) ** 2
        half = np.exp(theta[..., 1, None]) * np.sqrt(1 + saturation)
        centre = theta[..., 0, None] + theta[..., 3, None] * half.max(axis=-1, keepdims=True) * level**2
        line = 1 / (1 + ((place - centre[..., None]) / half[..., None]) ** 2)
        line = line * (saturation / (1 + saturation))[..., None]
        line = line - line.mean(axis=-1, keepdims=True)
        return line.reshape(*line.shape[:-2], -1, 1)

    widths, saturations = np.linspace(np.log(0.5 / len(f)), np.log(0.3), 7), np.linspace(low - 3.0, 2.5, 8)
    grid_ = (centres, widths, saturations, np.array([-_SHIFT, 0.0, _SHIFT]))
    return Model("saturating line", basis, grid_)


def analyse(measurement: Measurement) -> Verdict:
    """The qubit's frequency and width at low drive, and whether the amplitudes are low enough to tell."""
    map_ = grid(measurement, ("", "V", "A", "dBm", "dB"))
    drive = 10 ** (map_.x / 20) if map_.x_unit in ("dBm", "dB") else np.abs(map_.x)
    drive = np.maximum(drive, 1e-3 * drive.max()) if drive.max() > 0 else np.ones(len(drive))
    z, f, amplitude = _thinned(map_.z, map_.f, drive)
    z = z - z.mean(axis=1, keepdims=True)
    found = spots(map_, widest=0.3)
    flat = z.ravel()
    fits = fit([saturating(map_, amplitude, z, f)], np.arange(flat.size, dtype=np.float64), flat) if flat.any() else []

    def saturation(p: Array) -> Array:
        return (drive.min() / drive.max() / np.exp(p[..., 2])) ** 2

    def status_of(one: Fit) -> NDArray[np.str_]:
        return np.where(saturation(one.thetas) > _BROAD, "AMP_TOO_HIGH", "SUCCESS")

    probabilities = weigh(fits, _STATUSES, status_of, nothing="NO_SIGNAL")
    status, probability = most_probable(probabilities)
    best = fits[0] if status != "NO_SIGNAL" else None
    span = float(f[-1] - f[0])
    parameters = {}
    if best:
        parameters = {"f_01": estimate(fits[:1], lambda p: f[0] + span * p[..., 0], "Hz")}
        if status == "SUCCESS":
            parameters["linewidth"] = estimate(fits[:1], lambda p: 2 * span * np.exp(p[..., 1]), "Hz")
    sentences, suggested = _advice(status, map_, drive, best, float(saturation(best.theta)) if best else 0.0)
    facts = {"rows": float(len(map_.x)), "frequencies": float(len(map_.f)), "missing": float(map_.missing)}
    facts["rows with a line"] = float(found.seen.sum())
    if best:
        facts["saturation at the least amplitude"] = float(saturation(best.theta))
        facts["log Bayes factor of a line"] = best.evidence
    return Verdict(
        family="qubit_spectroscopy_power_frequency",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=facts,
        sentences=sentences,
        suggested_range=suggested,
        next_experiment="rabi"
        if status == "SUCCESS"
        else "qubit_spectroscopy_power_frequency over the suggested range",
        picture=Map(
            map_.f_axis,
            map_.x_axis,
            "Hz",
            map_.x_unit,
            map_.f,
            map_.x,
            map_.values,
            {"f_01": (np.full(2, parameters["f_01"].value), map_.x[[0, -1]])} if best else {},
        ),
    )


def _thinned(z: Array, f: Array, drive: Array) -> tuple[Array, Array, Array]:
    """Neighbours averaged until there are few enough cells."""
    while z.size > _CELLS and min(z.shape) > 3:
        if z.shape[0] > 16 and z.shape[0] * 4 > z.shape[1]:
            n = z.shape[0] // 2 * 2
            z, drive = (z[0:n:2] + z[1:n:2]) / np.sqrt(2), (drive[0:n:2] + drive[1:n:2]) / 2
        else:
            n = z.shape[1] // 2 * 2
            z, f = (z[:, 0:n:2] + z[:, 1:n:2]) / np.sqrt(2), (f[0:n:2] + f[1:n:2]) / 2
    return z, f, drive


def _advice(
    status: str, map_: Grid, drive: Array, best: Fit | None, saturation: float
) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    low, high = float(map_.f[0]), float(map_.f[-1])
    if best is None:
        points = min(3 * len(map_.f), 901)
        return (
            "No line stands out of the noise at any amplitude.",
            "The data cannot tell a qubit elsewhere from a drive or a readout that does not reach it.",
        ), (Range(map_.f_axis, max(2 * low - high, 0.0), 2 * high - low, "Hz", points),)
    if status == "SUCCESS":
        return (f"A line fits whose saturation is {saturation:.2g} at the least amplitude: there it is narrow.",), ()
    saturating_at = float(drive.max() * np.exp(np.median(best.thetas[:, 2])))
    ends = [saturating_at * np.sqrt(one) for one in _AIM]
    if map_.x_unit in ("dBm", "dB"):
        ends = [20 * np.log10(one) for one in ends]
    return (
        f"At the least amplitude the line is {np.sqrt(1 + saturation):.2g} times as wide as without power.",
        "It is broad and saturated all over the map; less amplitude shows its own width and place.",
    ), (Range(map_.x_axis, float(ends[0]), float(ends[1]), map_.x_unit, max(len(map_.x), 21)),)


FAMILY = Family(
    name="qubit_spectroscopy_power_frequency",
    about="qubit spectroscopy against drive amplitude: where the line is narrow, and where power broadens it",
    statuses=_STATUSES,
    called=r"^(?!.*(res|rydberg)).*\b(spec\w*|qubit)\b.*\b(power|amp\w*)\b",
    analyse=analyse,
)
