"""Tweezer arrays: whether a camera's image shows a lattice of spots that are sharp, round and of one brightness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyvander2d
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter
from scipy.stats import norm

from cascade_calibration.analysis.images import image_of
from cascade_calibration.analysis.registry import Family
from cascade_calibration.analysis.verdict import Estimate, Map, Verdict
from cascade_calibration.analysis.weighing import most_probable
from cascade_calibration.measurement import Measurement

Array = NDArray[np.float64]

_STATUSES = ("CORRECTED", "ABERRATED")

_BOUNDS = {
    "spread of brightness": 0.2,
    "share of missing spots": 0.03,
    "elongation": 0.2,
    "coma": 0.1,
    "trefoil": 0.1,
    "spread of widths": 0.12,
    "width over pitch": 0.25,
}
"""Of a corrected array: the most of each. Elongation is (a^2 - b^2) / (a^2 + b^2) of the half axes."""
_CAUSES = {
    "spread of brightness": "The power of the spots is not even",
    "share of missing spots": "Spots are missing",
    "elongation": "Spots are longer than wide, as by astigmatism",
    "coma": "Spots have tails, as by coma",
    "trefoil": "Spots are triangular, as by trefoil",
    "spread of widths": "The focus differs over the field",
    "width over pitch": "Spots are blurred into each other",
}
_CLEAR = 4.0
"""Standard deviations of pixels of noise by which the image's correlation with itself must show a lattice."""
_LEAST_PITCH = 4
_LIT = 0.25
"""Of a spot's usual brightness: fainter ones are missing."""
_SEEN = 3.0
_LEAST_SPOTS = 9
_ROUNDS = 2
_TURNS = 20
_SYSTEMATIC = 0.15
"""Relative error of each quality, besides noise: a bound is no sharper than that."""


@dataclass(frozen=True)
class _Spots:
    """What is at each site of a lattice.

    Attributes
    ----------
    indices, places : float64 [n, 2]
    lit : bool [n]
    brightness, noise : float64 [n]
    moments : float64 [n, 7]
        Two of elongation, two of coma, two of trefoil, and the change of the width's square against the mean.
    width
        Standard deviation of the mean spot, in pixels.
    """

    indices: Array
    places: Array
    pitch: float
    lit: NDArray[np.bool_]
    brightness: Array
    noise: Array
    moments: Array
    width: float


@dataclass(frozen=True)
class _Lattice:
    """Where the spots are: indices [n, 2] and places (x, y) in pixels [n, 2] of all that may be in the image."""

    indices: Array
    places: Array
    steps: Array

    @property
    def pitch(self) -> float:
        """The shorter distance of neighbours."""
        return float(np.linalg.norm(self.steps, axis=0).min())


def analyse(measurement: Measurement) -> Verdict:
    """Pitch of the array, and how even, round and sharp its spots are."""
    image, x, y, unit = image_of(measurement)
    lattice, clear = _lattice(image)
    facts = {"pixels": float(image.size), "lattice over noise": clear}
    picture = Map("x", "y", unit, unit, x, y, image)
    if lattice is None:
        return _verdict(0.0, facts, ("No lattice of spots stands out of the image.",), {}, picture)
    spots = _spots(image, lattice)
    count = int(spots.lit.sum())
    if count < _LEAST_SPOTS:
        return _verdict(0.0, facts, (f"Only {count} spots stand out of the image.",), {}, picture)
    qualities = _qualities(spots)
    good = {
        name: float(norm.cdf((bound - value) / np.hypot(error, _SYSTEMATIC * bound)))
        for (name, bound), (value, error) in zip(_BOUNDS.items(), qualities.values(), strict=True)
    }
    probability = float(np.prod(list(good.values())))
    facts |= {"spots": float(count)} | {name: value for name, (value, _) in qualities.items()}
    if probability < 0.5:
        worst = sorted(good, key=lambda name: good[name])
        sentences = tuple(
            f"{_CAUSES[name]} ({name} {qualities[name][0]:.2g}; {_BOUNDS[name]:.2g} would do)."
            for name in worst[:3]
            if good[name] < 0.5 or name == worst[0]
        )
        # aberrations move spots, too
        return _verdict(probability, facts, sentences, {}, picture)
    sentences = (
        f"{count} spots are round, and as bright as each other within {qualities['spread of brightness'][0]:.0%}.",
        "A defocus that is the same for all only widens them; how wide they should be, the image does not tell.",
    )
    parameters = _pitches(spots, float(np.median(np.diff(x))), unit)
    return _verdict(probability, facts, sentences, parameters, picture)


