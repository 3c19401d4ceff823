"""Rates are learnt from detection events, and shots that do not fit a model are told."""

# Stim's instructions and loops share a type.
# pyright: reportAttributeAccessIssue=false

import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.error_models import error_model
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.estimation import Pairs, Sources, estimate

# errors of one to five detectors, some of them within others
SYMPTOMS = [
    "D0",
    "D0 D1",
    "D1 D2 D3",
    "D2 D3 D4 L0",
    "D0 D1 D2 D3",
    "D1 D3 D4 D5 D6",
    "D4 D5 D6",
    "D5 L1",
    "D6 ^ D0 D5",
]


def events(model: stim.DetectorErrorModel, shots: int, seed: int) -> np.ndarray:
    return model.compile_sampler(seed=seed).sample(shots, bit_packed=True)[0]


def dem(rates: list[float], symptoms: list[str] = SYMPTOMS) -> stim.DetectorErrorModel:
    return stim.DetectorErrorModel("\n".join(f"error({p}) {s}" for p, s in zip(rates, symptoms, strict=True)))


def rate(model: stim.Circuit | stim.DetectorErrorModel) -> dict[str, float]:
    """Rate of each source."""
    sources = Sources.of(model)
    return dict(zip(sources.names, np.bincount(sources.source, sources.rate).tolist(), strict=True))


def test_errors_of_any_size_are_learnt_one_by_one():
    truth = dem([0.01, 0.02, 0.004, 0.01, 0.006, 0.008, 0.003, 0.02, 0.005])
    prior = dem([0.01] * len(SYMPTOMS))
    shots = events(truth, 200_000, seed=1)
    found = estimate(prior, np.array_split(shots, 3))
    # each within 4.5 of its standard deviations: fails in one of 16,000 seeds
    off = np.log(found.factor * Sources.of(prior).rate / Sources.of(truth).rate)
    assert np.all(np.abs(off) < 4.5 * found.spread)
    assert found.spread.max() < 0.05
    assert found.objection is None
    learnt = found.model
    assert [line.targets_copy() for line in learnt] == [line.targets_copy() for line in prior]
    assert estimate(prior, [shots]).factor.tolist() == found.factor.tolist()


def test_channels_of_a_circuit_are_learnt_wherever_they_come():
    plain = circuits.memory(codes.get("surface_d3"), rounds=4, noise=circuits.SI1000(0.002))
    truth = circuits.scattered(plain, 2, seed=1)
    found = estimate(plain, [truth.compile_detector_sampler(seed=2).sample(100_000, bit_packed=True)])
    assert found.objection is None
    off = np.log(found.factor) - np.log(list(rate(truth).values())) + np.log(list(rate(plain).values()))
    # of some hundred, correlated; six standard deviations are seen in no seed
    assert np.all(np.abs(off) < 6 * found.spread)
    assert np.sqrt(np.mean((off / found.spread) ** 2)) < 1.3
    # what the events see is learnt better than what they do not tell apart: rates of errors rather than of channels
    assert distance(found.model, truth) < 0.15 * distance(plain, truth)


def distance(model: stim.Circuit, truth: stim.Circuit) -> float:
    """Relative entropy of a shot's errors, about."""
    p, q = (Sources.of(error_model(one)).rate for one in (truth, model))
    return float((p * np.log(p / q) - p + q).sum() / 2)


def test_all_rates_may_be_off_together():
    found = estimate(dem([0.002] * len(SYMPTOMS)), [events(dem([0.01] * len(SYMPTOMS)), 50_000, seed=4)], within=1.1)
    assert np.all(np.abs(found.factor / 5 - 1) < 0.2)


def test_what_shots_do_not_tell_stays():
    """Two errors that look alike are told apart by the model alone."""
    model = stim.DetectorErrorModel("error(0.03) D0\nerror(0.01) D0 L0\nerror(0) D0 D1\ndetector(1, 2) D1")
    found = estimate(model, [events(stim.DetectorErrorModel("error(0.04) D0\ndetector D1"), 100_000, seed=5)])
    one, other, never, _ = found.model
    assert one.args_copy()[0] / other.args_copy()[0] == pytest.approx(3, rel=0.2)
    assert never.args_copy() == [0]
    assert found.spread.min() > 0.2


def test_detectors_that_say_the_same_do_no_harm():
    model = stim.DetectorErrorModel("error(0.01) D0 D1\nerror(0.02) D0 D1 D2")
    found = estimate(model, [events(model, 50_000, seed=6)])
    assert np.all(np.abs(np.log(found.factor)) < 4.5 * found.spread)


