"""Error models with more or less in them than an experiment needs."""

import numpy as np
import pytest
import stim

import cascade_qec
from cascade_qec import codes
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.recognition import recognise, recognise_any

CODE = codes.get("surface_d3")


def of_stim(**noise: float) -> stim.Circuit:
    return stim.Circuit.generated("surface_code:rotated_memory_z", distance=3, rounds=3, **noise)


CIRCUIT = of_stim(after_clifford_depolarization=0.003, before_measure_flip_probability=0.003)
MODEL = CIRCUIT.detector_error_model(flatten_loops=True)
PLAIN = recognise(MODEL, CODE)
SITES = PLAIN.lattice.detector_sites


def with_lines(*lines: str) -> stim.DetectorErrorModel:
    return MODEL + stim.DetectorErrorModel("\n".join(lines))


def test_what_never_happens_is_no_matter():
    found = recognise(with_lines("error(0) L0", "error(0) D0 D3 D5"), CODE)
    assert np.array_equal(found.lattice.detector_sites, SITES)
    assert np.array_equal(found.observables.detectors, PLAIN.observables.detectors)
    assert (found.unseen, found.agreement) == (0, 1)


def test_errors_that_no_detector_sees_are_said():
    """Together they flip the observable with probability 0.01 (1 - 0.02) + 0.02 (1 - 0.01)."""
    model = with_lines("error(0.01) L0", "error(0.02) L0")
    found = recognise(model, CODE)
    assert np.array_equal(found.observables.detectors, PLAIN.observables.detectors)
    assert found.unseen == pytest.approx(0.01 * 0.98 + 0.02 * 0.99)
    with pytest.warns(CascadeWarning, match=r"no detector sees, .* flip an observable with probability 0\.03"):
        cascade_qec.load("surface_d3", dem=model, device="cpu")


def test_an_observable_that_only_such_errors_flip_is_refused():
    with pytest.raises(CascadeError, match=r"observable L1 is no logical operator of surface_d3"):
        recognise(with_lines("error(0.01) L1"), CODE)


def test_spare_detectors_and_observables_stay_silent():
    model = with_lines("detector D100", "logical_observable L3")
    for found in (recognise(model, CODE), recognise_any(model)):
        assert np.array_equal(found.lattice.detector_sites[: len(SITES)], SITES)
        assert (found.lattice.detector_sites[len(SITES) :] == -1).all()
        assert found.observables.logicals.tolist() == [[1], [0], [0], [0]]
        assert not found.observables.detectors[1:].any()


def test_detectors_of_heralds_are_ignored_in_both():
    text = str(CIRCUIT.flattened()).replace("MR ", "HERALDED_ERASE(0.01) 1\nDETECTOR rec[-1]\nMR ", 1)
    circuit = stim.Circuit(text)
    for source in (circuit, circuit.detector_error_model(approximate_disjoint_errors=True)):
        for found in (recognise(source, CODE), recognise_any(source)):
            assert found.heralds == found.ignored == 1
            assert np.array_equal(found.lattice.detector_sites, np.insert(SITES, 0, -1))
            assert found.observables.logicals.tolist() == [[1]]


def test_measurements_need_not_fail_in_an_error_model():
    """Then no error tells the order of the slices: that of the numbers is taken."""
    circuit = of_stim(before_round_data_depolarization=0.01)
    found = recognise(circuit.detector_error_model(), CODE)
    assert found.lattice.rounds == 3
    assert found.agreement == pytest.approx(1)
    slices = found.lattice.detector_sites // (found.lattice.sites // 4)
    assert (np.diff(slices) >= 0).all()


def test_what_only_the_circuit_tells_is_said():
    model = of_stim().detector_error_model()
    with pytest.raises(CascadeError, match=r"without errors that flip detectors, .*: give the circuit"):
        recognise(model, CODE)
