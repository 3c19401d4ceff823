from itertools import product

import numpy as np
import pytest
import torch

from cascade_qec import CascadeDecoder, codes
from cascade_qec.decoders.logical_classes import LogicalClasses
from cascade_qec.lattice import LogicalOperators, logical_operators, memory_lattice
from cascade_qec.recognition import ObservableMap


def by_all_cases(logits, checks, operators: LogicalOperators, observables: ObservableMap, events):
    """Posterior of every joint value of the observables, from the definition; checks: parity of each check's events."""
    k = operators.logicals.shape[1]
    # Two classes differ in that many operators, on average over all pairs.
    differing = operators.logicals.any(axis=1).sum() * 2 ** (k - 1) / (2**k - 1)
    weights: dict[tuple[int, ...], float] = {}
    for flips in product([0, 1], repeat=k):
        flipped = (operators.logicals @ flips + operators.checks @ checks) % 2
        log_likelihood = -np.logaddexp(0, np.where(flipped, -logits, logits)).sum() * k / differing
        value = tuple(((observables.logicals @ flips + observables.detectors @ events) % 2).tolist())
        weights[value] = weights.get(value, 0) + np.exp(log_likelihood)
    norm = sum(weights.values())
    return {value: weight / norm for value, weight in weights.items()}


@pytest.mark.parametrize("count", [1, 2, 5])
def test_decisions_by_going_through_all_classes(count):
    code = codes.get("bb72")
    lattice = memory_lattice(code, 1, "Z")
    random = np.random.default_rng(count)
    operators = logical_operators(code, "Z")
    observables = ObservableMap(
        random.integers(0, 2, (count, code.k), dtype=np.uint8),
        random.integers(0, 2, (count, lattice.detectors), dtype=np.uint8),
    )
    events = random.random((2, lattice.detectors)) < 0.3
    states = lattice.scatter(events)
    logits = random.normal(size=(2, len(operators.support))).astype(np.float32)
    classes = LogicalClasses(lattice, operators, observables, torch.device("cpu"))
    decided, probabilities, confidence = classes.decide(torch.from_numpy(logits), torch.from_numpy(states), events)
    for shot in range(2):
        checks = (states[lattice.check_sites("Z"), shot] == 1).sum(axis=0) % 2
        joint = by_all_cases(logits[shot], checks, operators, observables, events[shot].astype(int))
        best = max(joint, key=lambda value: joint[value])
        assert tuple(decided[shot].astype(int)) == best
        assert confidence[shot] == pytest.approx(joint[best], rel=1e-3)
        marginals = sum(np.array(value) * weight for value, weight in joint.items())
        np.testing.assert_allclose(probabilities[shot], marginals, atol=1e-4)


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_one_observable_is_decided_as_the_network_says(basis):
    lattice = memory_lattice(codes.get("surface_d3"), 3, basis)
    events = np.zeros((3, lattice.detectors), dtype=bool)
    own = ObservableMap.identity(1, lattice.detectors)
    classes = LogicalClasses(lattice, logical_operators(lattice.code, basis), own, torch.device("cpu"))
    logits = torch.tensor([[-2.0], [0.5], [3.0]])
    observables, probabilities, confidence = classes.decide(logits, torch.from_numpy(lattice.scatter(events)), events)
    assert observables.tolist() == [[False], [True], [True]]
    np.testing.assert_allclose(probabilities, torch.sigmoid(logits), rtol=1e-6)
    np.testing.assert_allclose(confidence, torch.sigmoid(logits.abs())[:, 0], rtol=1e-6)


def test_a_translated_shot_is_decided_alike():
    """By the class of the error, whichever operators the code has chosen for its observables."""
    decoder = CascadeDecoder.untrained("bb72", width=8, depth=1)
    circuit = decoder.experiment(0.003, rounds=6)
    code, lattice = decoder.code, decoder.lattice
    events = circuit.compile_detector_sampler(seed=3).sample(10)
    sites = np.full(lattice.sites, -1)
    for kind in ("X", "Z"):
        here = lattice.check_sites(kind)
        sites[here] = np.roll(here.reshape(-1, code.l, code.m), (2, 1), axis=(1, 2)).reshape(here.shape)
    number = np.full(lattice.sites, -1)
    number[lattice.detector_sites] = np.arange(lattice.detectors)
    moved = events[:, number[sites[lattice.detector_sites]]]
    first, second = decoder.decode_batch(events), decoder.decode_batch(moved)
    np.testing.assert_allclose(first.confidence, second.confidence, rtol=1e-3)
    assert (first.observables != second.observables).any()
