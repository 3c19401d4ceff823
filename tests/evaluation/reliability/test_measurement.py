"""What is made of the decoders' soft outputs."""

import numpy as np

from cascade_qec.decoders.result import DecodeResult
from cascade_qec.evaluation.reliability.measurement import measure


class _Sure:
    """Wrong in every fourth shot, of which it is less sure than of any other; all confidences round to 1."""

    name = "sure"
    num_detectors, num_observables = 12, 1

    def bind(self, experiment):
        (self.truth,) = (experiment.compile_detector_sampler(seed=3).sample(400, separate_observables=True)[1],)
        return self

    @property
    def tells_confidence(self):
        return True

    def decode_batch(self, detection_events):
        wrong = np.arange(len(detection_events)) % 4 == 0
        log_odds = 60 + np.arange(len(wrong)) % 7 - 20 * wrong
        return DecodeResult(self.truth ^ wrong[:, None], log_odds=log_odds.astype(np.float32))


def test_shots_are_discarded_by_log_odds_where_confidences_are_all_one(small_memory):
    (outcome,) = measure(small_memory(), [_Sure()], shots=400, seed=3, discards=(0.0, 0.25))
    everything, sure = outcome.selections["confidence"]
    assert (everything.accepted, everything.failures) == (200, 50)
    assert (sure.accepted, sure.failures) == (150, 0)
    assert sure.threshold == 1
