"""Noise that differs from batch to batch, and what a model makes of it that is told."""

import numpy as np
import pytest
import torch

from cascade_qec import circuits, codes, load
from cascade_qec.error_models import error_model
from cascade_qec.lattice import memory_lattice
from cascade_qec.training import Trainer
from cascade_qec.training.data import TRAINING, sample
from cascade_qec.training.random_noise import RandomNoise

NOISE = {"spread": 3.0, "scatter": 2.0, "ramp_steps": 0, "hold_steps": 0}


@pytest.fixture(scope="module")
def random():
    circuit = circuits.memory(codes.get("surface_d3"), rounds=4, basis="Z", noise=circuits.UniformDepolarizing(0.004))
    return RandomNoise(error_model(circuit), memory_lattice(codes.get("surface_d3"), 4, "Z"))


def test_a_random_model_has_as_much_noise_in_the_same_mechanisms(random):
    nominal = random.mechanisms
    drawn = random.draw(np.random.default_rng(1), 3, 2)
    assert drawn.sum() == pytest.approx(nominal.probability.sum())
    ratio = drawn / nominal.probability
    assert ratio.max() / ratio.min() <= 3**2 * 2**2
    assert ratio.std() > 0.3


def test_shots_have_these_probabilities_and_their_events(random):
    """Of 200 mechanisms none is 5 sigma away; by chance one would be in 1e-4 of the cases."""
    nominal, shots = random.mechanisms, 20_000
    drawn = random.draw(np.random.default_rng(1), 3, 2)
    errors, events = nominal.sample(drawn, shots, np.random.default_rng(2))
    assert (np.abs(errors.mean(axis=0) - drawn) < 5 * np.sqrt(drawn / shots) + 1 / shots).all()
    flips = np.zeros((len(drawn), nominal.detectors), dtype=np.int64)
    flips[nominal.owner, nominal.detector] = 1
    np.testing.assert_array_equal(events, errors.astype(np.int64) @ flips % 2 > 0)


def test_without_factors_nothing_changes(random):
    drawn = random.draw(np.random.default_rng(1), 1, 1)
    np.testing.assert_allclose(drawn, random.mechanisms.probability)


def test_errors_that_look_alike_share_the_factor_of_their_sort(random):
    ratio = random.draw(np.random.default_rng(2), 3, 1) / random.mechanisms.probability
    own = random.priors.of_mechanism
    for type in range(len(random.priors.types)):
        # seen by one basis alone: one sort
        alike = (own[1] < 0) & (own[0] >= 0) & (random.priors.type[own[0]] == type)
        if alike.any():
            assert np.ptp(ratio[alike]) < 1e-9


def test_every_batch_has_noise_of_its_own_and_tells_it(tiny):
    recipe = tiny(head="local", told=True, noise=NOISE)
    first, second = (sample(recipe, TRAINING, step, 0, 8) for step in (0, 1))
    lattices = [memory_lattice(codes.get(recipe.code), recipe.rounds, basis) for basis in recipe.bases]
    told = recipe.description().told
    assert told is not None
    assert first.noise is not None
    assert first.noise.shape == (sum(lattice.sites for lattice in lattices), 2 * len(told))
    assert not np.array_equal(first.noise, second.noise)
    np.testing.assert_array_equal(first.noise, sample(recipe, TRAINING, 0, 0, 8).noise)
    assert sample(tiny(head="local", noise=NOISE), TRAINING, 0, 0, 8).noise is None


def test_only_a_local_model_is_told(tiny):
    for values in ({"told": True}, {"noise": NOISE}):
        with pytest.raises(ValueError, match="expected head 'local' for a model that is told the noise"):
            tiny(**values)


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    out = tmp_path_factory.mktemp("told")
    recipe = tiny(
        head="local", told=True, noise=NOISE, batch={"shots": 16}, optimizer={"steps": 12, "muon_lr": 0.02}, rounds=4
    )
    assert Trainer(recipe, out, workers=0).run()
    return out / "tiny.safetensors"


def scattered(p=0.004, seed=1):
    noise = circuits.UniformDepolarizing(p)
    return circuits.scattered(circuits.memory(codes.get("surface_d3"), rounds=4, basis="X", noise=noise), 2, seed)


def test_every_runtime_is_told_the_same(trained):
    circuit = scattered()
    events = circuit.compile_detector_sampler(seed=2).sample(20)
    packed = np.packbits(events, axis=1, bitorder="little")
    found = {}
    for runtime in ("torch", "numpy", "native"):
        bound = load(trained, circuit=circuit, runtime=runtime, precision="float32")
        found[runtime] = bound.parts[0].log_odds(packed)  # pyright: ignore[reportAttributeAccessIssue]
    for runtime in ("numpy", "native"):
        np.testing.assert_allclose(found[runtime], found["torch"], atol=2e-3, rtol=1e-4)
    other = load(trained, circuit=scattered(seed=5), runtime="numpy")
    assert not np.allclose(other.parts[0].log_odds(packed), found["numpy"], atol=0.1)  # pyright: ignore[reportAttributeAccessIssue]


def test_who_has_learnt_nothing_says_what_was_known_before(tiny, tmp_path):
    """Weights that say nothing of events leave each component at the log-odds of its own prior, up to its type's."""
    trainer = Trainer(tiny(head="local", told=True, noise=NOISE), tmp_path, workers=0)
    rows = sample(trainer.recipe, TRAINING, 0, 0, 4)
    states, _, noise = trainer.examples(rows)
    with torch.no_grad():
        logits = trainer.network(states, trainer.examples.geometry, torch.float32, noise)
    owner, type = trainer.examples.geometry.owner, trainer.examples.geometry.type_of
    head = trainer.network.head.output_bias
    torch.testing.assert_close(logits, (head[type] + noise[owner, type]).expand(4, -1))


def test_a_run_starts_from_a_model_that_was_not_told(tiny, tmp_path):
    plain = tiny(head="local", optimizer={"steps": 2})
    Trainer(plain, tmp_path / "plain", workers=0).run()
    told = Trainer(tiny(head="local", told=True), tmp_path / "told", start_from=tmp_path / "plain" / "tiny.safetensors")
    assert not told.network.trunk.told.any()
    Trainer(tiny(head="local", told=True, optimizer={"steps": 2}), tmp_path / "two", workers=0).run()
    back = Trainer(plain, tmp_path / "back", start_from=tmp_path / "two" / "tiny.safetensors")
    assert "trunk.told" not in back.network.state_dict()
