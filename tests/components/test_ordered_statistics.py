"""Ordered statistics in NumPy and in C++: what they choose explains the events, and they choose the same."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import cascade_qec as cascade
from cascade_qec.components import Components, OrderedStatistics
from cascade_qec.decoders.local import BoundLocal
from cascade_qec.errors import CascadeError
from cascade_qec.native import native

IN_NUMPY = [True] if native() is None else [True, False]
"""The ways there are to decode."""

needs_native = pytest.mark.skipif(native() is None, reason="cascade-qec-native is not installed")

Checks = NDArray[np.bool_]
"""Bool [components, detectors]."""


def components(checks: Checks) -> Components:
    """An observable for each component tells whether it is chosen."""
    count = len(checks)
    component, detector = np.nonzero(checks)
    return Components(
        of_mechanism=np.arange(count),
        prior=np.full(count, 0.01),
        detector=detector,
        start=np.searchsorted(component, np.arange(count + 1)),
        observables=np.eye(count, dtype=np.uint8),
        owner=np.zeros(count, dtype=np.int64),
        type=np.zeros(count, dtype=np.int64),
        types=((0, ((0, 0, 0),)),),
    )


def random_checks(random: np.random.Generator, count: int, detectors: int) -> Checks:
    checks = random.random((count, detectors)) < min(0.5, 4 / detectors)
    checks[np.arange(count), random.integers(detectors, size=count)] = True
    return checks


def random_odds(random: np.random.Generator, shots: int, count: int) -> NDArray[np.float32]:
    """Some are too unlikely to be looked at, and in some shots many are alike."""
    odds = random.normal(-5, 4, size=(shots, count))
    odds[::2] = odds[::2].round()
    return odds.astype(np.float32)


def explained(checks: Checks, chosen: Checks) -> NDArray[np.bool_]:
    return chosen @ checks.astype(np.int64) % 2 > 0


def one_by_one(solver: OrderedStatistics, odds: NDArray[np.float32], events: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """In NumPy, shots that are decoded together lend each other columns."""
    return np.concatenate([solver.decode(odds[i : i + 1], events[i : i + 1]) for i in range(len(odds))])


@pytest.mark.parametrize("in_numpy", IN_NUMPY)
@pytest.mark.parametrize(("count", "detectors"), [(1, 1), (7, 9), (40, 30), (130, 70), (300, 64), (64, 200)])
def test_what_is_chosen_explains_the_events(count: int, detectors: int, in_numpy: bool) -> None:
    random = np.random.default_rng(count)
    checks = random_checks(random, count, detectors)
    events = explained(checks, random.random((30, count)) < 0.1)
    chosen = OrderedStatistics(components(checks), in_numpy=in_numpy).decode(random_odds(random, 30, count), events)
    assert np.array_equal(explained(checks, chosen), events)


@pytest.mark.parametrize("in_numpy", IN_NUMPY)
def test_it_is_mostly_the_likeliest_of_all_sets(in_numpy: bool) -> None:
    random, count, shots = np.random.default_rng(2), 11, 100
    sets = np.array(list(product([False, True], repeat=count)))
    checks = random_checks(random, count, 6)
    events, odds = explained(checks, random.random((shots, count)) < 0.2), random_odds(random, shots, count).clip(-7)
    chosen = OrderedStatistics(components(checks), in_numpy=in_numpy).decode(odds, events)
    explains = (explained(checks, sets)[:, None] == events).all(axis=2)  # [sets, shots]
    likeliest = np.where(explains, sets @ odds.T, -np.inf).max(axis=0)
    assert np.mean(np.isclose((chosen * odds).sum(axis=1), likeliest, atol=1e-4)) > 0.95


@pytest.mark.parametrize("in_numpy", IN_NUMPY)
def test_what_no_set_explains_flips_nothing(in_numpy: bool) -> None:
    checks = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=bool)
    odds, events = np.array([[1, -1, -2], [1, -1, -20]], dtype=np.float32), np.array([[1, 0, 0]] * 2, dtype=bool)
    solver = OrderedStatistics(components(checks), in_numpy=in_numpy)
    assert not solver.decode(odds, events).any()
    assert np.isinf(solver.decode_with_costs(odds, events)[1]).all()
    # without an event nothing is likelier, but of three that cancel
    silent = solver.decode(
        np.array([[3, -1, -1], [-1, -1, -1], [-9, -9, -9]], dtype=np.float32), events[[0, 0, 0]] & False
    )
    assert silent.tolist() == [[True] * 3, [False] * 3, [False] * 3]


@pytest.mark.parametrize("in_numpy", IN_NUMPY)
def test_log_odds_may_be_infinite_or_no_numbers(in_numpy: bool) -> None:
    random = np.random.default_rng(4)
    checks = random_checks(random, 50, 30)
    events, odds = explained(checks, random.random((20, 50)) < 0.1), random_odds(random, 20, 50)
    for odd in (np.nan, np.inf, -np.inf):
        odds[random.random(odds.shape) < 0.1] = odd
    chosen = OrderedStatistics(components(checks), in_numpy=in_numpy).decode(odds, events)
    assert np.array_equal(explained(checks, chosen), events)


def with_observables(checks: Checks, observables: Checks) -> Components:
    return replace(components(checks), observables=observables.astype(np.uint8))


@pytest.mark.parametrize("in_numpy", IN_NUMPY)
def test_a_gap_is_that_to_the_likeliest_set_of_another_answer(in_numpy: bool) -> None:
    """Against all sets; more than two exchanges are not looked at, so that some gaps are too large."""
    random, count, shots = np.random.default_rng(6), 11, 100
    sets = np.array(list(product([False, True], repeat=count)))
    checks, flips = random_checks(random, count, 6), random.random((count, 3)) < 0.3
    events, odds = explained(checks, random.random((shots, count)) < 0.2), random_odds(random, shots, count).clip(-7)
    solver = OrderedStatistics(with_observables(checks, flips), in_numpy=in_numpy)
    observables, suspects, gaps = solver.decode_with_gaps(odds, events)
    assert np.array_equal(observables, solver.decode(odds, events))
    explains, answer = (explained(checks, sets)[:, None] == events).all(axis=2), explained(flips, sets)
    weight = np.where(explains, sets @ odds.T, -np.inf)  # [sets, shots]
    same = (answer[:, None] == observables).all(axis=2)
    ours, other = (np.where(which, weight, -np.inf).max(axis=0) for which in (same, ~same))
    exact = np.minimum(ours - other, 40)
    exact -= np.maximum(odds.clip(0).sum(axis=1) - ours - exact, 0)  # what the set costs beyond each one's preference
    assert np.all(gaps >= exact - 1e-4)
    assert np.mean(np.isclose(gaps, exact, atol=1e-4)) > 0.85
    assert suspects.any(axis=1).all()


@needs_native
@pytest.mark.parametrize("seed", range(40))
def test_both_choose_the_same_in_random_systems(seed: int) -> None:
    random = np.random.default_rng(seed)
    count, detectors = random.integers(1, 200), random.integers(1, 80)
    checks = random_checks(random, count, detectors)
    events, odds = explained(checks, random.random((12, count)) < 0.1), random_odds(random, 12, count)
    events[-2:] = random.random((2, detectors)) < 0.5  # which perhaps no set explains
    for shot, odd in ((3, np.nan), (4, np.inf), (5, -np.inf)):
        odds[shot, random.random(count) < 0.1] = odd
    in_numpy, in_cpp = (OrderedStatistics(components(checks), in_numpy=way) for way in (True, False))
    assert np.array_equal(in_cpp.decode(odds, events), one_by_one(in_numpy, odds, events))
    alone = [in_numpy.decode_with_gaps(odds[i : i + 1], events[i : i + 1]) for i in range(len(odds))]
    for found, expected in zip(in_cpp.decode_with_gaps(odds, events), zip(*alone, strict=True), strict=True):
        assert np.array_equal(found, np.concatenate(expected))


@needs_native
@pytest.mark.slow
def test_both_choose_the_same_in_shots_of_a_model() -> None:
    bound = cascade.load("local_bb72", device="cpu").bind(basis="Z")
    assert isinstance(bound, BoundLocal)
    part = bound.parts[0]
    experiment = bound.decoder.experiment(0.005, basis="Z")
    packed = experiment.compile_detector_sampler(seed=11).sample(40, bit_packed=True)
    events = np.unpackbits(packed, axis=1, bitorder="little", count=experiment.num_detectors).astype(bool)
    odds = part.log_odds(packed)
    in_numpy, in_cpp = (OrderedStatistics(part.components, in_numpy=way) for way in (True, False))
    assert np.array_equal(in_cpp.decode(odds, events), one_by_one(in_numpy, odds, events))


def made(module: Any, **changes: Any) -> Any:
    """Two components of three rows and two observables."""
    given = {
        "start": np.array([0, 2, 3]),
        "row": np.array([0, 1, 2]),
        "rows": 3,
        "observables": np.eye(2, dtype=bool),
        "least": -8.0,
    }
    return module.OrderedStatistics(**given | changes)


@needs_native
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"start": np.array([0, 3])}, ValueError),
        ({"start": np.array([1, 2, 3])}, ValueError),
        ({"start": np.array([0, 2, 4])}, ValueError),
        ({"start": np.array([0, 5, 3])}, ValueError),
        ({"start": np.array([0, 2, 3], dtype=np.int32)}, TypeError),
        ({"start": np.zeros((3, 1), dtype=np.int64)}, TypeError),
        ({"start": None}, TypeError),
        ({"row": np.array([0, 1, 3])}, ValueError),
        ({"row": np.array([0, -1, 2])}, ValueError),
        ({"row": np.array([0, 1, 2, 0, 1, 2])[::2]}, TypeError),
        ({"rows": -1}, ValueError),
        ({"rows": 2}, ValueError),
        ({"rows": 1 << 40}, ValueError),
        ({"observables": np.eye(3, dtype=bool)}, ValueError),
        ({"observables": np.eye(2, dtype=np.uint8)}, TypeError),
        ({"least": float("nan")}, ValueError),
        ({"weights": np.zeros(3, dtype=np.float32)}, ValueError),
        ({"weights": np.zeros(2)}, TypeError),
    ],
)
def test_wrong_components_are_refused(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        made(native(), **changes)


ODDS, LIT = np.zeros((4, 2), dtype=np.float32), np.zeros((4, 3), dtype=bool)


@needs_native
@pytest.mark.parametrize(
    ("odds", "lit", "threads", "error"),
    [
        (ODDS[:, :1].copy(), LIT, 1, ValueError),
        (ODDS[:3], LIT, 1, ValueError),
        (ODDS, LIT[:, :2].copy(), 1, ValueError),
        (ODDS, LIT, 0, ValueError),
        (ODDS.astype(np.float64), LIT, 1, TypeError),
        (ODDS[::2], LIT[:2], 1, TypeError),
        (ODDS[0], LIT, 1, TypeError),
        (ODDS, LIT.astype(np.uint8), 1, TypeError),
        (ODDS, np.asfortranarray(LIT), 1, TypeError),
        (ODDS, None, 1, TypeError),
    ],
)
def test_wrong_shots_are_refused(odds: Any, lit: Any, threads: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        made(native()).decode(odds, lit, threads=threads)


@needs_native
def test_as_many_shots_and_threads_as_you_like() -> None:
    solver, random = made(native()), np.random.default_rng(5)
    assert [part.shape for part in solver.decode(ODDS[:0], LIT[:0], threads=3)] == [(0, 2), (0, 2), (0,), (0,)]
    odds, lit = random.normal(size=(7, 2)).astype(np.float32), random.random((7, 3)) < 0.5
    once = solver.decode(odds, lit, gaps=True)
    for threads in (2, 3, 50):
        assert all(map(np.array_equal, solver.decode(odds, lit, gaps=True, threads=threads), once))
    nothing = np.zeros(0, dtype=np.int64)
    empty = made(
        native(), start=np.zeros(1, dtype=np.int64), row=nothing, rows=0, observables=np.zeros((0, 2), dtype=bool)
    )
    assert not empty.decode(odds[:, :0].copy(), lit[:, :0].copy())[0].any()


@pytest.mark.parametrize("in_numpy", IN_NUMPY)
def test_sets_are_compared_by_weights_of_their_own(in_numpy: bool) -> None:
    """Against all sets; a shot's log-odds only order the columns."""
    random, count, shots = np.random.default_rng(8), 11, 100
    sets = np.array(list(product([False, True], repeat=count)))
    checks, weights = random_checks(random, count, 6), random.normal(-4, 2, size=count).astype(np.float32)
    events, odds = explained(checks, random.random((shots, count)) < 0.2), random_odds(random, shots, count).clip(-7)
    solver = OrderedStatistics(components(checks), weights=weights, in_numpy=in_numpy)
    chosen, costs = solver.decode_with_costs(odds, events)
    explains = (explained(checks, sets)[:, None] == events).all(axis=2)  # [sets, shots]
    likeliest = np.where(explains, (sets @ weights)[:, None], -np.inf).max(axis=0)
    np.testing.assert_allclose(chosen @ weights, -costs, rtol=1e-5, atol=1e-5)
    assert np.mean(np.isclose(chosen @ weights, likeliest, atol=1e-4)) > 0.95


