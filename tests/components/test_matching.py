"""Matching by posteriors in C++ and by PyMatching: what they choose is the lightest of all sets, and so are gaps."""

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import cascade_qec as cascade
from cascade_qec import circuits, codes
from cascade_qec.codes import Basis
from cascade_qec.components import Components, PosteriorMatching
from cascade_qec.decoders import events as shots_events
from cascade_qec.decoders.local import BoundLocal
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import memory_lattice
from cascade_qec.native import native

IN_PYTHON = [True] if native() is None else [True, False]
"""The ways there are to match."""

needs_native = pytest.mark.skipif(native() is None, reason="cascade-qec-native is not installed")

Ends = list[tuple[int, ...]]
"""The detectors that each component flips."""
Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


def components(ends: Ends, observables: Bools) -> Components:
    count = len(ends)
    return Components(
        of_mechanism=np.arange(count),
        prior=np.full(count, 0.01),
        detector=np.array([detector for each in ends for detector in each]),
        start=np.cumsum([0, *map(len, ends)]),
        observables=observables.astype(np.uint8),
        owner=np.zeros(count, dtype=np.int64),
        type=np.zeros(count, dtype=np.int64),
        types=((0, ((0, 0, 0),)),),
    )


def revealing(ends: Ends) -> Components:
    """An observable for each component tells whether it is chosen."""
    return components(ends, np.eye(len(ends), dtype=np.bool_))


def random_ends(random: np.random.Generator, count: int, detectors: int, *, boundary: float = 0.2) -> Ends:
    """Of so many different components at most. (Of two with the same ends PyMatching takes the lighter.)"""
    alone = [(d,) for d in range(detectors) if random.random() < boundary]
    pairs = list(combinations(range(detectors), 2))
    random.shuffle(pairs)
    ends = [*alone, *pairs[: max(1, count - len(alone))]][:count]
    return [ends[i] for i in random.permutation(len(ends))]


def checks(ends: Ends, detectors: int) -> Bools:
    """Bool [components, detectors]."""
    found = np.zeros((len(ends), detectors), dtype=np.bool_)
    for row, each in zip(found, ends, strict=True):
        row[list(each)] = True
    return found


def explained(of: Bools, chosen: Bools) -> Bools:
    return chosen @ of.astype(np.int64) % 2 > 0


def random_odds(random: np.random.Generator, shots: int, count: int) -> Floats:
    """Some are likelier than not, some too unlikely to be looked at, and in some shots many are alike."""
    odds = random.normal(-3, 3, size=(shots, count))
    odds[::3] = odds[::3].round()
    return odds.astype(np.float32)


@pytest.mark.parametrize("in_python", IN_PYTHON)
@pytest.mark.parametrize("seed", range(8))
def test_what_is_chosen_is_the_lightest_of_all_sets(seed: int, in_python: bool) -> None:
    random, detectors, shots = np.random.default_rng(seed), seed % 7 + 2, 30
    ends = random_ends(random, 11, detectors, boundary=0.3)
    of, sets = checks(ends, detectors), np.array(list(product([False, True], repeat=len(ends))))
    odds = random_odds(random, shots, len(ends)).clip(-6)  # none is left out
    events = random.random((shots, detectors)) < 0.5
    chosen = PosteriorMatching(revealing(ends), in_python=in_python).decode(odds, events)
    known = of.any(axis=0)
    explains = (explained(of, sets)[:, None, known] == events[:, known]).all(axis=2)  # [sets, shots]
    weights = np.where(explains, -sets.astype(np.float64) @ odds.T.astype(np.float64), np.inf)
    possible = explains.any(axis=0)
    assert possible.any()
    assert np.array_equal(explained(of, chosen)[possible][:, known], events[possible][:, known])
    np.testing.assert_allclose(-(chosen * odds)[possible].sum(axis=1), weights.min(axis=0)[possible], atol=1e-4)
    assert not chosen[~possible].any()