@pytest.mark.parametrize(
    ("symptom", "message"),
    [("D0 D6", r"events of 1 pairs of detectors come together .* D0 and D6"), ("D0 D2 D3", "chi squared")],
)
def test_errors_that_the_model_lacks_are_told(symptom, message):
    rates = [0.01] * (len(SYMPTOMS) - 1)
    prior = dem(rates, SYMPTOMS[:-1])
    truth = dem([*rates, 0.01], [*SYMPTOMS[:-1], symptom])
    with pytest.warns(CascadeWarning, match=message):
        estimate(prior, [events(truth, 50_000, seed=7)])


def test_pairs_are_exact_where_errors_flip_two_detectors():
    p, n = [0.02, 0.05, 0.01, 0.03], 400_000
    chain = dem(p, ["D0", "D0 D1", "D1 D2", "D2"])
    pairs = Pairs(3)
    for batch in np.array_split(events(chain, n, seed=8), 3):
        pairs.see(batch)
    found = pairs.rates()
    wanted = np.array([[0.02, 0.05, 0], [0.05, 0, 0.01], [0, 0.01, 0.03]])
    # nine figures within five standard deviations, which are below those of the events' counts
    assert np.all(np.abs(found - wanted) < 5 * np.sqrt(0.08 / n))


CHANNELS = stim.Circuit("""
    R 0 1 2 3
    X_ERROR(0.02) 0 1
    DEPOLARIZE1(0.03) 0 1
    REPEAT 2 {
        DEPOLARIZE2(0.05) 0 1 2 3
        PAULI_CHANNEL_1(0.01, 0.02, 0.03) 2
        TICK
    }
    E(0.04) X0 Z1 X2
    MPP(0.05) Z0*Z3
    M(0.06) 0 !1 2
    DETECTOR rec[-1]
    DETECTOR rec[-2]
    DETECTOR rec[-3]
    DETECTOR rec[-4]
""")


def test_a_circuit_with_other_strengths_has_the_rates_that_were_asked_for():
    sources = Sources.of(CHANNELS)
    assert "DEPOLARIZE2 0 1" in sources.names
    assert "M !1" in sources.names
    assert "MPP Z0 Z3" in sources.names
    assert "E X0 Z1 X2" in sources.names
    factor = np.linspace(0.5, 2, len(sources.names))
    found = Sources.of(sources.scaled(factor))
    assert found.names == sources.names
    wanted, exact = (
        sources.rate * factor[sources.source],
        np.array(sources.names)[sources.source] != "PAULI_CHANNEL_1 2",
    )
    np.testing.assert_allclose(found.rate[exact], wanted[exact], rtol=1e-6)
    # Stim adds the probabilities of its Paulis that look alike, which exclude each other
    np.testing.assert_allclose(found.rate[~exact], wanted[~exact], rtol=0.01)
    assert sources.scaled(np.ones(len(factor))).without_noise() == CHANNELS.without_noise()


@pytest.mark.parametrize(
    ("model", "shots", "message"),
    [
        (
            "error(0.5) D0",
            np.zeros((5, 1), np.uint8),
            "expected errors less likely than not, got one of probability 0.5",
        ),
        ("error(0.1) L0", np.zeros((5, 1), np.uint8), "got 0 detectors and 1 errors"),
        ("detector D0", np.zeros((5, 1), np.uint8), "got 1 detectors and 0 errors"),
        ("error(0.1) D0 D8", np.zeros((5, 1), np.uint8), r"uint8 \[shots, 2\], got uint8 \[5, 1\]"),
        ("error(0.1) D0", np.zeros((5, 1), np.bool_), r"uint8 \[shots, 1\], got bool \[5, 1\]"),
        ("error(0.1) D0", np.zeros((0, 1), np.uint8), "expected shots, got none"),
        ("error(0.49) D0\nerror(0.49) D0", np.ones((5, 1), np.uint8), "fewer events than not"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(model, shots, message):
    with pytest.raises(CascadeError, match=message):
        estimate(stim.DetectorErrorModel(model), [shots])


def test_a_factor_of_one_is_none():
    with pytest.raises(CascadeError, match="expected a factor above 1"):
        estimate(dem([0.01] * len(SYMPTOMS)), [], within=1)


@pytest.mark.parametrize(
    ("shots", "density", "message"),
    [
        (2000, 0.5, "most of whose detectors have fewer events than not, got . of 24"),
        (200, 0.46, "events so frequent that no rates of its errors explain them"),
    ],
)
def test_bytes_that_are_no_shots_are_refused(shots, density, message):
    circuit = circuits.memory(codes.get("surface_d3"), rounds=3, noise=circuits.UniformDepolarizing(0.004))
    chance = np.random.default_rng(1).random((shots, circuit.num_detectors)) < density
    with pytest.raises(CascadeError, match=message):
        estimate(circuit, [np.packbits(chance, axis=1, bitorder="little")])
