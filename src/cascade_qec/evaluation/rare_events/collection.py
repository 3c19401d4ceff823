"""The loop that decodes the strata, and how many shots each gets."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders.bound import decode_chosen
from cascade_qec.decoders.protocol import BoundDecoder
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rare_events.fault_model import FaultModel
from cascade_qec.evaluation.rare_events.faults import all_sets
from cascade_qec.evaluation.rare_events.results import completed
from cascade_qec.evaluation.rare_events.tallies import STAGES, Stage, Tallies

_CHUNK = 1 << 12
_FIRST_SHOTS = 256
_PILOT_SHARE = 0.15
_TRUNCATION = 1e-3
# Also where next to nothing is expected: the largest possible weight of a failure is part of the interval.
_FEWEST = 16


@dataclass
class Collector:
    """Decodes sets of faults and counts failures.

    Strata of few faults are decoded in full if asked for: then f(w) is known, and a zero is proven. Of the
    others a pilot finds out which matter and how many shots each deserves. From then on they get shots in that
    proportion, pass after pass until time is up, and only these count: their numbers never depend on their own
    failures, so the estimate is unbiased.

    Attributes
    ----------
    model
        The noise.
    decoder
        The decoder.
    tallies
        What is known already; counts are added to it. The run's seed and the shots already counted determine the
        next ones.
    enumerate_up_to
        Strata of up to this many faults are decoded in full. That without faults always is.
    save
        Called whenever `tallies` is fit to be stored.
    report
        Called with the seconds spent and those to spend.
    clock
        Returns seconds.
    seconds_per_pass
        Time of a pass through all strata, by the speed seen in the pilot; at most a tenth of the time to spend.
    """

    model: FaultModel
    decoder: BoundDecoder
    tallies: Tallies
    enumerate_up_to: int = 1
    save: Callable[[], None] = lambda: None
    report: Callable[[int, int], None] = lambda done, total: None
    clock: Callable[[], float] = time.perf_counter
    seconds_per_pass: float = 5.0
    _began: float = field(init=False, default=0.0)
    _seconds: float = field(init=False, default=0.0)
    _reported: int = field(init=False, default=-1)

    def collect(self, seconds: float) -> None:
        """Spend some time; what was begun before is continued.

        A pass that has begun is finished, so it may take a little longer.

        Raises
        ------
        CascadeError
            If `seconds` is not positive, or the decoder's predictions have the wrong shape.
        """
        if not seconds > 0:
            raise CascadeError(f"expected seconds > 0 to decode in, got {seconds}")
        self._began, self._seconds, self._reported = self.clock(), seconds, -1
        self._decode_all_sets()
        if not self._left() > 0:
            return
        if not self.tallies.faults("main"):
            self._pilot()
        # From the pilot alone, so that a continued run allocates as before.
        plan = allocate(self.model, self.tallies, seconds=min(self.seconds_per_pass, seconds / 10))
        # Nothing is left to sample where all strata that matter were decoded in full.
        while plan:
            for faults, shots in plan.items():
                self._sample("main", faults, shots)
            self.save()
            if not self._left() > 0:
                return

    def _left(self) -> float:
        spent = self.clock() - self._began
        total = math.ceil(self._seconds)
        if (done := min(int(spent), total)) > self._reported:
            self.report(done, total)
            self._reported = done
        return self._seconds - spent

    def _decode_all_sets(self) -> None:
        mechanisms = len(self.model.faults.probabilities)
        for faults in range(min(max(self.enumerate_up_to, 0), mechanisms, self.model.most) + 1):
            tally = self.tallies.of("all", faults)
            if tally.shots == math.comb(mechanisms, faults):
                continue
            saved = self.clock()
            for sets in all_sets(mechanisms, faults, start=tally.shots, chunk=_CHUNK):
                began = self.clock()
                failed = self._fails(sets)
                weights = self.model.conditional_probabilities(sets[failed])
                tally.add(weights, shots=len(sets), seconds=self.clock() - began)
                if self.clock() - saved > self.seconds_per_pass:
                    self.save()
                    saved = self.clock()
                if not self._left() > 0:
                    break
            self.save()
            if not self._left() > 0:
                return

    def _pilot(self) -> None:
        if not self.tallies.faults("pilot"):
            self._first_look()
            self.save()
        share = _PILOT_SHARE * self._seconds
        # nothing is spent where all strata that matter were decoded in full
        while 0 < (spent := sum(tally.seconds for stage, _, tally in self.tallies if stage == "pilot")) < share:
            # Twice as many shots each time, planned with what has been seen so far.
            for faults, shots in allocate(self.model, self.tallies, seconds=min(share - spent, spent)).items():
                self._sample("pilot", faults, shots)
            self.save()

    def _first_look(self) -> None:
        """A few shots of each stratum, from few faults to many, until those beyond cannot matter."""
        done = completed(self.model, self.tallies)
        rates = known_rates(self.model, self.tallies)
        for faults in range(self.model.most + 1):
            if faults not in done:
                self._sample("pilot", faults, _FIRST_SHOTS)
                tally = self.tallies.of("pilot", faults)
                rates = rates + self.model.numbers[:, faults] * tally.weights / tally.shots
            beyond = self.model.numbers[:, faults + 1 :].sum(axis=1) + self.model.tails
            if (beyond <= _TRUNCATION * rates).all():
                return

    def _sample(self, stage: Stage, faults: int, shots: int) -> None:
        tally = self.tallies.of(stage, faults)
        rng = np.random.default_rng([self.tallies.run.seed, STAGES.index(stage), faults, tally.shots])
        for start in range(0, shots, _CHUNK):
            began = self.clock()
            sets = self.model.sample(faults, min(_CHUNK, shots - start), rng)
            failed = self._fails(sets)
            tally.add(self.model.weights(sets[failed]), shots=len(sets), seconds=self.clock() - began)
            self._left()

    def _fails(self, sets: NDArray[np.int64]) -> NDArray[np.bool_]:
        dets, observables = self.model.faults.outcomes(sets)
        predictions = decode_chosen(self.decoder, dets).observables
        if predictions.shape != observables.shape:
            raise CascadeError(
                f"expected predictions of the observables' shape {list(observables.shape)}, "
                f"got {list(predictions.shape)}"
            )
        return np.any(predictions != observables, axis=1)


def allocate(model: FaultModel, pilot: Tallies, *, seconds: float) -> dict[int, int]:
    """Shots for each stratum of the pilot, so that the rates at all strengths become known equally well.

    Neyman's allocation for the sum over p of the relative variance of the estimate, with the cost c_w of a shot:
    n_w is proportional to sqrt(sum_p (P(W = w) / P)^2 f(w) (1 - f(w)) / c_w). For f(w) stands
    (failures + 1/2) / (shots + 1), so that a stratum in which nothing failed yet is looked at for as long as its
    failures would matter.

    Parameters
    ----------
    model
        The noise.
    pilot
        With shots in the stage "pilot" of every stratum to be sampled.
    seconds
        Time that the shots shall take.

    Returns
    -------
    dict of int to int
        Shots by number of faults, at least 16 each. Strata that have been decoded in full get none.
    """
    done = completed(model, pilot)
    faults = [w for w in pilot.faults("pilot") if w not in done]
    if not faults:
        return {}
    tallies = [pilot.of("pilot", w) for w in faults]
    fractions = np.array([(tally.failures + 0.5) / (tally.shots + 1) for tally in tallies])
    costs = np.array([max(tally.seconds, 1e-9) / tally.shots for tally in tallies])
    numbers = model.numbers[:, faults]
    rates = numbers @ fractions + known_rates(model, pilot)
    importance = np.sqrt(((numbers / rates[:, None]) ** 2).sum(axis=0))
    shares: NDArray[np.float64] = importance * np.sqrt(fractions * (1 - fractions) / costs)
    shots = np.maximum(_FEWEST, np.rint(shares * seconds / (shares @ costs)).astype(int))
    return dict(zip(faults, shots.tolist(), strict=True))


def known_rates(model: FaultModel, tallies: Tallies) -> NDArray[np.float64]:
    """What the strata that were decoded in full contribute to the block error: float64 [ps]."""
    rates = np.zeros(len(model.ps))
    for w in completed(model, tallies):
        rates += model.numbers[:, w] * tallies.of("all", w).weights
    return rates
