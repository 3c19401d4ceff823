"""Chevrons of CZ gates: two states swap where a pulse's amplitude brings them into resonance, against its length."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.maps import Grid, grid
from cascade_calibration.analysis.ranges import likeliest_window
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.separable import Array, Fit, Model, estimate, fit
from cascade_calibration.analysis.verdict import Estimate, Map, Range, Verdict
from cascade_calibration.analysis.weighing import most_probable, weigh
from cascade_calibration.measurement import Measurement

_STATUSES = ("SUCCESS", "NO_SIGNAL", "OPTIMAL_NOT_CENTERED", "WINDOW_TOO_SHORT", "SAMPLING_TOO_COARSE")

_MARGIN = 0.1
"""Of the sweep of amplitudes, on each side of the resonance."""
_PERIODS = 1.0
"""Full swaps at resonance that the lengths must reach: a CZ gate is one there and back."""
_PER_PERIOD = 3.0
"""Points that one must have."""
_AIM = 1.5
_RATES = 0.125
"""Steps of rates, in periods of the lengths."""
_CENTRES, _STEEPNESS = np.linspace(-0.5, 1.5, 51), np.geomspace(0.7, 50, 9)
"""Resonances in sweeps, and detunings over the sweep in splittings, to start from."""
_APART = np.array([0.06, 0.4, 0.1])
"""Between places to start from: resonance, logarithms of detuning and splitting."""
_TRIED, _CLIMBED, _TURNS, _STARTS = 300, 8, 5, 3


def chevron(x: Array, t: Array, start: Array | None = None) -> Model:
    """Swaps of two states; theta is the resonance in sweeps, the logarithm of the detuning across the sweep in periods
    of the lengths, that of the splitting in the same, how the detuning bends, and the decay in windows.

    Parameters
    ----------
    x : float64 [nx], t : float64 [nt]
        Amplitudes in sweeps, lengths in windows.
    start
        A theta near which to look; without it, a coarse grid.
    """

    def basis(_: Array, theta: Array) -> Array:
        away = x - theta[..., 0, None]
        splitting = np.exp(theta[..., 2, None])
        rate2 = splitting**2 + (np.exp(theta[..., 1, None]) * away * (1 + theta[..., 3, None] * away)) ** 2
        phase = 2 * np.pi * np.sqrt(rate2)[..., None] * t
        wave = (splitting**2 / rate2)[..., None] * (np.cos(phase) * np.exp(-theta[..., 4, None, None] * t) - 1)
        wave = wave - wave.mean(axis=-1, keepdims=True)
        return wave.reshape(*wave.shape[:-2], -1, 1)

    most = 0.5 * (len(t) - 1)
    axes = (
        np.linspace(-0.5, 1.5, 41),
        np.linspace(np.log(0.5), np.log(40 * most), 14),
        np.linspace(np.log(0.15), np.log(1.8 * most), 18),
        np.array([-0.4, 0.0, 0.4]),
        np.array([0.0, 0.5, 2.0]),
    )
    if start is not None:
        axes = tuple(
            np.unique(np.clip([axis[0], at, axis[-1]], axis[0], axis[-1])) for axis, at in zip(axes, start, strict=True)
        )
    return Model("chevron", basis, axes)


def analyse(measurement: Measurement) -> Verdict:
    """Amplitude and length of a CZ gate, and whether the sweeps hold them."""
    map_ = grid(measurement, ("V", "A", "Phi0", "", "Hz"), least=(7, 12), along="s")
    z = map_.z - map_.z.mean(axis=1, keepdims=True)
    x, t = (map_.x - map_.x[0]) / np.ptp(map_.x), map_.f / np.ptp(map_.f)
    fits: list[Fit] = []
    if z.any():
        models = [chevron(x, t, start) for start in _starts(z, x, t)]
        fits = _distinct(fit(models, np.arange(z.size, dtype=np.float64), z.ravel()) if models else [])
    step = map_.step / float(np.ptp(map_.f))

    def status_of(one: Fit) -> NDArray[np.str_]:
        place, splitting = one.thetas[:, 0], np.exp(one.thetas[:, 2])
        aside = (place < _MARGIN) | (place > 1 - _MARGIN)
        return np.select(
            [1 / splitting / step < _PER_PERIOD, aside, splitting < _PERIODS],
            ["SAMPLING_TOO_COARSE", "OPTIMAL_NOT_CENTERED", "WINDOW_TOO_SHORT"],
            "SUCCESS",
        )

    probabilities = weigh(fits, _STATUSES, status_of, nothing="NO_SIGNAL")
    status, probability = most_probable(probabilities)
    best = fits[0] if fits and status != "NO_SIGNAL" else None
    parameters = _parameters(map_, fits, status) if best else {}
    facts = {"amplitudes": float(len(map_.x)), "lengths": float(len(map_.f)), "missing": float(map_.missing)}
    if best:
        splitting = float(np.exp(best.theta[2]))
        facts |= {"log Bayes factor of swaps": best.evidence, "swaps at resonance": splitting}
        facts["points per swap"] = 1 / splitting / step
    sentences, suggested = _advice(status, map_, best)
    lines = {}
    if "resonance" in parameters and map_.x[0] <= parameters["resonance"].value <= map_.x[-1]:
        lines["resonance"] = np.full(2, parameters["resonance"].value), map_.f[[0, -1]]
    return Verdict(
        family="cz_chevron",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=facts,
        sentences=sentences,
        suggested_range=suggested,
        next_experiment={
            "SUCCESS": "the conditional phase at this amplitude and length, then cz_benchmarking",
            "NO_SIGNAL": "check the preparation of both qubits, and that the pulse reaches the coupler",
        }.get(status, "cz_chevron over the suggested ranges"),
        picture=Map(map_.x_axis, map_.f_axis, map_.x_unit, "s", map_.x, map_.f, map_.values.T, lines),
    )


def _starts(z: Array, x: Array, t: Array) -> list[Array]:
    """Thetas of chevrons whose rates the columns' spectra show: the best of a coarse grid, each moved uphill."""
    most = 0.5 * (len(t) - 1)
    rates = np.arange(0.0, most + _RATES, _RATES)
    spectra = z @ np.exp(-2j * np.pi * rates * t[:, None]) / np.sqrt(len(t))  # [nx, rates]
    columns = np.arange(len(x))

    def answer(thetas: Array, values: Array) -> Array:
        """Sum over columns of what is there at a chevron's rate, weighed by how much it swaps."""
        away = x - thetas[:, 0, None]
        splitting = np.exp(thetas[:, 2, None])
        rate2 = splitting**2 + (np.exp(thetas[:, 1, None]) * away * (1 + thetas[:, 3, None] * away)) ** 2
        folded = np.sqrt(rate2) % (2 * most)  # faster ones look slower
        place = np.minimum(folded, 2 * most - folded) / _RATES
        low = np.minimum(place.astype(int), len(rates) - 2)
        seen = values[columns, low] * (low + 1 - place) + values[columns, low + 1] * (place - low)
        weight = splitting**2 / rate2
        weight = weight if values is real else weight**2
        return (weight * seen).sum(axis=1) / np.sqrt((weight**2).sum(axis=1) + 1e-3)

    real, power = spectra.real, np.abs(spectra) ** 2
    splittings = np.concatenate([[0.15, 0.3, 0.5, 0.75], np.arange(1.0, 1.7 * most, 0.7)])
    thetas = np.array(list(product(_CENTRES, _STEEPNESS, splittings, (0.0,), (0.0,))))
    thetas[:, 1:3] = np.log(np.stack([thetas[:, 1] * thetas[:, 2], thetas[:, 2]], axis=1))
    near, found = thetas[np.argsort(-answer(thetas, power))[:_TRIED]], []
    while len(near) and len(found) < _CLIMBED:
        found.append(near[0])
        near = near[(np.abs(near - near[0])[:, :3] > _APART).any(axis=1)]
    moves = np.array(list(product(*[(-1.0, -0.5, 0.0, 0.5, 1.0)] * 3, (-1.0, 0.0, 1.0), (0.0,))))
    climbed: list[tuple[float, Array]] = []
    for theta in found:
        steps, top = np.array([0.04, 0.4, min(0.3, 0.7 * np.exp(-theta[2])), 0.3, 0.0]), 0.0
        for turn in range(_TURNS):
            tried = theta + moves * steps * 0.6**turn
            height = answer(tried, power) if turn == 0 else np.abs(answer(tried, real))
            theta, top = tried[int(height.argmax())], float(height.max())
        climbed.append((top, theta))
    apart: list[Array] = []
    for _, theta in sorted(climbed, key=lambda one: -one[0]):
        steep = theta[1] - theta[2] > np.log(_STEEPNESS[-1])  # only one column could show that
        if not steep and all((np.abs(theta - other)[:3] > 0.5 * _APART).any() for other in apart):
            apart.append(theta)
    return apart[:_STARTS]


