"""What posteriors decide: by matching against PyMatching on the same graph, by ordered statistics against all sets."""

from functools import cache
from itertools import product

import numpy as np
import pymatching
import pytest
import stim
from numpy.typing import NDArray

from cascade_qec import circuits, codes
from cascade_qec.components import Components, OrderedStatistics, PosteriorMatching, decides
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import memory_lattice


@cache
def experiment(name: str, rounds: int, p: float) -> tuple[stim.DetectorErrorModel, Components]:
    circuit = circuits.memory(codes.get(name), rounds=rounds, basis="X", noise=circuits.UniformDepolarizing(p))
    dem = error_model(circuit)
    return dem, Components.of(Mechanisms.of(dem), memory_lattice(codes.get(name), rounds, "X"))


def sampled(name: str, rounds: int, p: float, shots: int) -> tuple[NDArray[np.bool_], ...]:
    """Events, observables, and which components are flipped."""
    dem, components = experiment(name, rounds, p)
    events, flips, errors = dem.compile_sampler(seed=5).sample(shots, return_errors=True)
    assert errors is not None
    return events, flips, components.flipped(errors)


def prior_odds(components: Components, shots: int) -> NDArray[np.float32]:
    odds = np.log(components.prior / (1 - components.prior)).astype(np.float32)
    return np.broadcast_to(odds, (shots, len(odds)))


def test_with_priors_it_is_matching() -> None:
    dem, components = experiment("surface_d5", 3, 0.01)
    events, _, _ = sampled("surface_d5", 3, 0.01, 500)
    matching = pymatching.Matching()
    boundary = dem.num_detectors
    for number, (start, stop) in enumerate(zip(components.start[:-1], components.start[1:], strict=True)):
        ends = [*components.detector[start:stop].tolist(), boundary][:2]
        prior = components.prior[number]
        flips = {0} if components.observables[number, 0] else set()
        matching.add_edge(*ends, weight=np.float32(np.log((1 - prior) / prior)), fault_ids=flips)
    matching.set_boundary_nodes({boundary})
    own = np.isin(np.arange(dem.num_detectors), components.detector)
    expected = np.asarray(matching.decode_batch(np.hstack([events & own, np.zeros((500, 1), dtype=bool)])))
    found = PosteriorMatching(components).decode(prior_odds(components, 500), events)
    # where two sets weigh the same, either may be taken
    assert np.count_nonzero(found[:, 0] != expected[:, 0]) <= 2


@pytest.mark.parametrize(("name", "rounds"), [("surface_d5", 3), ("bb72", 2)])
def test_what_is_known_is_right_whatever_else_is_likely(name: str, rounds: int) -> None:
    _dem, components = experiment(name, rounds, 0.004)
    events, flips, flipped = sampled(name, rounds, 0.004, 40)
    decoys = np.random.default_rng(1).random(flipped.shape) < 0.05
    odds = np.where(flipped, 3.0, np.where(decoys, -3.0, -12.0)).astype(np.float32)
    assert np.array_equal(decides(components).decode(odds, events), flips)


@pytest.mark.parametrize(("name", "rounds"), [("surface_d5", 3), ("bb72", 2)])
def test_what_seems_impossible_is_looked_at_where_nothing_else_explains_a_shot(name: str, rounds: int) -> None:
    _dem, components = experiment(name, rounds, 0.002)
    events, flips, flipped = sampled(name, rounds, 0.002, 20)
    odds = np.full(flipped.shape, -25, dtype=np.float32)
    odds[flipped] = -20
    assert np.array_equal(decides(components).decode(odds, events), flips)


def test_ordered_statistics_find_the_likeliest_set_of_a_small_experiment() -> None:
    """Against all sets of the components in doubt; pairs of changes find nearly all of them."""
    dem, components = experiment("bb72", 2, 0.004)
    events, _, flipped = sampled("bb72", 2, 0.004, 60)
    random = np.random.default_rng(3)
    checks = np.zeros((len(components), dem.num_detectors), dtype=int)
    checks[np.repeat(np.arange(len(components)), np.diff(components.start)), components.detector] = 1
    own = checks.any(axis=0)
    solver = OrderedStatistics(components)
    agreed = 0
    for shot in range(60):
        # ten components in doubt, among them those that happened
        happened = np.flatnonzero(flipped[shot])[:10]
        if not np.array_equal(checks[happened].sum(axis=0) % 2, events[shot] & own):
            continue
        others = random.choice(np.flatnonzero(~flipped[shot]), size=10 - len(happened), replace=False)
        doubted = np.concatenate([happened, others])
        odds = np.full((1, len(components)), -30, dtype=np.float32)
        odds[0, doubted] = random.normal(-1, 2, size=10)
        sets = np.array(list(product([0, 1], repeat=10)))
        explains = (sets @ checks[doubted] % 2 == (events[shot] & own)).all(axis=1)
        likeliest = sets[explains][(sets[explains] @ odds[0, doubted]).argmax()]
        expected = likeliest @ components.observables[doubted] % 2
        agreed += bool((solver.decode(odds, events[shot : shot + 1])[0] == expected).all())
    assert agreed >= 25


def test_no_events_no_flip() -> None:
    for name in ("surface_d5", "bb72"):
        dem, components = experiment(name, 2, 0.004)
        silent = np.zeros((3, dem.num_detectors), dtype=bool)
        assert not decides(components).decode(prior_odds(components, 3), silent).any()


def test_matching_refuses_what_flips_more_than_two() -> None:
    _dem, components = experiment("bb72", 2, 0.004)
    with pytest.raises(CascadeError, match="at most two detectors of the experiment's basis, to be matched, got one"):
        PosteriorMatching(components)
