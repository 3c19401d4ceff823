"""Error models that know errors only in parts of two detectors at most, as those estimated from shots do."""

# Stim's annotations have loops even in flattened error models.
# pyright: reportAttributeAccessIssue=false

from collections import defaultdict

import numpy as np
import pytest
import stim

import cascade_qec
from cascade_qec import codes
from cascade_qec.errors import CascadeWarning
from cascade_qec.recognition import recognise

P = 0.003
EVERYTHING = {
    "after_clifford_depolarization": P,
    "before_round_data_depolarization": P,
    "before_measure_flip_probability": P,
    "after_reset_flip_probability": P,
}


def of_stim(distance: int, basis: str, **noise: float) -> stim.Circuit:
    rounds = 3
    return stim.Circuit.generated(
        f"surface_code:rotated_memory_{basis.lower()}", distance=distance, rounds=rounds, **noise
    )


def edges(circuit: stim.Circuit, order: np.ndarray | None = None) -> stim.DetectorErrorModel:
    """Each suggested part of an error is an error of its own; detectors with other numbers, if wanted."""
    number = np.arange(circuit.num_detectors) if order is None else order
    probability: defaultdict[tuple[str, ...], float] = defaultdict(float)
    rest = stim.DetectorErrorModel()
    for instruction in circuit.detector_error_model(decompose_errors=True).flattened():
        if instruction.type == "error":
            (p,) = instruction.args_copy()
            for part in instruction.target_groups():
                names = tuple(f"D{number[t.val]}" if t.is_relative_detector_id() else str(t) for t in part)
                probability[names] += p - 2 * p * probability[names]
        elif instruction.type == "detector":
            (detector,) = instruction.targets_copy()
            target = stim.target_relative_detector_id(int(number[detector.val]))
            rest.append("detector", instruction.args_copy(), [target])
    errors = "\n".join(f"error({p}) {' '.join(names)}" for names, p in probability.items())
    return stim.DetectorErrorModel(errors) + rest


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("distance", [3, 5])
def test_edges_alone_are_placed_as_the_whole_model(distance, basis):
    circuit, code = of_stim(distance, basis, **EVERYTHING), codes.get(f"surface_d{distance}")
    model = edges(circuit)
    found, expected = recognise(model, code), recognise(circuit, code)
    assert found.lattice.basis == expected.lattice.basis == basis
    assert np.array_equal(found.lattice.detector_sites, expected.lattice.detector_sites)
    assert found.overlap > 0.98
    assert not found.ambiguous


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_numbers_of_detectors_do_not_matter(basis, confirm_map):
    """The other basis' chains may run either way in time: how likely errors are tells."""
    circuit, code = of_stim(5, basis, **EVERYTHING), codes.get("surface_d5")
    order = np.random.default_rng(4).permutation(circuit.num_detectors)
    model = edges(circuit, order)
    found = recognise(model, code)
    confirm_map(found, model)
    # Up to the direction of time, in which the experiment is the same.
    ways = [recognise(circuit, code).lattice.detector_sites]
    ways.append(ways[0].max() + ways[0].min() - ways[0])
    assert found.lattice.basis == basis
    assert any(np.array_equal(found.lattice.detector_sites[order], sites) for sites in ways)
    assert not found.ambiguous


def test_what_a_model_leaves_open_is_said():
    """Data and measurement errors alone look the same from both bases; the circuit's gates tell."""
    circuit = of_stim(3, "Z", before_round_data_depolarization=0.002, before_measure_flip_probability=0.002)
    model = circuit.detector_error_model()
    assert recognise(model, codes.get("surface_d3")).ambiguous
    assert not recognise(circuit, codes.get("surface_d3")).ambiguous
    with pytest.warns(CascadeWarning, match="leave open which basis or direction of time"):
        cascade_qec.load("surface_d3", dem=model, device="cpu")


def test_noise_that_is_very_uneven_is_said():
    plain = str(of_stim(3, "Z", **EVERYTHING).flattened())
    uneven = stim.Circuit(plain.replace("\nTICK", "\nDEPOLARIZE1(0.05) 8\nTICK"))
    assert recognise(stim.Circuit(plain), codes.get("surface_d3")).overlap > 0.98
    assert recognise(uneven, codes.get("surface_d3")).overlap < 0.9
    with pytest.warns(CascadeWarning, match="spread unlike those of training"):
        cascade_qec.load("surface_d3", circuit=uneven, device="cpu")
