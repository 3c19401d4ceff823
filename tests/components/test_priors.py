"""What a model that is told the noise is told of it."""

import numpy as np
import pytest

from cascade_qec import circuits, codes
from cascade_qec.components import UNKNOWN, Components, Priors
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.lattice import memory_lattice


def made(code, basis, rounds=4, p=0.005):
    circuit = circuits.memory(codes.get(code), rounds=rounds, basis=basis, noise=circuits.UniformDepolarizing(p))
    return Mechanisms.of(error_model(circuit)), memory_lattice(codes.get(code), rounds, basis)


@pytest.mark.parametrize("basis", ["Z", "X"])
@pytest.mark.parametrize("code", ["surface_d3", "bb72"])
def test_log_odds_are_the_components_own(code, basis):
    mechanisms, lattice = made(code, basis)
    own, priors = Components.of(mechanisms, lattice), Priors.of(mechanisms, lattice)
    log_odds, share = priors.told(mechanisms.probability)
    np.testing.assert_allclose(log_odds[: len(own)], np.log(own.prior / (1 - own.prior)))
    assert priors.types[: len(own.types)] == own.types
    # a Y error is seen by the checks of both bases, a flipped outcome by one
    assert share.min() >= 0
    assert share.max() <= 1
    mean = [mean for type, _, mean in priors.usual(mechanisms.probability) if len(type[1]) == 2]
    assert max(mean) > 2 * min(mean)
    # one component at a site of each type
    assert len(set(zip(priors.owner.tolist(), priors.type.tolist(), strict=True))) == len(priors.owner)


def test_errors_as_likely_as_not_have_no_odds():
    mechanisms, lattice = made("surface_d3", "Z")
    log_odds, share = Priors.of(mechanisms, lattice).told(np.full(len(mechanisms.probability), 0.5))
    assert not log_odds.any()
    assert np.isfinite(share).all()


def test_the_share_is_that_of_y_among_all_errors_of_a_data_qubit():
    code = codes.get("surface_d3")
    noise = circuits.DataDepolarizing(0.03)  # X, Y and Z are equally likely
    mechanisms = Mechanisms.of(error_model(circuits.memory(code, rounds=3, basis="Z", noise=noise)))
    priors = Priors.of(mechanisms, memory_lattice(code, 3, "Z"))
    inner = np.bincount(priors.of_mechanism[priors.of_mechanism >= 0])  # mechanisms of each component
    _, share = priors.told(mechanisms.probability)
    np.testing.assert_allclose(share[inner == 2], 0.5, rtol=1e-6)


def test_usual_noise_has_nothing_to_tell():
    mechanisms, lattice = made("surface_d5", "Z", rounds=6)
    priors = Priors.of(mechanisms, lattice)
    usual = priors.usual(mechanisms.probability)
    told = priors.at_sites(mechanisms.probability, usual)
    assert told.shape == (lattice.sites, 2 * len(priors.types))
    means = [column[column != 0].mean() for column in told.T if column.any()]
    np.testing.assert_allclose(means, 0, atol=1e-5)
    # twice as likely: log-odds one doubling higher wherever there is a component, and shares as they were
    twice = priors.at_sites(2 * mechanisms.probability, usual)
    there = np.zeros_like(told, dtype=bool)
    there[priors.owner, priors.type] = True
    np.testing.assert_allclose((twice - told)[there], np.log(2), atol=0.05)
    np.testing.assert_allclose((twice - told)[~there], 0, atol=1e-6)


def test_types_that_a_model_does_not_know_are_left_out():
    mechanisms, lattice = made("surface_d3", "Z")
    every = Priors.of(mechanisms, lattice)
    some = Priors.of(mechanisms, lattice, every.types[2:])
    assert (some.type == UNKNOWN).sum() == (every.type < 2).sum()
    usual = every.usual(mechanisms.probability)
    told = every.at_sites(3 * mechanisms.probability, usual)
    rest = some.at_sites(3 * mechanisms.probability, usual[2:])
    count = len(every.types)
    np.testing.assert_allclose(rest, np.delete(told, [0, 1, count, count + 1], axis=1))
