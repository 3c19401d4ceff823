"""Several numbers of rounds, windows and noise models side by side: shots, labels, and the models that they make."""

import json

import numpy as np
import pytest
import torch

from cascade_qec import CascadeDecoder, load, zoo
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.lattice import site_index
from cascade_qec.model import load_model
from cascade_qec.nn import Questions, load_network, rebuilt, state_of
from cascade_qec.training import Trainer
from cascade_qec.training.data import TRAINING, Rows, sample, sample_experiments
from cascade_qec.training.experiments import Shown, relative_strength, seen, shown, window
from cascade_qec.training.feed import Examples
from cascade_qec.training.run_files import load_checkpoint

CPU = torch.device("cpu")
SETTLED = {"ramp_steps": 0, "hold_steps": 0}
ROUNDS = {"rounds": [1, 3, 4]}


def test_a_micro_batch_is_a_function_of_recipe_step_and_number(tiny):
    recipe = tiny(head="local", told=True, noise=SETTLED, mixture=ROUNDS | {"cut": [2], "noise": ["uniform", "si1000"]})
    first, again, other = (sample(recipe, TRAINING, step, 0, 8) for step in (5, 5, 6))
    np.testing.assert_array_equal(first.bits, again.bits)
    np.testing.assert_array_equal(first.noise, again.noise)
    assert not np.array_equal(first.bits, other.bits)
    assert recipe.shots_per_step == 8 * 2 * 4


@pytest.mark.parametrize("head", ["logical", "local"])
def test_a_mixture_of_the_own_rounds_is_none(head, tiny):
    plain, mixed = (tiny(head=head, noise=SETTLED, mixture=mixture) for mixture in ({}, {"rounds": [3]}))
    rows = [sample(recipe, TRAINING, 0, 0, 50) for recipe in (plain, mixed)]
    np.testing.assert_array_equal(rows[0].bits, rows[1].bits)
    torch.manual_seed(0)
    trainer_network = Trainer(plain, zoo.path("surface_d3").parent / "none", workers=0).network
    logits = []
    for recipe, packed in zip((plain, mixed), rows, strict=True):
        examples = Examples(recipe, CPU)
        states, _ = examples(packed)
        logits.append(trainer_network(states, examples.geometry))
    assert torch.equal(*logits)


