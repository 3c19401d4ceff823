"""A qubit's line in a map over its coupler's flux: the coupler crosses it, and pushes it aside before and after.

The whole map is fitted at once: both branches of each avoided crossing, each as bright as it is the qubit's. Such a fit
has many wrong bests, so it starts where the clearest lines of the spectra lead: a table of costs over periods,
crossings and sweet spots, summed along the sweep. The sums up to a column and from it on, each with its best sweet
spot, start fits with a jump of the flux.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cascade_calibration.analysis.families.qubit_flux_spectroscopy import arc
from cascade_calibration.analysis.maps import Grid, Spots, consensus
from cascade_calibration.analysis.separable import Array

_CHARGING, _ABOUT = 0.04, 0.03
"""Charging energy over the qubit's frequency, and its standard deviation, as is known of transmons beforehand."""
_PERIODS, _CROSSINGS = np.geomspace(0.4, 9.0, 32), np.linspace(0.07, 0.45, 10)
"""In sweeps, and distances from the sweet spot in periods, to start from."""
_SWEETS, _PHASES = np.arange(24) / 24 - 0.5, 512
"""In periods, and values of a table over half a period."""
_COUPLINGS = np.array([0.15, 0.3, 0.5, 0.9])
"""In spans of the frequencies."""
_APART = np.array([0.03, 0.08, 0.02])
"""Of starts: sweet spots in periods, logarithms of periods, crossings."""
_STARTS, _ENDS = 2, 4
"""Fits to try, and columns that a jump leaves at each end."""
_BANDS = (0.03, 0.145), (0.145, 0.31), (0.31, 0.5)
"""Of sizes of jumps, in periods."""
_PARENTS, _CHILDREN, _TURNS = 80, 1000, 10
"""Curves to change, and changed ones, in each of so many turns."""
_CHANGES = np.array([0.03, 0.06, 0.03, 0.0, 0.0, 0.01, 0.2, 0.0, 0.0, 0.03])
_MOVED, _SMALLER, _CHANGED = 0.03, 0.5, 0.5
"""Standard deviations of changes of theta and of a jump's place in the first turn, their ratio from one turn to the
next, and the share of theta that changes.
"""
_WIDER = 3.0
"""Half widths of the line by which it is first widened."""
_STIFFEST, _ENOUGH = 1e5, 0.1
"""Damping of steps at most, and what one must gain of the likelihood's logarithm."""
_SAMPLES, _MARGIN = 64, 0.03
"""To tell whether there is a crossing in the sweep, and how much of the sweep at each end does not count."""
_ROBUST = 3.0
"""Residuals over the noise from which they count less."""
_SCALES = np.array([0.01, 0.02, 0.01, 0.03, 0.02, 0.005, 0.05, 0.05, 1.0, 0.01])
_LOW = np.array([-1.5, np.log(0.3), 0.03, -0.1, 1e-5, -0.2, np.log(0.02), np.log(0.002), 0.5, -3.0])
_HIGH = np.array([1.5, np.log(12.0), 0.485, 0.3, 0.1, 1.2, np.log(5.0), np.log(0.3), 300.0, 3.0])


@dataclass(frozen=True)
class Crossings:
    """A map's best fit.

    Attributes
    ----------
    theta : float64 [9] or [10]
        The coupler's sweet spot in sweeps from the middle, the logarithm of its period in sweeps, where it crosses the
        qubit, in periods from the sweet spot, its charging energy over the qubit's frequency, and its asymmetry
        squared; the qubit's frequency, the logarithms of the coupling and of the line's half width, all in spans of the
        frequencies; the line's height over the noise; and by how much the flux jumps, in sweeps.
    covariance : float64 [9, 9] or [10, 10]
    loss
        Minus the logarithm of the likelihood.
    jump
        Where the flux jumps, if it does: in sweeps from the middle.
    crossed
        How probable it is that the sweep holds a crossing which moves the line by more than its width.
    """

    theta: Array
    covariance: Array
    loss: float
    jump: float | None = None
    crossed: float = 0.0

    def samples(self, count: int = 512) -> Array:
        """Thetas that the data allow: float64 [count, 9 or 10]."""
        rng, p = np.random.default_rng(0), len(self.theta)
        drawn = rng.multivariate_normal(self.theta, self.covariance, count, method="eigh")
        return np.clip(drawn, _LOW[:p], _HIGH[:p])


