"""Shots of a run: what they depend on, their statistics, their layout, and the processes that make them."""

# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

import multiprocessing
import os
from math import prod

import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.lattice import memory_lattice
from cascade_qec.training import Recipe, data
from cascade_qec.training.data import (
    STATISTICS,
    TRAINING,
    VALIDATION,
    Producers,
    Rows,
    default_workers,
    sample,
    sample_experiments,
)


def bits(recipe: Recipe, rows: Rows) -> list[np.ndarray]:
    """Detection events and observables of each basis in turn, bool [shots, ...]."""
    packed, found = np.asarray(rows.bits), []
    for basis in recipe.bases:
        lattice = memory_lattice(codes.get(recipe.code), recipe.rounds, basis)
        for width in (lattice.detectors, lattice.code.k):
            own, packed = np.split(packed, [-(-width // 8)], axis=1)
            found.append(np.unpackbits(own, axis=1, count=width, bitorder="little").astype(bool))
    assert packed.shape[1] == 0
    return found


def test_a_micro_batch_depends_on_recipe_purpose_step_and_number_alone(tiny):
    recipe = tiny(noise={"hold_steps": 0, "ramp_steps": 0})
    key = (TRAINING, 5, 1)

    def stream(recipe: Recipe, purpose: int, step: int, micro: int) -> bytes:
        return np.asarray(sample(recipe, purpose, step, micro, 64).bits).tobytes()

    assert stream(recipe, *key) == stream(recipe, *key)
    others = [(TRAINING, 5, 0), (TRAINING, 6, 1), (TRAINING, 1, 5), (STATISTICS, 5, 1), (VALIDATION, 5, 1)]
    streams = [stream(recipe, *other) for other in [key, *others]]
    streams.append(stream(tiny(seed=8, noise={"hold_steps": 0, "ramp_steps": 0}), *key))
    assert len(set(streams)) == len(streams)


def test_the_bases_have_shots_of_their_own(tiny):
    z_events, z_flips, x_events, x_flips = bits(tiny(), sample(tiny(), TRAINING, 20, 0, 256))
    assert z_events.shape == x_events.shape
    assert not np.array_equal(z_events, x_events)
    assert not np.array_equal(z_flips, x_flips)


def mean_flips(circuit: stim.Circuit) -> tuple[np.ndarray, np.ndarray]:
    """Probability of each detector to fire, and of each observable to flip, from the error model."""
    model = circuit.detector_error_model(flatten_loops=True)
    unflipped = [np.ones(model.num_detectors), np.ones(model.num_observables)]
    for instruction in model:
        if instruction.type == "error":
            for target in instruction.targets_copy():
                kind = unflipped[target.is_logical_observable_id()]
                kind[target.val] *= 1 - 2 * instruction.args_copy()[0]
    return (1 - unflipped[0]) / 2, (1 - unflipped[1]) / 2


@pytest.mark.parametrize(("step", "p"), [(0, 0.002), (100, 0.006)])
def test_statistics_are_those_of_the_noise_of_the_step(step, p, tiny):
    shots = 20_000
    recipe = tiny()
    z_events, z_flips, x_events, x_flips = bits(recipe, sample(recipe, TRAINING, step, 0, shots))
    for basis, events, flips in (("Z", z_events, z_flips), ("X", x_events, x_flips)):
        rate = p if p == recipe.noise.p else data._on_grid(p, recipe.noise.p)
        assert rate == pytest.approx(p, rel=0.0101)
        noise = circuits.UniformDepolarizing(rate)
        circuit = circuits.memory(codes.get(recipe.code), rounds=recipe.rounds, basis=basis, noise=noise)
        for found, expected in zip((events, flips), mean_flips(circuit), strict=True):
            sigma = np.sqrt(expected * (1 - expected) / shots)
            assert np.all(np.abs(found.mean(axis=0) - expected) < 5 * sigma)


def test_a_given_rate_overrides_the_curriculum(tiny):
    def events(p):
        made = tiny()
        rows = sample_experiments(made.description(), lambda _: p, 2000, (made.seed, VALIDATION, 0, 0))
        return bits(made, rows)[0].mean()

    low, high = events(0.001), events(0.01)
    assert 5 * low < high


def test_log_uniform_rates_differ_from_batch_to_batch_and_basis_to_basis(tiny, monkeypatch):
    rates = []
    monkeypatch.setattr(data, "circuit", lambda *key: rates.append(key[-1]) or stim.Circuit())
    recipe = tiny(noise={"log_uniform_from": 0.001})
    for micro in range(200):
        sample(recipe, TRAINING, 1000, micro, 1)
    assert min(rates) >= 0.001 * 0.99
    assert max(rates) <= 0.006 * 1.01
    assert len(set(rates)) > 50
    assert any(z != x for z, x in zip(rates[::2], rates[1::2], strict=True))
    # half of the draws lie below the geometric mean
    assert 0.4 < np.mean(np.array(rates) < (0.001 * 0.006) ** 0.5) < 0.6


def batches(*arguments) -> list[Rows]:
    with Producers(*arguments) as producers:
        return list(producers)


@pytest.mark.slow
def test_background_processes_give_the_same_batches_in_the_same_order(tiny):
    recipe = tiny(batch={"micro_batches": 4})
    steps, micros = range(2, 5), range(1, 4, 2)
    expected = batches(recipe, steps, micros, 0)
    found = batches(recipe, steps, micros, 2)
    assert len(expected) == len(found) == prod((len(steps), len(micros)))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one.bits, other.bits)


def test_no_steps_no_processes(tiny):
    assert batches(tiny(), range(30, 30), range(1), 2) == []


def test_a_dead_producer_is_told(tiny):
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=os._exit, args=(9,))
    process.start()
    writer.close()
    producers = Producers(tiny(), range(1), range(1), 1)
    producers._processes.append((process, reader))
    with pytest.raises(ChildProcessError, match="a background process that samples shots has ended, exit status 9"):
        next(iter(producers))
    reader.close()


@pytest.mark.parametrize(
    ("cores", "processes", "workers"), [(4, 1, 3), (16, 1, 8), (16, 2, 7), (192, 8, 8), (1, 1, 1), (4, 8, 1)]
)
def test_producers_beside_a_gpu_have_all_cores_but_one_up_to_a_bound(cores, processes, workers, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)))
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(processes))
    assert default_workers("cuda:1") == workers
    assert default_workers("cpu") == 1
