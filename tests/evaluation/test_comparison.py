import time
from dataclasses import dataclass, field

import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes, decoders
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation import Experiment, compare


def _experiment(p: float = 0.01, bases: str = "XZ") -> Experiment:
    code = codes.get("surface_d3")
    noise = circuits.UniformDepolarizing(p)
    return Experiment("surface_d3", p, 3, {b: circuits.memory(code, rounds=3, basis=b, noise=noise) for b in bases})


@dataclass
class Recorder:
    """Predicts no flip, keeps what it saw, and takes its time: a decoder as a user may write one."""

    name: str = "recorder"
    seen: list[np.ndarray] = field(default_factory=list)
    seconds_per_shot: float = 0.0
    seconds_for_first_call: float = 0.0

    def bind(self, experiment: stim.Circuit) -> "Recorder":
        return self

    def decode_batch(self, dets: np.ndarray, *, bit_packed: bool = False) -> DecodeResult:
        time.sleep(self.seconds_per_shot * len(dets) + (0 if self.seen else self.seconds_for_first_call))
        self.seen.append(dets)
        return DecodeResult(np.zeros((len(dets), 1), np.bool_))

    def shots(self) -> np.ndarray:
        return np.concatenate(self.seen[1:])  # the first call only warms up


def test_all_decode_the_same_shots_and_failures_are_counted():
    experiment = _experiment(bases="Z")
    one, other = Recorder(), Recorder()
    rows = compare(experiment, {"one": one, "other": other}, shots=3000, seed=7)
    assert [row.decoder for row in rows] == ["one", "other"]
    np.testing.assert_array_equal(one.shots(), other.shots())
    assert one.shots().shape == (3000, experiment.circuits["Z"].num_detectors)
    # Without decoding, the failures are the flipped observables: about one shot in five at this p.
    assert rows[0].failures == rows[1].failures
    assert 450 < rows[0].failures < 900
    (again,) = compare(experiment, {"again": Recorder()}, shots=3000, seed=7)
    assert again.failures == rows[0].failures
    (fresh,) = compare(experiment, {"fresh": Recorder()}, shots=3000, seed=8)
    assert fresh.failures != rows[0].failures


def test_bases_are_pooled_in_equal_parts():
    bound: dict[str, Recorder] = {}

    class Binding(Recorder):
        def bind(self, experiment: stim.Circuit) -> Recorder:
            return bound.setdefault(str(experiment), Recorder())

    (row,) = compare(_experiment(), {"recorder": Binding()}, shots=501, seed=0)
    assert [len(recorder.shots()) for recorder in bound.values()] == [251, 251]
    assert (row.shots, row.bases, row.k, row.rounds) == (502, "XZ", 1, 3)


def test_slow_decoders_get_fewer_shots_and_the_first_of_them():
    fast, slow = Recorder(), Recorder(seconds_per_shot=0.002)
    rows = compare(_experiment(bases="Z"), {"fast": fast, "slow": slow}, shots=2000, seed=1, seconds={"slow": 0.1})
    assert rows[0].shots == 2000
    assert 5 <= rows[1].shots <= 100  # 50 where sleep is exact
    np.testing.assert_array_equal(slow.shots(), fast.shots()[: rows[1].shots])
    assert rows[1].microseconds_per_shot >= 2000


def test_first_call_is_not_timed():
    recorder = Recorder(seconds_for_first_call=0.2)
    (row,) = compare(_experiment(bases="Z"), {"recorder": recorder}, shots=100, seed=1)
    assert row.microseconds_per_shot * row.shots < 0.1e6


@pytest.mark.filterwarnings("ignore:.*noise is as strong as")
def test_all_kinds_take_part_with_their_parameters():
    names = ("pymatching", "bposd-filtered", "tesseract", "cascade:surface_d3")
    rows = compare(_experiment(), {name: decoders.get(name, device="cpu") for name in names}, shots=400, seed=2)
    assert tuple(row.decoder for row in rows) == names
    assert rows[2].parameters == "beam=15, det_orders=16, pqlimit=200000, seed=2384753"
    for row in rows:
        assert row.failures < 80
        assert row.microseconds_per_shot > 0


def test_report_rises_to_one():
    seen: list[float] = []
    compare(_experiment(), {str(i): Recorder() for i in range(3)}, shots=100, seed=0, report=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_bad_input_is_refused():
    with pytest.raises(CascadeError, match="at least 1 shot"):
        compare(_experiment(), {}, shots=0, seed=0)
    with pytest.raises(CascadeError, match="none: expected seconds > 0"):
        compare(_experiment(), {"none": Recorder()}, shots=1, seed=0, seconds={"none": 0})
    surface = _experiment().circuits["Z"]
    with pytest.raises(CascadeError, match=r"one number of observables.*\[0, 1\]"):
        Experiment("mixed", 0.1, 1, {"X": stim.Circuit(), "Z": surface})
