import numpy as np
import pytest
import stim

from cascade_qec import codes
from cascade_qec.circuits import SI1000, UniformDepolarizing, memory
from cascade_qec.error_models import Mechanisms
from cascade_qec.lattice import memory_lattice
from cascade_qec.recognition.likeness import event_rate, noise_strength


def model(name: str, noise, basis: str = "Z", rounds: int = 3) -> Mechanisms:
    circuit = memory(codes.get(name), rounds=rounds, basis=basis, noise=noise)
    return Mechanisms.of(circuit.detector_error_model(flatten_loops=True))


def test_event_rate_is_that_of_shots():
    circuit = memory(codes.get("surface_d3"), rounds=3, noise=SI1000(0.01))
    mechanisms = Mechanisms.of(circuit.detector_error_model(flatten_loops=True))
    detectors = np.array([0, 3, 7])
    shots = circuit.compile_detector_sampler(seed=3).sample(100_000)
    found = event_rate(mechanisms, mechanisms.probability, detectors)
    # Five standard deviations of 3 x 10^5 events at the rate of a tenth.
    assert found == pytest.approx(shots[:, detectors].mean(), abs=5 * np.sqrt(0.1 / 3e5))  # pyright: ignore[reportCallIssue]
    assert event_rate(mechanisms, mechanisms.probability, np.array([], dtype=np.int64)) == 0


@pytest.mark.parametrize("basis", ["X", "Z"])
@pytest.mark.parametrize("name", ["surface_d3", "surface_d5", "bb72"])
@pytest.mark.parametrize("p", [1e-5, 0.001, 0.01])
def test_our_own_noise_has_its_own_strength(name, basis, p):
    lattice = memory_lattice(codes.get(name), 3, basis)
    found = noise_strength(model(name, UniformDepolarizing(p), basis), lattice.detector_sites, lattice)
    # Probabilities do not grow quite as p does.
    assert found == pytest.approx(p, rel=0.02)


def test_other_noise_is_as_strong_as_the_events_that_it_causes():
    lattice = memory_lattice(codes.get("surface_d5"), 3, "Z")
    weak, strong = (
        noise_strength(model("surface_d5", SI1000(p)), lattice.detector_sites, lattice) for p in (1e-3, 2e-3)
    )
    assert strong == pytest.approx(2 * weak, rel=0.02)
    mechanisms = model("surface_d5", SI1000(0.001))
    uniform = model("surface_d5", UniformDepolarizing(weak))
    every = np.arange(lattice.detectors)
    assert event_rate(uniform, uniform.probability, every) == pytest.approx(
        event_rate(mechanisms, mechanisms.probability, every), rel=0.01
    )


def test_detectors_that_are_missing_or_ignored_do_not_count():
    lattice = memory_lattice(codes.get("surface_d3"), 3, "Z")
    mechanisms = model("surface_d3", UniformDepolarizing(0.002))
    sites = lattice.detector_sites.copy()
    sites[::2] = -1
    assert noise_strength(mechanisms, sites, lattice) == pytest.approx(0.002, rel=0.02)


def test_no_noise_and_noise_beyond_measure():
    lattice = memory_lattice(codes.get("surface_d3"), 3, "Z")
    silent = Mechanisms.of(stim.DetectorErrorModel("error(0.1) L0\ndetector D23"))
    assert noise_strength(silent, lattice.detector_sites, lattice) == 0
    certain = Mechanisms.of(stim.DetectorErrorModel("".join(f"error(0.5) D{d}\n" for d in range(24))))
    assert noise_strength(certain, lattice.detector_sites, lattice) == pytest.approx(0.1)