@needs_native
@pytest.mark.parametrize("seed", range(25))
def test_both_ways_choose_sets_of_equal_weight(seed: int) -> None:
    """Of up to 250 components, many defects among them; the odd ones have no boundary."""
    random = np.random.default_rng(seed)
    detectors = int(random.integers(2, 40))
    ends = random_ends(random, 250 if seed % 3 == 0 else 63, detectors, boundary=0.15 * (seed % 2))
    of, shots = checks(ends, detectors), 20
    odds = random_odds(random, shots, len(ends))
    events = explained(of, random.random((shots, len(ends))) < 0.3)
    in_python, in_cpp = (
        PosteriorMatching(revealing(ends), in_python=way).decode(odds, events) for way in (True, False)
    )
    assert np.array_equal(explained(of, in_cpp), events)
    assert np.array_equal(explained(of, in_python), events)
    one, other = (-(chosen * odds.astype(np.float64)).sum(axis=1) for chosen in (in_python, in_cpp))
    # PyMatching rounds weights, so it may take what is heavier by a little.
    assert np.all(other <= one + 1e-6)
    np.testing.assert_allclose(one, other, atol=2e-2)


def strip(random: np.random.Generator, detectors: int, count: int) -> tuple[Ends, Bools]:
    """A graph with two boundaries, and an observable that ways between them flip: counted across, wherever that is."""
    ends = random_ends(random, count, detectors, boundary=0.4)
    far = np.array([len(each) == 1 and random.random() < 0.5 for each in ends])
    turned = random.random(detectors) < 0.5
    flips = far ^ np.array([bool(turned[list(each)].sum() % 2) for each in ends])
    return ends, np.stack([flips, np.zeros_like(flips), flips], axis=1)


@pytest.mark.parametrize("in_python", IN_PYTHON)
@pytest.mark.parametrize("seed", range(10))
def test_a_gap_is_how_much_lighter_one_class_is_than_the_other(seed: int, in_python: bool) -> None:
    random, detectors, shots = np.random.default_rng(seed), 6, 20
    ends, observables = strip(random, detectors, 11)
    of, sets = checks(ends, detectors), np.array(list(product([False, True], repeat=len(ends))))
    solver = PosteriorMatching(components(ends, observables), in_python=in_python)
    odds = random_odds(random, shots, len(ends)).clip(-12)
    events = explained(of, random.random((shots, len(ends))) < 0.3)
    assert solver.tells_gaps
    found, _, gaps = solver.decode_with_gaps(odds, events)
    assert np.array_equal(found, solver.decode(odds, events))
    explains = (explained(of, sets)[:, None] == events).all(axis=2)  # [sets, shots]
    weights = np.where(explains, -sets.astype(np.float64) @ odds.T.astype(np.float64), np.inf)
    flips = explained(observables, sets)[:, 0]
    lightest = np.stack([np.where((flips == value)[:, None], weights, np.inf).min(axis=0) for value in (False, True)])
    own = found[:, 0].astype(np.int64)
    expected = lightest[1 - own, np.arange(shots)] - lightest[own, np.arange(shots)]
    np.testing.assert_allclose(gaps, expected, atol=1e-4 if not in_python else 2e-2)


def ring(count: int) -> Ends:
    return [(i, (i + 1) % count) for i in range(count)]


def test_what_has_more_than_two_classes_tells_no_gaps() -> None:
    wound = components(ring(5), np.arange(5)[:, None] == 0)
    two = components([(0,), (0,), (1,), (1,)], np.array([[1, 0], [0, 0], [0, 1], [0, 0]], dtype=bool))
    for each in (wound, two):
        solver = PosteriorMatching(each)
        assert not solver.tells_gaps
        odds, silent = np.full((1, len(each)), -3, dtype=np.float32), np.zeros((1, 5), dtype=np.bool_)
        assert not solver.decode(odds, silent).any()
        with pytest.raises(CascadeError, match="expected observables of one logical qubit to tell gaps of"):
            solver.decode_with_gaps(odds, silent)


@pytest.mark.parametrize("in_python", IN_PYTHON)
def test_where_nothing_flips_an_observable_gaps_are_infinite(in_python: bool) -> None:
    solver = PosteriorMatching(components([*ring(4), (0,), (2,)], np.zeros((6, 1), dtype=bool)), in_python=in_python)
    odds, events = np.full((2, 6), -3, dtype=np.float32), np.array([[0, 0, 0, 0], [1, 1, 1, 0]], dtype=np.bool_)
    _, _, gaps = solver.decode_with_gaps(odds, events)
    assert np.isposinf(gaps).all()


