"""Batches of any size count what single calls would."""

from itertools import pairwise

import numpy as np
import pytest
import sinter

from cascade_qec import circuits, codes
from cascade_qec.decoders import DecodeResult, classical
from cascade_qec.decoders.sinter.sampler import BatchSampler, CompiledBatchSampler
from cascade_qec.errors import CascadeError

CIRCUIT = circuits.memory(codes.get("surface_d3"), rounds=2, basis="Z", noise=circuits.UniformDepolarizing(0.02))
MATCHING = classical.PyMatching()


def test_counts_are_those_of_the_same_shots_decoded_at_once():
    dem = CIRCUIT.detector_error_model(decompose_errors=True)
    task = sinter.Task(circuit=CIRCUIT, detector_error_model=dem)
    compiled = BatchSampler(MATCHING, seed=4).compiled_sampler_for_task(task)
    assert compiled.handles_throttling()
    sampler = CIRCUIT.compile_detector_sampler(seed=4)
    matching = classical.PyMatching().bind(dem)
    total = 0
    while total < 4000:
        counted = compiled.sample(4000 - total)
        dets, obs = sampler.sample(counted.shots, separate_observables=True)
        assert counted.errors == (matching.decode_batch(dets).observables != obs).any(axis=1).sum()
        assert counted.seconds > 0
        total += counted.shots
    assert total == 4000


def test_batches_grow_until_they_take_long():
    compiled = BatchSampler(MATCHING).compiled_sampler_for_task(
        sinter.Task(circuit=CIRCUIT, detector_error_model=CIRCUIT.detector_error_model(decompose_errors=True))
    )
    sizes = [compiled.sample(10_000).shots for _ in range(5)]
    assert sizes[0] == 1
    assert sizes == sorted(sizes)
    assert all(after <= 16 * before for before, after in pairwise(sizes))
    assert sizes[-1] > 1000  # microseconds for a shot, so far below the second that a batch may take


class _Discards:
    """Predicts no flips, and discards the shots in which detector 0 fired."""

    def __init__(self, observables: int) -> None:
        self.observables = observables

    def decode_batch(self, detection_events: np.ndarray, *, bit_packed: bool = False) -> DecodeResult:
        assert bit_packed
        flips = np.zeros((len(detection_events), self.observables), np.bool_)
        return DecodeResult(flips, discarded=(detection_events[:, 0] & 1).astype(np.bool_))


def test_discards_are_counted_and_are_no_errors():
    compiled = CompiledBatchSampler(_Discards(1), CIRCUIT, seed=4)
    sampler = CIRCUIT.compile_detector_sampler(seed=4)
    total = 0
    while total < 3000:
        counted = compiled.sample(3000 - total)
        dets, obs = sampler.sample(counted.shots, separate_observables=True)
        assert counted.discards == dets[:, 0].sum()
        assert counted.errors == (obs[:, 0] & ~dets[:, 0]).sum()
        total += counted.shots


def test_predictions_of_another_width_are_refused():
    with pytest.raises(CascadeError, match=r"expected predictions of shape \[1, 1\], got \[1, 2\]"):
        CompiledBatchSampler(_Discards(2), CIRCUIT).sample(10)


def test_post_selection_is_refused():
    mask = np.zeros(-(-CIRCUIT.num_detectors // 8), np.uint8)
    with pytest.raises(CascadeError, match="without post-selection"):
        BatchSampler(MATCHING).compiled_sampler_for_task(sinter.Task(circuit=CIRCUIT, postselection_mask=mask))


def test_sinter_collects_with_it():
    (stats,) = sinter.collect(
        num_workers=1,
        max_shots=3000,
        tasks=[sinter.Task(circuit=CIRCUIT, decoder="matching")],
        custom_decoders={"matching": BatchSampler(MATCHING)},
    )
    # About 16 % of the shots fail; outside [350, 610] of 3000 with probability below 1e-9.
    assert stats.shots == 3000
    assert 350 < stats.errors < 610
