"""The page's noise is Stim's."""

from __future__ import annotations

import numpy as np
import pytest

from cascade_qec import circuits, codes
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.page.faults import happening, probability, put_in


@pytest.mark.parametrize(("name", "basis"), [("surface_d3", "Z"), ("surface_d3", "X"), ("bb72", "Z")])
def test_mechanisms_are_those_of_the_circuit_at_every_strength(name: str, basis: codes.Basis) -> None:
    code = codes.get(name)
    known = happening(code, 3, basis)
    for p in (1e-4, 0.005, 0.1):
        noise = circuits.UniformDepolarizing(p)
        mechanisms = Mechanisms.of(error_model(circuits.memory(code, rounds=3, basis=basis, noise=noise)))
        np.testing.assert_array_equal(known.flips.start, mechanisms.start)
        np.testing.assert_array_equal(known.flips.detector, mechanisms.detector)
        bits = known.flips.observables[:, None] >> np.arange(code.k) & 1
        np.testing.assert_array_equal(bits, mechanisms.observables)
        np.testing.assert_allclose(probability(known.count, p), mechanisms.probability, rtol=1e-9)


def test_faults_are_drawn_where_they_light_checks() -> None:
    code, rounds = codes.get("surface_d5"), 5
    known, lattice_slices = happening(code, rounds, "Z"), _slices(rounds)
    for number, (start, stop) in enumerate(zip(known.flips.start[:-1], known.flips.start[1:], strict=True)):
        lit = lattice_slices[known.flips.detector[start:stop]]
        assert set(lit.tolist()) <= {known.round[number], known.round[number] + 1}


def test_a_wrong_measurement_lights_its_check_twice() -> None:
    code, rounds = codes.get("surface_d3"), 3
    flips, slices = put_in(code, rounds, "Z"), _slices(rounds, "surface_d3")
    for check in range(8):
        fault = 2 * (rounds + 1) * code.n + 8 + check  # in the second of three rounds
        lit = slices[flips.detector[flips.start[fault] : flips.start[fault + 1]]]
        assert lit.tolist() == [1, 2]
        assert flips.observables[fault] == 0


def _slices(rounds: int, name: str = "surface_d5") -> np.ndarray:
    """The slice of each detector of a memory experiment of basis Z."""
    coordinates = circuits.memory(codes.get(name), rounds=rounds, basis="Z").get_detector_coordinates()
    return np.array([int(coordinates[number][2]) for number in range(len(coordinates))])