@pytest.mark.parametrize("in_python", IN_PYTHON)
def test_what_no_set_explains_flips_nothing_and_has_no_gap(in_python: bool) -> None:
    solver = PosteriorMatching(components(ring(4), np.ones((4, 1), dtype=bool)), in_python=in_python)
    odds, events = np.full((2, 4), 2, dtype=np.float32), np.array([[1, 0, 0, 0], [1, 1, 1, 0]], dtype=np.bool_)
    assert not solver.decode(odds, events).any()


@pytest.mark.parametrize("in_python", IN_PYTHON)
def test_log_odds_may_be_infinite_or_no_numbers(in_python: bool) -> None:
    random = np.random.default_rng(4)
    ends = random_ends(random, 60, 30)
    of, odds = checks(ends, 30), random_odds(random, 20, 60)
    events = explained(of, random.random((20, 60)) < 0.1)
    for odd in (np.nan, np.inf, -np.inf):
        odds[random.random(odds.shape) < 0.1] = odd
    chosen = PosteriorMatching(revealing(ends), in_python=in_python).decode(odds, events)
    assert np.array_equal(explained(of, chosen), events)


@needs_native
def test_noise_in_place_of_shots_is_matched_too() -> None:
    """So many events depend on one another that it is PyMatching that matches them."""
    code = codes.get("surface_d9")
    circuit = circuits.memory(code, rounds=9, noise=circuits.UniformDepolarizing(0.01))
    part = Components.of(Mechanisms.of(error_model(circuit)), memory_lattice(code, 9, "Z"))
    random, shots = np.random.default_rng(1), 4
    odds = random.normal(-0.5, 0.3, size=(shots, len(part))).clip(max=-1e-3).astype(np.float32)
    events = random.random((shots, circuit.num_detectors)) < 0.5
    in_python, in_cpp = (PosteriorMatching(part, in_python=way) for way in (True, False))
    lit = np.take(events, np.unique(part.detector), axis=1)
    assert not in_cpp._native.decode(odds, lit)[2].all()  # pyright: ignore[reportPrivateUsage]
    (one, _, gaps), (other, _, same) = in_python.decode_with_gaps(odds, events), in_cpp.decode_with_gaps(odds, events)
    assert np.array_equal(one, other)
    np.testing.assert_array_equal(gaps, same)


@needs_native
@pytest.mark.slow
@pytest.mark.parametrize(
    ("distance", "rounds", "basis", "p", "shots"),
    [(3, 9, "Z", 0.01, 150), (5, 5, "X", 0.005, 100), (9, 9, "X", 0.005, 40)],
)
def test_both_ways_decide_the_same_on_shots_of_a_model(
    distance: int, rounds: int, basis: Basis, p: float, shots: int
) -> None:
    noise = circuits.UniformDepolarizing(p)
    circuit = circuits.memory(codes.RotatedSurfaceCode(distance), rounds=rounds, basis=basis, noise=noise)
    bound = cascade.load("local_surface", circuit=circuit, device="cpu")
    assert isinstance(bound, BoundLocal)
    part = bound.parts[0]
    packed = circuit.compile_detector_sampler(seed=11).sample(shots, bit_packed=True)
    odds, events = part.log_odds(packed), shots_events.unpacked(packed, circuit.num_detectors)
    in_python, in_cpp = (PosteriorMatching(part.components, in_python=way) for way in (True, False))
    (one, _, gaps), (other, _, same) = in_python.decode_with_gaps(odds, events), in_cpp.decode_with_gaps(odds, events)
    clear = np.abs(same) > 0.05
    assert np.array_equal(one[clear], other[clear])
    np.testing.assert_allclose(gaps[clear], same[clear], atol=0.05)
    alone = [in_cpp.decode_with_gaps(odds[i : i + 1], events[i : i + 1])[2] for i in range(20)]
    np.testing.assert_array_equal(np.concatenate(alone), same[:20])


def made(module: Any, **changes: Any) -> Any:
    """Three components of two rows and two observables, of which the last two lead out."""
    given = {
        "start": np.array([0, 2, 3, 4]),
        "row": np.array([0, 1, 0, 1]),
        "rows": 2,
        "observables": np.eye(3, 2, dtype=bool),
        "far": np.array([False, False, True]),
        "least": -8.0,
    }
    return module.Matching(**given | changes)


