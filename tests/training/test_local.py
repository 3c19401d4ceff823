"""A local head learns the components of the noise, and decides by them."""

import json

import numpy as np
import pytest
import torch

from cascade_qec.nn import Faults, LocalHead, load_network
from cascade_qec.training import Trainer
from cascade_qec.training.data import TRAINING, sample
from cascade_qec.training.feed import Examples


def test_labels_explain_the_events(tiny):
    recipe = tiny(head="local")
    examples = Examples(recipe, torch.device("cpu"))
    assert isinstance(examples.questions, Faults)
    states, labels = examples(sample(recipe, TRAINING, 50, 0, 200))
    oracle = 20 * torch.ones_like(labels)  # log-odds for the truth
    assert not examples.questions.wrong(-oracle, labels).any()
    # shots in which anything happens are as many as states say
    lattice = examples.lattices[0]
    own = torch.from_numpy(lattice.check_sites(lattice.basis).ravel())
    assert torch.equal((states[own] == 1).any(dim=0), labels[:, : labels.shape[1] // 2].any(dim=1))


@pytest.mark.slow
def test_what_is_learnt_is_more_than_how_likely_faults_are(tiny, tmp_path):
    recipe = tiny(
        head="local",
        network={"width": 16, "depth": 2},
        optimizer={"steps": 120, "muon_lr": 0.01, "lion_lr": 0.002, "warmup_steps": 10},
        batch={"shots": 32},
        validation={"p": [0.01], "shots": 300, "every": 120},
    )
    assert Trainer(recipe, tmp_path, workers=0).run()
    row = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    for head in row["guards"]["heads"].values():
        assert head["loss"] < 0.85 * head["guess"]
    # 600 shots at 1 %, where matching fails in 8 %: fewer than 90 failures but with a probability below 1e-6
    assert row["block_error"]["0.01"] < 0.15
    network, description = load_network(tmp_path / "tiny.safetensors")
    assert isinstance(network.head, LocalHead)
    assert description.components is not None
    assert len(description.components) == len(network.head.output_bias) == 7


def test_a_logical_head_begins_on_a_trunk_that_has_learnt_local_labels(tiny, tmp_path):
    """Of a model that is told the noise and has learnt several numbers of rounds, too, as local_surface is."""
    local = tiny(head="local", told=True, mixture={"rounds": [1, 3]}, optimizer={"steps": 2})
    Trainer(local, tmp_path / "local", workers=0).run()
    start = tmp_path / "local" / "tiny.safetensors"
    trainer = Trainer(tiny(optimizer={"steps": 2}), tmp_path / "logical", start_from=start, workers=0)
    trained, _ = load_network(start)
    learnt = {name: weights for name, weights in trained.trunk.state_dict().items() if name != "told"}
    begun = trainer.network.trunk.state_dict()
    assert begun.keys() == learnt.keys()
    assert all(torch.equal(begun[name], weights) for name, weights in learnt.items())
    assert trainer.run()
    assert load_network(tmp_path / "logical" / "tiny.safetensors")[1].head == "logical"


def test_a_trunk_goes_on_under_another_head(tiny, tmp_path):
    logical = tiny(optimizer={"steps": 2})
    Trainer(logical, tmp_path / "logical", workers=0).run()
    start = tmp_path / "logical" / "tiny.safetensors"
    trainer = Trainer(tiny(head="local"), tmp_path / "local", start_from=start)
    trained, _ = load_network(start)
    for name, weights in trained.trunk.state_dict().items():
        assert torch.equal(trainer.network.trunk.state_dict()[name], weights)
    # and the head begins with how likely faults are
    questions = trainer.examples.questions
    assert isinstance(questions, Faults)
    assert isinstance(trainer.network.head, LocalHead)
    np.testing.assert_allclose(torch.sigmoid(trainer.network.head.output_bias.detach()), questions.priors, rtol=1e-4)