def _verdict(
    good: float, facts: dict[str, float], sentences: tuple[str, ...], parameters: dict[str, Estimate], picture: Map
) -> Verdict:
    probabilities = {"CORRECTED": good, "ABERRATED": 1 - good}
    status, probability = most_probable(probabilities)
    return Verdict(
        family="tweezer_array",
        status=status,
        probability=probability,
        probabilities=probabilities,
        parameters=parameters,
        evidence=facts,
        sentences=sentences,
        next_experiment={
            "CORRECTED": "load atoms",
            "ABERRATED": "correct the wavefront, or the powers of the hologram, then tweezer_array",
        }[status],
        picture=picture,
    )


def _lattice(image: Array) -> tuple[_Lattice | None, float]:
    """The lattice that the image's correlation with itself has, and by how much it stands out."""
    rough = image - gaussian_filter(image, max(image.shape) / 10, mode="nearest")
    rough = np.clip(rough, None, np.quantile(rough, 0.998))
    rough = rough - rough.mean()
    spectrum = np.fft.rfft2(rough)
    correlation = gaussian_filter(np.fft.irfft2(np.abs(spectrum) ** 2, rough.shape), 1.0, mode="wrap")
    correlation = np.fft.fftshift(correlation)
    middle = np.array(correlation.shape) // 2
    rows, columns = np.ogrid[: correlation.shape[0], : correlation.shape[1]]
    distance = np.hypot(rows - middle[0], columns - middle[1])
    far = distance > _LEAST_PITCH
    # of white noise alone: the sum of products of as many pairs
    spread = float((rough**2).sum()) / np.sqrt(rough.size)
    tops = far & (correlation == maximum_filter(correlation, 2 * _LEAST_PITCH - 1)) & (rows >= middle[0])
    tops &= distance < min(image.shape) / 2
    row, column = np.nonzero(tops)
    heights, lengths = correlation[row, column], distance[row, column]
    if len(row) < 2 or not spread > 0:
        return None, 0.0
    strong = heights > 0.5 * heights.max()
    order = np.flatnonzero(strong)[np.argsort(lengths[strong])]
    vectors = np.stack([column - middle[1], row - middle[0]], axis=1)[order].astype(np.float64)
    first = vectors[0]
    aside = np.abs(vectors @ np.array([-first[1], first[0]])) / np.linalg.norm(first) / np.linalg.norm(vectors, axis=1)
    clear = float(heights.max() / spread)
    if clear < _CLEAR or not (aside > 0.5).any():
        return None, clear
    second = vectors[aside > 0.5][0]
    if abs(first[0]) < abs(second[0]):
        first, second = second, first
    steps = np.stack([first * np.sign(first[0]), second * (np.sign(second[1]) or 1.0)], axis=1)
    return _indexed(rough, steps), clear


def _indexed(rough: Array, steps: Array) -> _Lattice:
    """All sites of a lattice in an image, its steps refined where the image's waves of these periods are largest."""
    ny, nx = rough.shape
    waves = np.linalg.inv(steps)  # rows: one wave of each step
    phases = np.zeros(2)
    x, y = np.arange(nx), np.arange(ny)
    for i in (0, 1):
        reach = 0.7 / np.array([nx, ny])
        for _ in range(4):
            offsets = np.linspace(-1, 1, 9)
            across = np.exp(-2j * np.pi * (waves[i, 0] + reach[0] * offsets)[:, None] * x)
            along = np.exp(-2j * np.pi * (waves[i, 1] + reach[1] * offsets)[:, None] * y)
            found = along @ rough @ across.T
            row, column = np.unravel_index(np.argmax(np.abs(found)), found.shape)
            waves[i] += reach * offsets[[column, row]]
            phases[i] = np.angle(found[row, column]) / (2 * np.pi)
            reach = reach / 4
    steps = np.linalg.inv(waves).astype(np.float64)
    corners = waves @ np.array([[0, nx, 0, nx], [0, 0, ny, ny]]) + phases[:, None]
    axes = [np.arange(np.floor(one.min()), np.ceil(one.max()) + 1) for one in corners]
    indices = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    places = (indices - phases) @ steps.T
    margin = 0.3 * float(np.linalg.norm(steps, axis=0).min())
    inside = (places > margin).all(axis=1) & (places < np.array([nx, ny]) - margin).all(axis=1)
    return _Lattice(indices[inside], places[inside], steps)


def _spots(image: Array, lattice: _Lattice) -> _Spots:
    """Each site's spot, weighed by a Gaussian that is like the mean one: that is linear, so faint spots do no harm."""
    start = np.eye(2) * (0.2 * lattice.pitch) ** 2
    spots, cuts = _weighed(image, lattice, lattice.places, start)
    for _ in range(_ROUNDS):
        if spots.lit.sum() < _LEAST_SPOTS:
            break
        shape = _shape(np.median(cuts[spots.lit], axis=0), start)
        spots, cuts = _weighed(image, lattice, _smooth(lattice.indices, spots.places, spots.lit), shape)
    return spots


