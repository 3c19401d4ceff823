"""What the operators say together is learnt as the decoder takes it."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from cascade_qec import codes
from cascade_qec.decoders.logical_classes import LogicalClasses
from cascade_qec.lattice import logical_operators, memory_lattice
from cascade_qec.recognition import ObservableMap
from cascade_qec.training.class_scores import ClassScores
from cascade_qec.training.data import TRAINING, sample
from cascade_qec.training.unpacking import Unpacker


def test_the_true_class_has_the_probability_that_the_decoder_gives_it(tiny):
    recipe = tiny(code="bb72", rounds=2, network={"convolution": "bipartite"})
    shots, device = 16, torch.device("cpu")
    states, labels = Unpacker(recipe, device)(sample(recipe, TRAINING, 0, 0, shots, 0.006))
    # what leans towards the truth, so that most decisions are right: of those the decoder tells the probability
    against = 2 * torch.randn(labels.shape, generator=torch.Generator().manual_seed(1)) - 1.5
    scores = ClassScores(recipe, device, recipe.operators)
    logits = (against * (1 - 2 * labels)).split(scores.operators, dim=1)
    lattices = [memory_lattice(codes.get(recipe.code), recipe.rounds, basis) for basis in recipe.bases]
    of_bases = states.split([lattice.sites for lattice in lattices])
    right = 0
    for lattice, logit, state, score in zip(lattices, logits, of_bases, scores(against), strict=True):
        asked = logical_operators(lattice.code, lattice.basis, recipe.operators)
        own = ObservableMap.identity(lattice.code.k, lattice.detectors)
        events = np.zeros((shots, lattice.detectors), dtype=bool)
        confidence = LogicalClasses(lattice, asked, own, device).decide(logit, state, events)[2]
        decided_right = (score.amax(dim=1) == 0).numpy()
        probability = torch.exp(-score.logsumexp(dim=1)).numpy()
        np.testing.assert_allclose(probability[decided_right], confidence[decided_right], rtol=1e-3)
        assert (probability[~decided_right] < confidence[~decided_right]).all()
        right += decided_right.sum()
    assert right > shots


@pytest.mark.parametrize("operators", ["observables", "translations"])
def test_one_observable_is_decided_by_the_mean(tiny, operators):
    recipe = tiny(operators=operators)
    scores = ClassScores(recipe, torch.device("cpu"), operators)
    against = torch.randn((5, sum(scores.operators)), generator=torch.Generator().manual_seed(2))
    for part, score in zip(against.split(scores.operators, dim=1), scores(against), strict=True):
        torch.testing.assert_close(score, F.pad(part.mean(dim=1, keepdim=True), (1, 0)))
