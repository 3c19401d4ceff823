"""What it costs a decoder not to know the noise, and how much of that it gets back by learning it from shots."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import stim
from numpy.typing import NDArray
from pydantic import BaseModel, computed_field

from cascade_qec.decoders.bound import decode_chosen
from cascade_qec.decoders.protocol import Decoder
from cascade_qec.estimation import Estimate, estimate
from cascade_qec.evaluation.two_samples import paired_difference
from cascade_qec.statistics import Z95, Interval

Model = stim.Circuit | stim.DetectorErrorModel


class Ignorance(BaseModel):
    """Failures of one decoder on the same shots, told three error models. Those of other shots can be added.

    A row of a table is one of these that says besides whose they are.

    Attributes
    ----------
    shots
    told, untold, learnt
        Shots that it fails on if it is told the truth, the old model, and the learnt one.
    untold_apart, learnt_apart
        Shots that it fails on with that model or with the truth, not with both.
    both_apart
        Shots on which both models decide otherwise than the truth does.
    """

    shots: int
    told: int
    untold: int
    learnt: int
    untold_apart: int
    learnt_apart: int
    both_apart: int

    @classmethod
    def of(cls, told: NDArray[np.bool_], untold: NDArray[np.bool_], learnt: NDArray[np.bool_]) -> Ignorance:
        """From which shots fail: bool [shots] each."""
        first, second = untold != told, learnt != told
        failed = {"told": told, "untold": untold, "learnt": learnt}
        apart = {"untold_apart": first, "learnt_apart": second, "both_apart": first & second}
        return cls(shots=len(told), **{name: int(each.sum()) for name, each in (failed | apart).items()})

    def __add__(self, other: Ignorance) -> Ignorance:
        return Ignorance(**{name: getattr(self, name) + getattr(other, name) for name in Ignorance.model_fields})

    @property
    def cost(self) -> Interval:
        """Block error with the old model less that with the truth."""
        return self._over(self.untold, self.untold_apart)

    @property
    def left(self) -> Interval:
        """Block error with the learnt model less that with the truth."""
        return self._over(self.learnt, self.learnt_apart)

    @computed_field
    @property
    def removed(self) -> Interval | None:
        """Share of the cost that the learnt model saves, by Fieller's interval; None where the cost may be nothing."""
        n = self.shots
        x, y = (self.untold - self.told) / n, (self.learnt - self.told) / n
        # failures are apart in one direction where both models are, so each product is 1
        xx, yy, xy = (
            (apart / n - a * b) / n
            for apart, a, b in ((self.untold_apart, x, x), (self.learnt_apart, y, y), (self.both_apart, x, y))
        )
        a, b, c = x * x - Z95**2 * xx, x * y - Z95**2 * xy, y * y - Z95**2 * yy
        if x <= 0 or a <= 0:
            return None
        wide = math.sqrt(max(0.0, b * b - a * c))
        return Interval(1 - y / x, 1 - (b + wide) / a, 1 - (b - wide) / a)

    def _over(self, failed: int, apart: int) -> Interval:
        worse = (apart + failed - self.told) // 2
        return paired_difference(worse, apart - worse, self.shots)


class LoopRow(Ignorance):
    """What one decoder did on a device that had drifted.

    Attributes
    ----------
    drift
        Factor by which a part of the device got worse.
    learning
        Shots that the error model was learnt from.
    """

    device: str
    code: str
    rounds: int
    drift: float
    seed: int
    learning: int
    decoder: str


def ignorance(truth: stim.Circuit, old: Model, learnt: Model, decoder: Decoder, *, shots: int, seed: int) -> Ignorance:
    """Decode shots of a circuit with a decoder that is told its error model, an old one, and a learnt one.

    Raises
    ------
    CascadeError
        If it cannot decode such a model.
    """
    events, flips = truth.compile_detector_sampler(seed=seed).sample(shots, separate_observables=True)
    failed = [
        (decode_chosen(decoder.bind(model), events).observables != flips).any(axis=1) for model in (truth, old, learnt)
    ]
    return Ignorance.of(*failed)


def relearnt(
    truth: stim.Circuit, old: Model, decoders: Mapping[str, Decoder], *, learning: int, shots: int, seed: int
) -> tuple[Estimate, dict[str, Ignorance]]:
    """Close the loop: shots of a device whose noise has changed, its error model learnt from them, decoders told.

    Parameters
    ----------
    truth
        The circuit with the device's noise.
    old
        What is known of it: the same circuit with other noise, or its error model.
    decoders
        By name.
    learning, shots
        Shots to learn from, and other ones to decode.

    Returns
    -------
    Estimate
    dict of str to Ignorance
        Of each decoder.

    Examples
    --------
    >>> from cascade_qec import circuits, codes, decoders
    >>> old = circuits.memory(codes.get("surface_d3"), rounds=3, noise=circuits.UniformDepolarizing(0.01))
    >>> known = {"pymatching": decoders.get("pymatching")}
    >>> found, of = relearnt(circuits.scattered(old, 4, seed=1), old, known, learning=10_000, shots=20_000, seed=0)
    >>> of["pymatching"].learnt < of["pymatching"].untold
    True
    """
    seeds = np.random.SeedSequence(seed).generate_state(2, np.uint64) >> np.uint64(1)  # Stim takes seeds below 2^63
    sampled = truth.compile_detector_sampler(seed=int(seeds[0])).sample(learning, bit_packed=True)
    found = estimate(old, [np.asarray(sampled)])
    learnt = found.model
    told = {
        name: ignorance(truth, old, learnt, decoder, shots=shots, seed=int(seeds[1]))
        for name, decoder in decoders.items()
    }
    return found, told