@needs_native
@pytest.mark.parametrize("seed", range(10))
def test_both_choose_the_same_by_weights(seed: int) -> None:
    random = np.random.default_rng(seed)
    count, detectors = random.integers(1, 200), random.integers(1, 80)
    checks, weights = random_checks(random, count, detectors), random.normal(-5, 2, size=count).astype(np.float32)
    events, odds = explained(checks, random.random((12, count)) < 0.1), random_odds(random, 12, count)
    in_numpy, in_cpp = (OrderedStatistics(components(checks), weights=weights, in_numpy=way) for way in (True, False))
    events[-2:] = random.random((2, detectors)) < 0.5  # which perhaps no set explains
    alone = [in_numpy.decode_with_costs(odds[i : i + 1], events[i : i + 1]) for i in range(len(odds))]
    for found, expected in zip(in_cpp.decode_with_costs(odds, events), zip(*alone, strict=True), strict=True):
        assert np.array_equal(found, np.concatenate(expected))


@pytest.mark.parametrize("unlikely", [0.0, 1.0, -1.0, np.nan])
def test_what_is_no_probability_is_refused(unlikely: float) -> None:
    with pytest.raises(CascadeError, match="expected a probability `unlikely`"):
        OrderedStatistics(components(np.eye(2, dtype=np.bool_)), unlikely=unlikely)