def _weighed(image: Array, lattice: _Lattice, places: Array, shape: Array) -> tuple[_Spots, Array]:
    """Spots weighed by a Gaussian of this covariance [2, 2] around places [n, 2], and what is there: [n, h, w]."""
    half = max(3, int(0.5 * lattice.pitch))
    side = np.arange(-half, half + 1)
    whole = np.clip(np.rint(places).astype(int), 0, np.array(image.shape)[::-1] - 1)
    rows, columns = whole[:, 1, None] + half + side, whole[:, 0, None] + half + side
    cuts = np.pad(image, half, mode="edge")[rows[:, :, None], columns[:, None, :]]
    frame = np.concatenate([cuts[:, 0], cuts[:, -1], cuts[:, :, 0], cuts[:, :, -1]], axis=1)
    cuts = cuts - np.median(frame, axis=1)[:, None, None]
    away = side - (places - whole)[..., None]  # [n, 2, pixels]
    dx, dy = away[:, 0, None, :], away[:, 1, :, None]
    weight, z = _gaussian(shape, dx, dy)
    heavy, squares = weight * cuts, (weight**2).sum(axis=(1, 2))
    brightness = heavy.sum(axis=(1, 2)) / squares
    noise = float(np.median(np.abs(np.diff(image[:, ::2], axis=1)))) / norm.ppf(0.75) / np.sqrt(2) / np.sqrt(squares)
    usual = float(np.median(brightness[brightness > np.quantile(brightness, 0.6)]))
    lit = _together(lattice.indices, (brightness > _SEEN * noise) & (brightness > _LIT * usual))
    total = np.where(lit, heavy.sum(axis=(1, 2)), np.inf)

    def moment(values: NDArray[Any]) -> NDArray[Any]:
        return (heavy * values).sum(axis=(1, 2)) / total

    r2 = np.abs(z) ** 2
    waves = (2 * moment(z**2), moment((r2 - 2) * z), moment(z**3))
    moments = [part for one in waves for part in (np.real(one), np.imag(one))]
    # what elongation the mean spot has is in its shape
    (a, b), (_, d) = shape
    moments[0] += (a - d) / (a + d)
    moments[1] += 2 * b / (a + d)
    most = 0.3 * lattice.pitch
    moved = np.clip(2 * np.stack([moment(dx), moment(dy)], axis=1), -most, most)
    return _Spots(
        lattice.indices,
        places + moved,
        lattice.pitch,
        lit,
        brightness,
        noise,
        np.stack([*moments, 2 * moment(r2 - 1)], axis=1),
        float(np.linalg.det(shape) ** 0.25),
    ), cuts


def _gaussian(shape: Array, dx: Array, dy: Array) -> tuple[Array, NDArray[Any]]:
    """A Gaussian of this covariance, and places in its widths as complex numbers: [..., h, w]."""
    values, vectors = np.linalg.eigh(shape)
    root = (vectors / np.sqrt(values)) @ vectors.T
    z = (root[0, 0] * dx + root[0, 1] * dy) + 1j * (root[1, 0] * dx + root[1, 1] * dy)
    return np.exp(-0.5 * np.abs(z) ** 2), z


def _shape(mean: Array, start: Array) -> Array:
    """Covariance [2, 2] of the Gaussian that is most like a spot [h, h]: weighed by it, the spot's is half as large."""
    side = np.arange(float(len(mean))) - len(mean) // 2
    dx, dy = np.meshgrid(side, side)
    shape, largest = start, float(side.max()) ** 2 / 3
    for _ in range(_TURNS):
        weight = _gaussian(shape, dx, dy)[0] * mean
        total = float(weight.sum())
        if not total > 0:
            return start
        x, y = dx - (weight * dx).sum() / total, dy - (weight * dy).sum() / total
        mixed = (weight * x * y).sum() / total
        shape = 2 * np.array([[(weight * x**2).sum() / total, mixed], [mixed, (weight * y**2).sum() / total]])
        values, vectors = np.linalg.eigh(shape)
        shape = (vectors * np.clip(values, 0.5, largest)) @ vectors.T
    return shape


def _smooth(indices: Array, places: Array, lit: NDArray[np.bool_]) -> Array:
    """Places of all spots on the smooth surface through those that are lit."""
    at = (indices - indices.mean(axis=0)) / np.ptp(indices, axis=0)
    functions = polyvander2d(at[:, 0], at[:, 1], [2, 2])
    kept = lit
    for _ in range(3):
        found = np.linalg.lstsq(functions[kept], places[kept], rcond=None)[0]
        off = np.linalg.norm(places - functions @ found, axis=1)
        kept = lit & (off <= 4 * np.median(off[lit]) + 1e-9)
    return functions @ found