def parts(recipe, rows: Rows):
    """Events and components of each experiment that a row has, bool [shots, ...]."""
    packed, found, made = np.asarray(rows.bits), [], recipe.description()
    for one in shown(made, recipe.mixture.cut):
        lattice, components = seen(made, one)
        bits = []
        for width in (lattice.detectors, len(components)):
            own, packed = np.split(packed, [-(-width // 8)], axis=1)
            bits.append(np.unpackbits(own, axis=1, count=width, bitorder="little").astype(bool))
        found.append((one, lattice, components, *bits))
    assert packed.shape[1] == 0
    return found


@pytest.mark.parametrize("noise", [SETTLED, SETTLED | {"spread": 3.0, "scatter": 2.0}])
@pytest.mark.parametrize(("code", "convolution"), [("surface_d3", "direct"), ("bb72", "bipartite")])
def test_components_explain_the_events_of_every_experiment(code, convolution, noise, tiny):
    """Of windows those that no component beyond the cuts flips: all but the first and last slice's."""
    recipe = tiny(
        code=code,
        network={"convolution": convolution},
        head="local",
        noise=noise,
        mixture={"rounds": [1, 3, 4], "cut": [3], "noise": ["uniform", "si1000"]},
    )
    for one, lattice, components, events, flips in parts(recipe, sample(recipe, TRAINING, 0, 0, 100)):
        explained, _ = components.symptoms(flips, lattice.detectors)
        own = np.isin(lattice.detector_sites, lattice.check_sites(one.basis))
        if one.cut:
            own &= ~np.isin(lattice.detector_sites, lattice.check_sites(one.basis)[[0, -1]])
        assert events[:, own].any()
        np.testing.assert_array_equal(explained[:, own], events[:, own])


@pytest.mark.parametrize("basis", ["Z", "X"])
@pytest.mark.parametrize(("code", "convolution"), [("surface_d3", "direct"), ("bb72", "bipartite")])
def test_a_window_shows_what_is_between_two_cuts_as_it_is(basis, code, convolution, tiny):
    """Its components have the types and the places in space and time that they have in the whole experiment."""
    made = tiny(code=code, network={"convolution": convolution}, head="local").description()
    (lattice, components), (whole, all_components) = (seen(made, Shown(*key)) for key in ((2, basis, True), (6, basis)))
    assert components is not None
    assert all_components is not None

    def where(lattice):
        """Slice, counted in real time from the beginning, and place of each site: int64 [sites, 2]."""
        index = site_index(lattice.frame.plane_sizes, lattice.slices)
        index = index[::-1] if lattice.frame.reverse_time else index
        at = np.empty((lattice.sites, 2), dtype=np.int64)
        at[index] = np.moveaxis(np.indices(index.shape), 0, -1)
        return at

    def placed(lattice, components):
        return set(zip(map(tuple, where(lattice)[components.owner].tolist()), components.type.tolist(), strict=True))

    found, expected = placed(lattice, components), placed(whole, all_components)
    assert found == {((time - 2, place), type) for (time, place), type in expected if 2 <= time <= 4}
    sites = window(made, Shown(2, basis, cut=True)).site
    np.testing.assert_array_equal(where(whole)[sites] - (2, 0), where(lattice))
    assert (lattice.start, lattice.end) == ("cut", "cut")
    assert lattice.detectors == 3 * (len(lattice.code.hx) + len(lattice.code.hz))


def test_labels_of_operators_are_those_of_each_experiment_by_itself(tiny):
    recipe = tiny(noise=SETTLED, mixture=ROUNDS)
    rows = np.asarray(sample(recipe, TRAINING, 0, 0, 30).bits)
    states, labels = Examples(recipe, CPU)(Rows(rows))
    found = []
    for rounds in recipe.mixture.rounds:
        alone = Examples(tiny(rounds=rounds), CPU)
        width = sum(-(-lattice.detectors // 8) + 1 for lattice in alone.lattices)
        own, rows = np.split(rows, [width], axis=1)
        found.append(alone(Rows(own)))
    assert torch.equal(states, torch.cat([own for own, _ in found]))
    assert torch.equal(labels, torch.cat([own for _, own in found], dim=1))


def test_noise_models_have_as_many_events(tiny):
    """Within 5 %: 2000 shots of 24 detectors that fire in some 3 % of them, so 2.6 % is a sigma; and to first order."""
    own, mixed = (
        tiny(noise=SETTLED | {"p": 0.003}, bases=["Z"], mixture=mixture)
        for mixture in ({}, {"noise": ["uniform", "si1000"]})
    )
    strength = relative_strength("surface_d3", 3, "Z", "uniform", "si1000")
    assert 0.4 < strength < 0.5
    rate = [
        np.mean([(Examples(r, CPU)(sample(r, TRAINING, step, 0, 1000))[0] == 1).float().mean() for step in range(20)])
        for r in (own, mixed)
    ]
    assert rate[1] == pytest.approx(rate[0], rel=0.05)


def test_noise_of_other_components_is_refused(tiny):
    with pytest.raises(CascadeError, match="whose errors flip the same detectors, got uniform and data for surface_d3"):
        Examples(tiny(head="local", mixture={"noise": ["uniform", "data"]}), CPU)


@pytest.mark.parametrize("head", ["logical", "local"])
def test_a_resumed_run_is_the_same_run(head, tiny, tmp_path):
    cut = {"cut": [2]} if head == "local" else {}
    recipe = tiny(head=head, optimizer={"steps": 4}, validation={"every": 2}, mixture=ROUNDS | cut)
    assert Trainer(recipe, tmp_path / "whole", workers=0).run()
    stopped = Trainer(recipe, tmp_path / "parts", workers=0)
    stopped._stop_asked = True
    assert not stopped.run()
    assert Trainer(recipe, tmp_path / "parts", resume=True, workers=0).run()
    one, other = (load_checkpoint(tmp_path / name / "checkpoint.pt") for name in ("whole", "parts"))
    for part in ("network", "average"):
        for name, tensor in one[part].items():
            assert torch.equal(tensor, other[part][name]), name


def test_a_told_model_goes_on_from_its_own_rounds_alone(tiny, tmp_path):
    local = {"head": "local", "told": True, "optimizer": {"steps": 2}}
    Trainer(tiny(**local), tmp_path / "own", workers=0).run()
    start = tmp_path / "own" / "tiny.safetensors"
    trainer = Trainer(tiny(**local, mixture=ROUNDS), tmp_path / "mixed", start_from=start)
    for name, weights in load_model(start)[0].items():
        np.testing.assert_array_equal(trainer.network.state_dict()[name].numpy(), weights)


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    out = tmp_path_factory.mktemp("mixed")
    recipe = tiny(
        mixture={"rounds": [2, 3, 5]},
        optimizer={"steps": 10},
        validation={"p": [0.01], "shots": 200, "every": 10},
        batch={"shots": 16},
    )
    assert Trainer(recipe, out, workers=0).run()
    return out / "tiny.safetensors"


def test_it_says_on_what_it_was_trained_and_is_calibrated_on_all_of_it(trained):
    _, made = load_model(trained)
    assert (made.rounds, made.mixed_rounds) == (3, [2, 3, 5])
    assert [made.measured_at(rounds) for rounds in (1, 2, 4, 5, 6)] == [False, True, True, True, False]
    assert made.calibration is not None
    # half of 208 shots, thirteen batches, of each basis and number of rounds
    assert made.calibration.shots == 104


def test_it_is_validated_between_what_it_was_trained_on(trained):
    (row,) = [
        row
        for row in map(json.loads, (trained.parent / "metrics.jsonl").read_text().splitlines())
        if "by_rounds" in row
    ]
    assert list(row["by_rounds"]["0.01"]) == ["2", "3", "4", "5"]
    assert row["guards"]["rounds"]["shots"] == 416


@pytest.mark.filterwarnings("error")
def test_it_decodes_in_between_and_tells_how_sure_it_is(trained):
    decoder = load(trained)
    for rounds in (2, 4, 5):
        bound = decoder.bind(decoder.experiment(0.005, rounds=rounds))
        assert bound.tells_confidence


def test_others_are_refused_unless_asked_for(trained):
    decoder = load(trained)
    circuit = decoder.experiment(0.005, rounds=6)
    with pytest.raises(CascadeError, match="was measured at 2 to 5 rounds, got an experiment of 6"):
        decoder.bind(circuit)
    with pytest.warns(CascadeWarning, match="is made for 2 to 5 rounds and is bound to an experiment with 6"):
        bound = load(trained, circuit=circuit, allow_unmeasured=True)
    assert not bound.tells_confidence


@pytest.mark.parametrize("segment_rounds", [None, 2])
@pytest.mark.parametrize("runtime", ["numpy", "native", "torch"])
def test_every_runtime_sums_over_time_as_training_did(runtime, segment_rounds, trained):
    """The network's own answers on five rounds, side by side with the others."""
    given, made = load_network(trained)
    reading = made.network.model_copy(update={"segment_rounds": segment_rounds})
    made = made.model_copy(update={"bases": ["Z"], "network": reading})
    network = rebuilt(made, state_of(given))
    examples, rows = Examples(made, CPU), sample_experiments(made, lambda _: 0.01, 200, (1, 2, 3))
    states, labels = examples(rows)
    assert isinstance(examples.questions, Questions)
    expected = examples.questions.log_odds(network(states, examples.geometry) * (1 - 2 * labels))[-1]
    decoder = CascadeDecoder(state_of(given), made, runtime=runtime, precision="float32")
    bound = decoder.bind(rounds=5, basis="Z")
    events = np.asarray(rows.bits)[:, -1 - -(-bound.num_detectors // 8) : -1]
    (part,) = bound._binding.parts
    np.testing.assert_allclose(part.decide(events).log_odds, expected, atol=1e-3, rtol=1e-3)