def places(theta: Array) -> Array:
    """Crossings, in sweeps from the middle: [..., p] -> [..., some]."""
    period = np.exp(theta[..., 1, None])
    at = theta[..., 0, None] + period * np.arange(-4, 5)
    return np.concatenate([at - theta[..., 2, None] * period, at + theta[..., 2, None] * period], axis=-1)


def branches(theta: Array, place: Array, scale: float, jump: Array | float | None = None) -> Array:
    """Frequencies of the line's two branches in spans, then their shares of it, at places [n] in sweeps: [..., 4, n].

    Parameters
    ----------
    theta : float64 [..., p]
    scale
        The qubit's frequency, about, in spans.
    jump
        Where the flux jumps, in sweeps: [...].
    """
    sweet, period, crossing, charging, squared, f_q, coupling = (theta[..., i, None] for i in range(7))
    if jump is not None:
        place = place + theta[..., 9, None] * (place > np.asarray(jump)[..., None])
    coupling, asymmetry = np.exp(coupling), np.sqrt(squared)
    level = arc(crossing, 0.0, 1.0, asymmetry)
    steepness = scale * (1 + charging) / level / (2 * coupling)
    away = steepness * (level - arc(place, sweet, np.exp(period), asymmetry))
    root = np.sqrt(away**2 + 1)
    upper, lower = f_q + coupling * (root - away), f_q - coupling * (root + away)
    share = (1 + away / root) / 2
    return np.stack([upper, lower, share, 1 - share], axis=-2)


def brighter(theta: Array, place: Array, scale: float) -> Array:
    """Frequencies of the line's brighter branch, in spans: [..., n]."""
    upper, lower, first, second = np.moveaxis(branches(theta, place, scale), -2, 0)
    return np.where(first > second, upper, lower)


def find(map_: Grid, found: Spots) -> tuple[Crossings, Crossings]:
    """The best fits without and with a jump of the flux."""
    window, low, span = float(np.ptp(map_.x)), float(map_.f[0]), float(np.ptp(map_.f))
    place = (map_.x - (map_.x[0] + map_.x[-1]) / 2) / window
    seen, y = found.seen, (found.f - low) / span
    width, step = max(found.half_width, 0.7 * map_.step) / span, map_.step / span
    scale = float(np.mean(map_.f)) / span
    fit = _MapFit(place, (map_.f - low) / span, found.sign * map_.z, scale)
    wide = _WIDER * width
    blurred = fit.blurred(wide)
    height = float(np.median(found.strength[seen])) / np.sqrt(np.pi / 2 * width / step)
    line = [np.log(width + wide), height * width / (width + wide) * np.sqrt(2 * np.pi * wide / step)]

    def best(starts: Sequence[tuple[Array, float | None]]) -> Crossings:
        near = [blurred(np.concatenate([theta[:7], line, theta[9:]]), jump) for theta, jump in starts]
        one = min(near, key=lambda one: one.loss)
        one.theta[7:9] = np.log(width), height
        one = fit(one.theta, one.jump)
        if one.jump is None:
            return one
        at = fit.jump(one.theta)
        return one if at == one.jump else min(one, fit(one.theta, at), key=lambda one: one.loss)

    search = _Search(place[seen], y[seen], width, scale)
    first = best(search.whole())
    second = min((best(starts) for starts in search.broken() if starts), key=lambda one: one.loss)
    if jump_evidence(first, second, len(place)) > 0:  # what looks like a jump may have led to the curve without one
        sides = second.theta[:9] - np.outer([0.0, second.theta[9]], np.eye(9)[0])
        first = min(first, best([(side, None) for side in sides]), key=lambda one: one.loss)
    return replace(first, crossed=fit.crossed(first, 2.4 * width)), second


def jump_evidence(whole: Crossings, broken: Crossings, columns: int) -> float:
    """Logarithm of the Bayes factor of a jump, anywhere and by any part of a period, against none."""
    error = float(np.sqrt(broken.covariance[9, 9]))
    freedom = np.exp(broken.theta[1]) / max(error, 1e-6) / np.sqrt(2 * np.pi)
    return whole.loss - broken.loss - float(np.log(columns)) - max(0.0, float(np.log(freedom)))


