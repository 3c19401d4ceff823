"""The loop that decodes the strata."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders.protocol import BoundDecoder
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rare_events.allocation import allocate, known_rates
from cascade_qec.evaluation.rare_events.estimate import completed
from cascade_qec.evaluation.rare_events.fault_model import FaultModel
from cascade_qec.evaluation.rare_events.fault_sets import all_sets
from cascade_qec.evaluation.rare_events.tallies import STAGES, Stage, Tallies

_CHUNK = 1 << 12
_FIRST_SHOTS = 256
_PILOT_SHARE = 0.15
_TRUNCATION = 1e-3


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
        What is known already; counts are added to it.
    seed
        With the shots already counted it determines the next ones.
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
    seed: int
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
        if not self.tallies.faults("pilot"):
            return
        spent = sum(self.tallies.of("pilot", faults).seconds for faults in self.tallies.faults("pilot"))
        while (left := _PILOT_SHARE * self._seconds - spent) > 0:
            # Twice as many shots each time, planned with what has been seen so far.
            for faults, shots in allocate(self.model, self.tallies, seconds=min(left, spent)).items():
                self._sample("pilot", faults, shots)
            self.save()
            spent = sum(self.tallies.of("pilot", faults).seconds for faults in self.tallies.faults("pilot"))

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
        rng = np.random.default_rng([self.seed, STAGES.index(stage), faults, tally.shots])
        for start in range(0, shots, _CHUNK):
            began = self.clock()
            sets = self.model.sets.sample(faults, min(_CHUNK, shots - start), rng)
            failed = self._fails(sets)
            tally.add(self.model.weights(sets[failed]), shots=len(sets), seconds=self.clock() - began)
            self._left()

    def _fails(self, sets: NDArray[np.int64]) -> NDArray[np.bool_]:
        dets, observables = self.model.faults.outcomes(sets)
        predictions = self.decoder.decode_batch(dets).observables
        if predictions.shape != observables.shape:
            raise CascadeError(
                f"expected predictions of the observables' shape {list(observables.shape)}, "
                f"got {list(predictions.shape)}"
            )
        return np.any(predictions != observables, axis=1)
