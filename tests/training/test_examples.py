"""Packed shots on the device are what the lattice scatters, and labels what operators measure."""

import numpy as np
import pytest
import stim
import torch

from cascade_qec import codes
from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.lattice import ABSENT, logical_operators, memory_lattice
from cascade_qec.training.data import TRAINING, Rows, sample
from cascade_qec.training.feed import Examples


@pytest.mark.parametrize("bases", [["Z"], ["X"], ["Z", "X"]])
@pytest.mark.parametrize("code", ["surface_d3", "surface_d5", "bb72"])
def test_states_and_labels(code, bases, tiny, device):
    recipe = tiny(code=code, rounds=2, bases=bases, operators="observables")
    shots = 11
    generator = np.random.default_rng(1)
    packed, expected_states, expected_labels = [], [], []
    for basis in bases:
        lattice = memory_lattice(codes.get(code), 2, basis)
        events = generator.random((shots, lattice.detectors)) < 0.5
        flips = generator.random((shots, lattice.code.k)) < 0.5
        packed += [np.packbits(bits, axis=1, bitorder="little") for bits in (events, flips)]
        expected_states.append(lattice.scatter(events))
        expected_labels.append(flips)
    states, labels = Examples(recipe, device)(Rows(np.concatenate(packed, axis=1)))
    assert (states.dtype, states.device) == (torch.uint8, device)
    assert (labels.dtype, labels.device) == (torch.float32, device)
    np.testing.assert_array_equal(states.cpu(), np.concatenate(expected_states))
    np.testing.assert_array_equal(labels.cpu(), np.concatenate(expected_labels, axis=1))
    assert {0, 1, ABSENT} == set(states.unique().tolist())


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("code", ["surface_d5", "bb72"])
def test_the_value_of_an_operator_is_what_its_data_qubits_read(code, basis, tiny, device):
    """Against a circuit that measures every operator itself."""
    recipe = tiny(code=code, rounds=3, bases=[basis])
    circuit = memory(codes.get(code), rounds=3, basis=basis, noise=UniformDepolarizing(0.01))
    detectors, n, k = circuit.num_detectors, codes.get(code).n, codes.get(code).k
    asked = logical_operators(codes.get(code), basis)
    place_of = np.argsort(memory_lattice(codes.get(code), 3, basis).frame.data_qubit)
    for index, support in enumerate(asked.support[:, place_of]):
        records = [stim.target_rec(int(qubit) - n) for qubit in np.flatnonzero(support)]
        circuit.append("OBSERVABLE_INCLUDE", records, k + index)
    events, flips = circuit.compile_detector_sampler(seed=3).sample(500, separate_observables=True)
    assert events.shape[1] == detectors
    packed = [np.packbits(bits, axis=1, bitorder="little") for bits in (events, flips[:, :k])]
    _, labels = Examples(recipe, device)(Rows(np.concatenate(packed, axis=1)))
    np.testing.assert_array_equal(labels.cpu(), flips[:, k:])
    assert 0.05 < labels.mean() < 0.5


def test_of_what_the_sampler_gives(tiny, device):
    recipe = tiny()
    states, labels = Examples(recipe, device)(sample(recipe, TRAINING, 50, 0, 4000))
    assert states.shape[1] == len(labels) == 4000
    # at the recipe's noise a few per cent of the detectors fire, and fewer observables flip than not
    assert 0.01 < (states == 1).sum() / (states != ABSENT).sum() < 0.2
    assert torch.all((labels.mean(dim=0) > 0.005) & (labels.mean(dim=0) < 0.3))