def _distinct(fits: list[Fit]) -> list[Fit]:
    """Fits that lie apart, the best first."""
    found: list[Fit] = []
    for one in fits:
        widths = 0.5 * np.sqrt(np.diag(one.covariance)) + 1e-6
        if all((np.abs(one.theta - other.theta) > widths).any() for other in found):
            found.append(one)
    return found


def _parameters(map_: Grid, fits: list[Fit], status: str) -> dict[str, Estimate]:
    if status not in ("SUCCESS", "OPTIMAL_NOT_CENTERED"):
        return {}
    low, span, window = float(map_.x[0]), float(np.ptp(map_.x)), float(np.ptp(map_.f))
    found = {"resonance": estimate(fits[:1], lambda p: low + span * p[..., 0], map_.x_unit)}
    if status == "SUCCESS":
        found["splitting"] = estimate(fits[:1], lambda p: np.exp(p[..., 2]) / window, "Hz")
        found["gate length"] = estimate(fits[:1], lambda p: window / np.exp(p[..., 2]), "s")
    return found


def _advice(status: str, map_: Grid, best: Fit | None) -> tuple[tuple[str, ...], tuple[Range, ...]]:
    if best is None:
        return (
            "No column oscillates by more than its noise.",
            "The data cannot tell states that were not prepared from a resonance that is far away.",
        ), ()
    low, span, window = float(map_.x[0]), float(np.ptp(map_.x)), float(np.ptp(map_.f))
    place, splitting = float(best.theta[0]), float(np.exp(best.theta[2]))
    swaps = window / np.exp(best.thetas[:, 2])
    points = max(41, len(map_.f))
    if status == "SUCCESS":
        return (f"A chevron fits, with {splitting:.2g} swaps there and back at resonance.",), ()
    if status == "OPTIMAL_NOT_CENTERED":
        where = "near the edge of" if 0 < place < 1 else "outside of"
        middle = low + span * place
        sentences = (
            f"The resonance is {where} the amplitudes.",
            "Around it, both arms of the chevron tell its place.",
        )
        ranges = [Range(map_.x_axis, middle - span / 2, middle + span / 2, map_.x_unit, len(map_.x))]
        if splitting < _AIM * _PERIODS:
            longest = likeliest_window(swaps, _AIM * _PERIODS, 8.0)
            ranges.append(Range(map_.f_axis, 0.0, longest, "s", points))
        return sentences, tuple(ranges)
    if status == "WINDOW_TOO_SHORT":
        longest = likeliest_window(swaps, _AIM * _PERIODS, (points - 1) / _PER_PERIOD / _AIM)
        return (
            f"The longest pulse lasts {splitting:.2g} of a swap there and back.",
            "A gate is one such swap.",
        ), (Range(map_.f_axis, 0.0, longest, "s", points),)
    step = map_.step
    return (
        f"A swap there and back has {window / splitting / step:.2g} points.",
        "Faster swaps would look the same at these lengths.",
    ), (Range(map_.f_axis, 0.0, 20 * step, "s", 101),)


FAMILY = Family(
    name="cz_chevron",
    about="chevron of a CZ gate: amplitude and length of the pulse from swaps against both",
    statuses=_STATUSES,
    called=r"\bchevron\b",
    analyse=analyse,
)
