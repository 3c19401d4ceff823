"""Validations of a good network, and of what was spoilt in it: the guards say which."""

import pytest
import torch

from cascade_qec import zoo
from cascade_qec.nn import load_network
from cascade_qec.training.validation import Validator, measure_statistics

P = [0.001, 0.002, 0.006]


@pytest.fixture
def model():
    network, description = load_network(zoo.path("surface_d3"))
    return network, description.model_copy(update={"mixed_rounds": None})  # other rounds take longer and tell no more


@pytest.fixture
def network(model):
    return model[0]


@pytest.fixture
def validator(model):
    return Validator(model[1], device=torch.device("cpu"), dtype=torch.float32, batch=250, seed=0)


def seen(network, validator):
    return validator(network, P, 1000)


def broken(found):
    return [verdict.guard for verdict in found.guards.broken]


def test_a_good_network_keeps_all_guards_and_is_left_as_it_was(network, validator):
    found = seen(network, validator)
    assert broken(found) == []
    assert [verdict.guard for verdict in found.guards.verdicts] == ["heads", "floor", "bases", "silence", "confidence"]
    assert not network.training
    assert (found.guards.p, found.shots) == (0.006, 1000)
    for p, counts in found.pooled.items():
        assert counts == (sum(found.failures[p].values()), 2000)
    for basis, head in found.guards.heads.items():
        assert head.operator.startswith(basis)
        assert 0.05 < head.loss < 0.3 * head.guess


def test_a_dead_head(network, validator):
    """It says how often the operators flip, which has less than half the loss of a coin."""
    network.head.output.zero_()
    network.head.output_bias.fill_(-1.7)
    found = seen(network, validator)
    assert "heads" in broken(found)
    assert all(0.9 * head.guess < head.loss < 0.7 * 0.693 for head in found.guards.heads.values())


def test_statistics_of_other_noise(network, validator, tiny):
    recipe = tiny(batch={"shots": 250})
    for name, buffer in network.named_buffers():
        if name.endswith("variance"):
            buffer.mul_(4)
    assert "heads" in broken(seen(network, validator))
    measure_statistics(network, validator.examples, recipe, recipe.noise.ramp_end, torch.float32)
    assert broken(seen(network, validator)) == []


def test_flips_on_silence(network, validator):
    network.head.output_bias.add_(30)
    found = seen(network, validator)
    assert found.guards.flips_on_silence == ["Z", "X"]
    assert "silence" in broken(found)


def test_a_bad_basis(network, validator):
    geometry = validator.examples.geometry
    sites = len(geometry.embedding_offset) // 2
    geometry.embedding_offset[sites:] = geometry.embedding_offset[sites:].roll(1)
    found = seen(network, validator)
    assert "bases" in broken(found)
    bases = found.guards.bases
    assert bases is not None
    assert bases.failures["X"] > 2 * bases.failures["Z"]
    assert found.guards.heads["Z"].loss < 0.3 * found.guards.heads["Z"].guess
