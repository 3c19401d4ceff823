# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

from collections import Counter
from pathlib import Path

import pytest
import stim

from cascade_qec import codes
from cascade_qec.circuits import UniformDepolarizing, memory

RELAY = Path(__file__).parents[1] / "data" / "relay_bb72_z_r6_p0.003.stim"


@pytest.mark.parametrize(
    ("name", "rounds", "detectors", "mechanisms"),
    [("bb72", 6, 432, 16164), ("bb144", 12, 1728, 67752), ("bb288", 18, 5184, 206352)],
)
def test_published_counts(name, rounds, detectors, mechanisms):
    circuit = memory(codes.get(name), rounds=rounds, noise=UniformDepolarizing(0.003))
    assert circuit.num_detectors == detectors
    assert circuit.detector_error_model(flatten_loops=True).num_errors == mechanisms


def early_probabilities(circuit: stim.Circuit, time_of: dict[int, int], last: int) -> Counter[float]:
    """How often each probability occurs among the mechanisms whose detectors all have t <= last."""
    found = Counter()
    for instruction in circuit.detector_error_model(flatten_loops=True):
        if instruction.type == "error":
            targets = instruction.targets_copy()
            if all(time_of[t.val] <= last for t in targets if t.is_relative_detector_id()):
                found[round(instruction.args_copy()[0], 12)] += 1
    return found


def test_same_mechanisms_as_an_independently_written_circuit():
    relay = stim.Circuit.from_file(RELAY)
    rounds = 6
    ours = memory(codes.get("bb72"), rounds=rounds, noise=UniformDepolarizing(0.003))
    assert ours.num_detectors == relay.num_detectors == 432
    assert ours.num_observables == relay.num_observables == 12
    count = relay.detector_error_model().num_errors
    assert ours.detector_error_model(flatten_loops=True).num_errors == count

    # In its last round the other circuit holds back the Z checks' last CNOT by one layer, and its data
    # readout is perfect. Both show only in detectors of the last round and the readout.
    ours_time = {d: int(c[2]) for d, c in ours.get_detector_coordinates().items()}
    relay_time = {d: int(c[0]) // 108 for d, c in relay.get_detector_coordinates().items()}
    assert Counter(ours_time.values()) == Counter(relay_time.values())
    expected = early_probabilities(relay, relay_time, rounds - 2)
    assert sum(expected.values()) > count / 2
    assert early_probabilities(ours, ours_time, rounds - 2) == expected