def _together(indices: Array, lit: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without what shines alone."""
    low = indices.min(axis=0)
    cells = (indices - low).astype(int) + 1
    table = np.zeros(cells.max(axis=0) + 2)
    table[tuple(cells.T)] = lit
    beside = sum(table[cells[:, 0] + i, cells[:, 1] + j] for i in (-1, 0, 1) for j in (-1, 0, 1)) - lit
    return lit & (beside >= 2)


def _inside(indices: Array, lit: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Sites with a lit one on both sides, along both steps of the lattice."""
    low = indices.min(axis=0)
    cells = tuple((indices - low).astype(int).T)
    table = np.zeros([int(one.max()) + 1 for one in cells], dtype=bool)
    table[cells] = lit
    sides = [
        np.maximum.accumulate(table, axis=0),
        np.maximum.accumulate(table[::-1], axis=0)[::-1],
        np.maximum.accumulate(table, axis=1),
        np.maximum.accumulate(table[:, ::-1], axis=1)[:, ::-1],
    ]
    return np.logical_and.reduce(sides)[cells]


def _qualities(spots: _Spots) -> dict[str, tuple[float, float]]:
    """Each quality of :data:`_BOUNDS` with its error."""
    lit, count = spots.lit, int(spots.lit.sum())
    at = spots.indices[lit] - spots.indices[lit].mean(axis=0)
    at = at / np.abs(at).max(axis=0)
    functions = polyvander2d(at[:, 0], at[:, 1], [2, 2])[:, [0, 1, 2, 3, 4, 6]]

    def over_the_field(values: Array, mean: bool = True) -> tuple[float, float]:
        """Root of the mean square [n, k] over the field, without the noise that a smooth surface leaves."""
        kept = np.ones(count, dtype=bool)
        for _ in range(3):
            found = np.linalg.lstsq(functions[kept], values[kept], rcond=None)[0]
            off = np.linalg.norm(values - functions @ found, axis=1)
            kept = off <= 4 * np.median(off[kept])
        surface = functions @ found
        variance = float((off[kept] ** 2).sum() / max(1, kept.sum() - 6)) * 6 / max(6, kept.sum())
        surface = surface if mean else surface - surface.mean(axis=0)
        square = float((surface**2).sum(axis=1).mean())
        return float(np.sqrt(max(0.0, square - variance))), float(np.sqrt(variance))

    shape = spots.moments[lit]
    usual = float(np.median(spots.brightness[lit]))
    ratio = spots.brightness[lit] / usual
    off = 4 * float(np.median(np.abs(ratio - 1))) / norm.ppf(0.75)
    spread = float(np.var(np.clip(ratio, 1 - off, 1 + off)) - np.mean((spots.noise[lit] / usual) ** 2))
    inside = _inside(spots.indices, lit)
    missing, of = int((inside & ~lit).sum()), max(1, int(inside.sum()))
    narrow = spots.width / spots.pitch
    return {
        "spread of brightness": (float(np.sqrt(max(0.0, spread))), float(np.sqrt(max(spread, 1e-4) / (2 * count)))),
        "share of missing spots": (missing / of, float(np.sqrt(max(missing, 0.5)) / of)),
        "elongation": over_the_field(shape[:, 0:2]),
        "coma": over_the_field(shape[:, 2:4]),
        "trefoil": over_the_field(shape[:, 4:6]),
        "spread of widths": over_the_field(shape[:, 6:7] / 2, mean=False),
        "width over pitch": (narrow, 0.02 * narrow),
    }


def _pitches(spots: _Spots, scale: float, unit: str) -> dict[str, Estimate]:
    """Distances of neighbours along both steps, from a plane through all places."""
    at = spots.indices[spots.lit] - spots.indices[spots.lit].mean(axis=0)
    columns = np.column_stack([np.ones(len(at)), at])
    places = spots.places[spots.lit]
    found = np.linalg.lstsq(columns, places, rcond=None)[0]
    rest = places - columns @ found
    variance = float((rest**2).sum() / max(1, 2 * len(at) - 6))
    errors = np.sqrt(variance * np.diag(np.linalg.inv(columns.T @ columns)))[1:]
    made = {}
    for name, step, error in zip(("pitch x", "pitch y"), found[1:], errors, strict=True):
        value = scale * float(np.linalg.norm(step))
        made[name] = Estimate(value, scale * error, value - 1.96 * scale * error, value + 1.96 * scale * error, unit)
    return made


FAMILY = Family(
    name="tweezer_array",
    about="arrays of optical tweezers: pitch, and whether the spots in a camera's image are even, round and sharp",
    statuses=_STATUSES,
    called=r"\btweezers?\b",
    analyse=analyse,
)
