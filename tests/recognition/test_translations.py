# codes.get promises no more than a CSSCode.
# pyright: reportAttributeAccessIssue=false

import numpy as np
import pytest

from cascade_qec import codes
from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.lattice import memory_lattice
from cascade_qec.recognition import recognise
from cascade_qec.recognition.likeness import agreement
from cascade_qec.recognition.observables import best_translated, observable_maps
from cascade_qec.recognition.placement import Placement


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("name", ["bb72", "bb144"])
def test_an_experiment_of_the_code_is_moved_back(name, basis):
    """By every step along one axis and then along the other; the lattice's own place is left."""
    code = codes.get(name)
    lattice = memory_lattice(code, 1, basis)
    circuit = memory(code, rounds=1, basis=basis, noise=UniformDepolarizing(0.001))
    mechanisms = Mechanisms.of(circuit.detector_error_model(flatten_loops=True))
    place = np.arange(code.l * code.m).reshape(code.l, code.m)
    for shift in ((1, 0), (0, 1), (3, 5)):
        moved = np.full(lattice.sites, -1)
        for kind in ("X", "Z"):
            sites = lattice.check_sites(kind)
            moved[sites] = sites[:, np.roll(place, shift, axis=(0, 1)).ravel()]
        way = Placement(basis, moved[lattice.detector_sites], (1.0,))
        # As far as errors go, it makes no difference; to the observables it does.
        assert agreement(mechanisms, way.sites, lattice) == pytest.approx(1)
        observables = observable_maps([way], mechanisms, [lattice])[0]
        assert not observables.is_identity
        back = best_translated(way, observables, lattice)
        assert np.array_equal(back.sites, lattice.detector_sites)
        found = observable_maps([back], mechanisms, [lattice])[0]
        assert found.is_identity
        assert best_translated(back, found, lattice) is back


def test_ignored_detectors_stay_ignored():
    code = codes.get("bb72")
    lattice = memory_lattice(code, 1, "Z")
    circuit = memory(code, rounds=1, noise=UniformDepolarizing(0.001))
    mechanisms = Mechanisms.of(circuit.detector_error_model(flatten_loops=True))
    sites = lattice.check_sites("Z")
    moved = np.full(lattice.sites, -1)
    moved[sites] = np.roll(sites.reshape(2, 6, 6), 2, axis=2).reshape(2, 36)
    observables = observable_maps([Placement("Z", moved[lattice.detector_sites], (1.0,))], mechanisms, [lattice])[0]
    partly = np.where(np.arange(lattice.detectors) % 5 > 0, moved[lattice.detector_sites], -1)
    back = best_translated(Placement("Z", partly, (1.0,)), observables, lattice)
    assert np.array_equal(back.sites, np.where(partly >= 0, lattice.detector_sites, -1))


def test_a_surface_code_has_no_translations():
    lattice = memory_lattice(codes.get("surface_d3"), 2, "Z")
    circuit = memory(lattice.code, rounds=2, noise=UniformDepolarizing(0.001))
    mechanisms = Mechanisms.of(circuit.detector_error_model(flatten_loops=True))
    way = Placement("Z", lattice.detector_sites, (1.0,))
    assert best_translated(way, observable_maps([way], mechanisms, [lattice])[0], lattice) is way


@pytest.mark.parametrize("basis", ["X", "Z"])
def test_a_circuit_and_its_error_model_are_placed_alike(basis):
    code = codes.get("bb72")
    circuit = memory(code, rounds=2, basis=basis, noise=UniformDepolarizing(0.003))
    of_circuit, of_model = (recognise(source, code) for source in (circuit, error_model(circuit)))
    assert of_circuit.lattice.basis == of_model.lattice.basis == basis
    assert np.array_equal(of_circuit.lattice.detector_sites, of_model.lattice.detector_sites)
    assert np.array_equal(of_circuit.observables.logicals, of_model.observables.logicals)
    assert not of_circuit.ambiguous
    assert not of_model.ambiguous
