"""What the network is asked, and what it decides: learnt as the decoder takes it."""

import pytest
import torch
import torch.nn.functional as F

from cascade_qec import codes
from cascade_qec.engine import Decision
from cascade_qec.lattice import logical_operators, memory_lattices
from cascade_qec.nn import Questions
from cascade_qec.training.data import TRAINING, sample
from cascade_qec.training.feed import Examples


def test_the_true_class_has_the_probability_that_the_decoder_gives_it(tiny):
    recipe = tiny(code="bb72", rounds=2, network={"convolution": "bipartite"})
    shots, device = 16, torch.device("cpu")
    examples = Examples(recipe, device)
    questions = examples.questions
    assert isinstance(questions, Questions)
    states, labels = examples(sample(recipe, TRAINING, 0, 0, shots))
    # what leans towards the truth, so that most decisions are right: of those the decoder tells the probability
    against = 2 * torch.randn(labels.shape, generator=torch.Generator().manual_seed(1)) - 1.5
    evidence = against * (1 - 2 * labels) * (1 - 2 * questions.parities(states))
    parts, wrongs = evidence.split(questions.counts, dim=1), questions.wrong(against, labels)
    right = 0
    for lattice, part, score, wrong in zip(examples.lattices, parts, questions.scores(against), wrongs, strict=True):
        asked = logical_operators(lattice.code, lattice.basis, recipe.operators)
        confidence = torch.sigmoid(torch.from_numpy(Decision(asked.logicals)(part.numpy()).log_odds))
        probability = torch.exp(-score.logsumexp(dim=1))
        torch.testing.assert_close(probability[~wrong], confidence[~wrong], rtol=1e-3, atol=0)
        assert (probability[wrong] < confidence[wrong]).all()
        right += int((~wrong).sum())
    assert right > shots


@pytest.mark.parametrize("operators", ["observables", "translations"])
def test_one_observable_is_decided_by_the_mean(operators):
    questions = Questions(memory_lattices(codes.get("surface_d3"), 3, ["Z", "X"]), operators)
    against = torch.randn((5, sum(questions.counts)), generator=torch.Generator().manual_seed(2))
    for part, score in zip(against.split(questions.counts, dim=1), questions.scores(against), strict=True):
        torch.testing.assert_close(score, F.pad(part.mean(dim=1, keepdim=True), (1, 0)))