class _Search:
    """Curves through the clearest lines of the spectra: a table's best, and what comes of them by small changes."""

    def __init__(self, place: Array, y: Array, width: float, scale: float) -> None:
        self.place, self.y, self.width, self.scale = place, y, width, scale
        asymmetry, phases = 0.1, np.linspace(0, 0.5, _PHASES)
        level = arc(_CROSSINGS, 0.0, 1.0, asymmetry)
        steepness = scale * (1 + _CHARGING) / level / (2 * _COUPLINGS[:, None])
        away = steepness[..., None] * (level[:, None] - arc(phases, 0.0, 1.0, asymmetry))
        pushed = np.where(away >= 0, 1.0, -1.0) * (
            np.sqrt(away**2 + 1) - np.abs(away)
        )  # [couplings, crossings, phases]
        phase = place / _PERIODS[:, None, None] - _SWEETS[:, None]  # [periods, sweets, n]
        at = np.rint(np.abs(phase - np.round(phase)) * 2 * (_PHASES - 1)).astype(int)
        curves = pushed[1::2, ::2, at[::2, ::2]].reshape(-1, len(place))
        number, off = consensus(y, curves, 2 * width)
        curve, through = curves[number], y - off
        slope = float(np.cov(curve, through)[0, 1] / max(float(curve.var(ddof=1)), 1e-12))
        self.f_q = float(np.median(through - slope * curve))
        curves = (_COUPLINGS[:, None, None] * pushed).astype(np.float32)[:, :, at]
        off = (y - self.f_q).astype(np.float32) - curves  # [couplings, crossings, periods, sweets, n]
        self.sums = np.cumsum(np.log1p((off / np.float32(2 * width)) ** 2), axis=-1)

    def whole(self) -> list[tuple[Array, None]]:
        """Thetas [9] without a jump; the width and the height are left open."""
        costs = self.sums[..., -1]
        sweets = costs.argmin(axis=3)
        which = _least(costs.min(axis=3))
        thetas, _ = self._changed(self._thetas(which, sweets[which]), None)
        return [(theta, None) for theta in thetas]

    def broken(self) -> list[list[tuple[Array, float]]]:
        """Thetas [10] with a jump, and where it is, for each band of sizes: small jumps look most like none."""
        few = np.arange(_ENDS - 1, len(self.place) - _ENDS, 3)
        before = self.sums[..., few]
        after = self.sums[..., -1:] - before
        turns = np.arange(1, len(_SWEETS))
        sizes = np.minimum(turns, len(_SWEETS) - turns) / len(_SWEETS)
        found: list[list[tuple[Array, float]]] = []
        for band in _BANDS:
            best, turned, at = (
                np.full(before.shape[:3], np.inf, dtype=np.float32),
                *np.zeros((2, *before.shape[:3]), int),
            )
            for turn in turns[(sizes > band[0]) & (sizes <= band[1])]:
                costs = (before + np.roll(after, turn, axis=3)).reshape(*best.shape, -1)
                least = costs.min(axis=-1)
                at = np.where(least < best, costs.argmin(axis=-1), at)
                best, turned = np.minimum(best, least), np.where(least < best, turn, turned)
            which = _least(best)
            sweets, last = np.divmod(at[which], len(few))
            thetas = self._thetas(which, sweets)
            jumps = turned[which] / len(_SWEETS) * np.exp(thetas[:, 1])
            middles = (self.place[few[last]] + self.place[few[last] + 1]) / 2
            changed, places = self._changed(np.column_stack([thetas, jumps]), middles, band)
            found.append([] if places is None else list(zip(changed, places.tolist(), strict=True)))
        return found

    def _thetas(self, which: tuple[NDArray[np.intp], ...], sweets: NDArray[np.intp]) -> Array:
        couplings, crossings, periods = which
        period = _PERIODS[periods]
        known = np.broadcast_to([_CHARGING, 0.01, self.f_q], (len(period), 3))
        free = [_SWEETS[sweets] * period, np.log(period), _CROSSINGS[crossings]]
        return np.column_stack([*free, known, np.log(_COUPLINGS[couplings]), np.zeros((len(period), 2))])

    def _costs(self, thetas: Array, at: Array | None, band: tuple[float, float]) -> Array:
        centres, shares = np.split(branches(thetas, self.place, self.scale, at), 2, axis=-2)
        off = np.where(shares > 0.5, centres - self.y, 0).sum(axis=-2) / self.width
        costs = np.log1p(off**2).sum(axis=-1)
        if at is None:
            return costs
        jumps = thetas[:, 9] / np.exp(thetas[:, 1])
        sizes = np.abs(jumps - np.round(jumps))
        return np.where((sizes > band[0]) & (sizes <= band[1]), costs, np.inf)

    def _changed(
        self, thetas: Array, at: Array | None, band: tuple[float, float] = (0.0, 0.5)
    ) -> tuple[Array, Array | None]:
        """Better ones, that lie apart."""
        rng, p = np.random.default_rng(0), thetas.shape[1]
        low, high, costs = _LOW[:p], _HIGH[:p], self._costs(thetas, at, band)
        for turn in range(_TURNS):
            parents = rng.integers(0, len(thetas), _CHILDREN)
            sizes = _SMALLER ** (turn * rng.random((_CHILDREN, 1)))
            steps = sizes * _CHANGES[:p] * rng.standard_normal((_CHILDREN, p))
            steps *= rng.random((_CHILDREN, p)) < _CHANGED
            children = np.clip(thetas[parents] + steps, low, high)
            places = None if at is None else at[parents] + _MOVED * sizes[:, 0] * rng.standard_normal(_CHILDREN)
            thetas, costs = np.concatenate([thetas, children]), np.append(costs, self._costs(children, places, band))
            at = None if at is None or places is None else np.append(at, places)
            kept = np.argsort(costs)[:_PARENTS]
            thetas, costs, at = thetas[kept], costs[kept], None if at is None else at[kept]
        apart: list[int] = []
        for i, one in enumerate(thetas):
            if len(apart) < _STARTS and all(_apart(one, thetas[j]) for j in apart):
                apart.append(i)
        return thetas[apart], None if at is None else at[apart]