@needs_native
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"start": np.array([0, 4])}, ValueError),
        ({"start": np.array([1, 2, 3, 4])}, ValueError),
        ({"start": np.array([0, 1, 2, 5])}, ValueError),
        ({"start": np.array([0, 5, 3, 4])}, ValueError),
        ({"start": np.array([0, 2, 2, 4])}, ValueError),
        ({"start": np.array([0, 3, 3, 4])}, ValueError),
        ({"start": np.array([0, 2, 3, 4], dtype=np.int32)}, TypeError),
        ({"start": None}, TypeError),
        ({"row": np.array([0, 1, 0, 2])}, ValueError),
        ({"row": np.array([0, -1, 0, 1])}, ValueError),
        ({"row": np.array([1, 1, 0, 1])}, ValueError),
        ({"row": np.array([0, 0, 1, 1, 0, 0, 1, 1])[::2]}, TypeError),
        ({"rows": -1}, ValueError),
        ({"rows": 1}, ValueError),
        ({"rows": 1 << 40}, ValueError),
        ({"observables": np.eye(2, dtype=bool)}, ValueError),
        ({"observables": np.eye(3, 256, dtype=bool)}, ValueError),
        ({"observables": np.eye(3, 2, dtype=np.uint8)}, TypeError),
        ({"far": np.array([True, False, False])}, ValueError),
        ({"far": np.array([True, False])}, ValueError),
        ({"far": np.zeros(3)}, TypeError),
        ({"least": float("nan")}, ValueError),
    ],
)
def test_wrong_components_are_refused(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        made(native(), **changes)


ODDS, LIT = np.zeros((4, 3), dtype=np.float32), np.zeros((4, 2), dtype=bool)


@needs_native
@pytest.mark.parametrize(
    ("odds", "lit", "threads", "error"),
    [
        (ODDS[:, :1].copy(), LIT, 1, ValueError),
        (ODDS[:3], LIT, 1, ValueError),
        (ODDS, LIT[:, :1].copy(), 1, ValueError),
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
        made(native()).decode(odds, lit, gaps=True, threads=threads)


@needs_native
def test_as_many_shots_and_threads_as_you_like() -> None:
    solver, random = made(native()), np.random.default_rng(5)
    assert [each.shape for each in solver.decode(ODDS[:0], LIT[:0], gaps=True, threads=3)] == [(0, 2), (0,), (0,)]
    odds, lit = random.normal(size=(7, 3)).astype(np.float32), random.random((7, 2)) < 0.5
    once = solver.decode(odds, lit, gaps=True)
    for threads in (2, 3, 50):
        for found, expected in zip(solver.decode(odds, lit, gaps=True, threads=threads), once, strict=True):
            assert np.array_equal(found, expected)
    nothing = np.zeros(0, dtype=np.int64)
    empty = made(
        native(),
        start=np.zeros(1, dtype=np.int64),
        row=nothing,
        rows=0,
        observables=np.zeros((0, 2), dtype=bool),
        far=np.zeros(0, dtype=bool),
    )
    observables, gaps, decided = empty.decode(odds[:, :0].copy(), lit[:, :0].copy(), gaps=True)
    assert not observables.any()
    assert np.isposinf(gaps).all()
    assert decided.all()


@needs_native
@pytest.mark.parametrize("seed", range(20))
def test_anything_of_the_right_shape_is_decided(seed: int) -> None:
    """Components that lead anywhere, several with the same ends, and log-odds and events of any kind."""
    random = np.random.default_rng(seed)
    rows, count, shots = int(random.integers(1, 60)), int(random.integers(0, 200)), 10
    paired = (random.random(count) < 0.7) & (rows > 1)
    start = np.concatenate([[0], np.cumsum(1 + paired)])
    row = random.integers(rows, size=start[-1])
    second = start[:-1][paired] + 1
    row[second] = (row[second - 1] + random.integers(1, max(rows, 2), size=len(second))) % rows
    solver = made(
        native(),
        start=start,
        row=row,
        rows=rows,
        observables=random.random((count, 5)) < 0.2,
        far=(random.random(count) < 0.5) & ~paired,
    )
    odds = random.normal(0, 10.0 ** random.integers(-3, 5), size=(shots, count)).astype(np.float32)
    for odd in (np.nan, np.inf, -np.inf, 0.0, 3e38):
        odds[random.random(odds.shape) < 0.03] = odd
    for share in (0.0, 0.1, 0.5, 1.0):
        observables, gaps, _ = solver.decode(odds, random.random((shots, rows)) < share, gaps=True)
        assert observables.shape == (shots, 5)
        assert not np.isnan(gaps).any()