def _least(costs: NDArray[np.float32]) -> tuple[NDArray[np.intp], ...]:
    """Places of the least of these."""
    return np.unravel_index(np.argsort(costs, axis=None)[:_PARENTS], costs.shape)


def _apart(one: Array, other: Array) -> bool:
    sweets = (one[0] - other[0]) / np.exp(one[1])
    off = np.array([sweets - np.round(sweets), *(one - other)[1:3]])
    return bool((np.abs(off) > _APART).any())


class _MapFit:
    """Fits both branches to a map, whose line is first widened, so that it is found from farther away."""

    def __init__(self, place: Array, u: Array, z: Array, scale: float) -> None:
        self.place, self.u, self.scale = place, u, scale
        self.z = z - z.mean(axis=1, keepdims=True)

    def blurred(self, width: float) -> _MapFit:
        """The same map, spread over frequencies by a Lorentzian of this half width in spans."""
        count, step = len(self.u), float(self.u[1] - self.u[0])
        kernel = 1 / (1 + (np.fft.fftfreq(2 * count, 1 / (2 * count)) * step / width) ** 2)
        spread = np.fft.rfft(self.z, 2 * count) * np.fft.rfft(kernel / kernel.sum())
        wide = np.fft.irfft(spread, 2 * count)[:, :count]
        wide *= np.sqrt(2 * np.pi * width / step)  # its noise is one again
        every = max(1, int(width / step))
        return _MapFit(self.place, self.u[::every], wide[:, ::every], self.scale)

    def rest(self, theta: Array, jump: float | None, slopes: bool = False) -> tuple[Array, Array | None]:
        """What the line leaves, each spectrum's constant left out [nx, nf], and its derivatives, if asked for
        [nx, p, nf].
        """
        width, height = np.exp(theta[7]), theta[8]
        centres, shares = np.split(branches(theta, self.place, self.scale, jump), 2)  # [2, nx] each
        away = (self.u - centres[..., None]) / width
        line = 1 / (1 + away**2)  # [2, nx, nf]
        both = np.einsum("kx,kxf->xf", shares, line)
        rest = self.z - height * (both - both.mean(axis=1, keepdims=True))
        if not slopes:
            return rest, None
        bent = 2 * away * line**2
        by = np.concatenate([height / width * shares[..., None] * bent, height * line]).swapaxes(0, 1)  # [nx, 4, nf]
        inner = [i for i in range(len(theta)) if i not in (7, 8)]
        steps = 1e-5 * np.diag(_SCALES[: len(theta)])[inner]
        ends = branches(np.stack([theta + steps, theta - steps]), self.place, self.scale, jump)  # [2, inner, 4, nx]
        moves = (ends[0] - ends[1]) / (2 * steps.sum(axis=1))[:, None, None]
        columns = np.empty((len(self.place), len(theta), len(self.u)))
        columns[:, inner] = moves.transpose(2, 0, 1) @ by
        columns[:, 7] = height * np.einsum("kx,kxf->xf", shares, bent * away)
        columns[:, 8] = both
        return rest, columns - columns.mean(axis=-1, keepdims=True)

    def loss(self, rest: Array, theta: Array) -> float:
        """Minus the logarithm of the likelihood, and of what is known of charging energies."""
        squares = _ROBUST**2 * float(np.log1p((rest / _ROBUST) ** 2).sum())
        return (squares + ((theta[3] - _CHARGING) / _ABOUT) ** 2) / 2

    def jump(self, theta: Array) -> float:
        """Where a jump by this leaves least."""
        sides = [theta[:9], theta[:9] - theta[9] * np.eye(9)[0]]
        before, after = (np.log1p((self.rest(side, None)[0] / _ROBUST) ** 2).sum(axis=1) for side in sides)
        last = int(np.cumsum(before - after)[:-1].argmin())
        return float(self.place[last] + self.place[last + 1]) / 2

    def crossed(self, best: Crossings, moved: float) -> float:
        """How probable it is that the sweep holds a crossing, and that the line moves by so much.

        The errors are not normal where no crossing is seen: samples that fit worse than most should count less.
        """
        thetas = np.concatenate([best.theta[None], best.samples(_SAMPLES)])
        line = brighter(thetas, np.linspace(-0.5, 0.5, 81), self.scale)
        inside = (np.abs(places(thetas)) < 0.5 - _MARGIN).any(axis=-1) & (np.ptp(line, axis=-1) > moved)
        if inside.all() or not inside.any():
            return float(inside[0])
        losses = np.array([self.loss(self.rest(theta, None)[0], theta) for theta in thetas])
        weights = np.exp(np.minimum(best.loss + len(best.theta) / 2 - losses, 0.0))
        return float(weights @ inside / weights.sum())

    def __call__(self, start: Array, jump: float | None, steps: int = 25) -> Crossings:
        """The best near a start: Levenberg and Marquardt's steps within the box, far points weighed less."""
        p = len(start)
        low, high, wide = _LOW[:p], _HIGH[:p], np.diag((_HIGH[:p] - _LOW[:p]) ** -2.0)
        theta, damping = np.clip(start, low, high), 1e-2
        known = np.zeros(p)
        known[3] = 1 / _ABOUT**2
        while True:
            rest, columns = self.rest(theta, jump, slopes=True)
            assert columns is not None  # asked for
            loss = self.loss(rest, theta)
            flat = columns.transpose(1, 0, 2).reshape(p, -1)
            weights = (1 / (1 + (rest / _ROBUST) ** 2)).ravel()
            moments = (flat * weights) @ flat.T + np.diag(known)
            uphill = flat @ (weights * rest.ravel()) - known * (theta - _CHARGING)
            held = ((theta <= low) & (uphill < 0)) | ((theta >= high) & (uphill > 0))  # along the wall
            free = np.outer(~held, ~held) * moments
            gained = 0.0
            while damping < _STIFFEST:
                move = np.linalg.solve(free + wide + np.diag(damping * np.diag(moments)), uphill * ~held)
                ahead = np.clip(theta + move, low, high)
                gained = loss - self.loss(self.rest(ahead, jump)[0], ahead)
                if gained >= 0:
                    theta, damping = ahead, max(damping / 10, 1e-6)
                    break
                damping *= 10
            steps -= 1
            if gained < _ENOUGH or not steps:
                return Crossings(theta, np.linalg.inv(moments + wide).astype(np.float64), loss - gained, jump)
