"""Components against Stim's sampled errors: what happened says what is seen, and few types say it everywhere."""

import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.codes import BASES, Basis
from cascade_qec.components import UNKNOWN, Components
from cascade_qec.error_models import Mechanisms
from cascade_qec.lattice import Lattice, memory_lattice

NOISE = circuits.UniformDepolarizing(0.01)
EACH = pytest.mark.parametrize(("name", "rounds"), [("surface_d3", 3), ("surface_d5", 2), ("bb72", 2)])
EACH_BASIS = pytest.mark.parametrize("basis", BASES)


def model_of(name: str, rounds: int, basis: Basis) -> stim.DetectorErrorModel:
    circuit = circuits.memory(codes.get(name), rounds=rounds, basis=basis, noise=NOISE)
    return circuit.detector_error_model(flatten_loops=True)


def components_of(name: str, rounds: int, basis: Basis) -> Components:
    lattice = memory_lattice(codes.get(name), rounds, basis)
    return Components.of(Mechanisms.of(model_of(name, rounds, basis)), lattice)


@EACH_BASIS
@EACH
def test_what_is_flipped_explains_the_events_of_the_basis_and_all_observables(
    name: str, rounds: int, basis: Basis
) -> None:
    found = components_of(name, rounds, basis)
    dem = model_of(name, rounds, basis)
    events, flips, errors = dem.compile_sampler(seed=1).sample(200, return_errors=True)
    assert errors is not None
    flipped = found.flipped(errors).astype(int)
    checks = np.zeros((len(found), dem.num_detectors), dtype=int)
    checks[np.repeat(np.arange(len(found)), np.diff(found.start)), found.detector] = 1
    lattice = memory_lattice(codes.get(name), rounds, basis)
    own = np.isin(lattice.detector_sites, lattice.check_sites(basis))
    assert np.array_equal(flipped @ checks % 2, events * own)
    assert np.array_equal(flipped @ found.observables % 2, flips)
    # 200 shots of hundreds of components at a per cent: within 5 standard deviations of their mean
    expected = found.prior.sum() * 200
    assert abs(flipped.sum() - expected) < 5 * np.sqrt(expected)


def test_probabilities_are_those_of_an_odd_number() -> None:
    lattice = memory_lattice(codes.get("surface_d3"), 2, "Z")
    a, b = np.flatnonzero(np.isin(lattice.detector_sites, lattice.check_sites("Z")))[:2]
    (other, *_) = np.flatnonzero(~np.isin(lattice.detector_sites, lattice.check_sites("Z")))
    dem = stim.DetectorErrorModel(f"""
        error(0.1) D{a} D{b} D{other}
        error(0.2) D{other}
        error(0.3) D{b} D{a}
        error(0.25) D{a} ^ D{other} L0
        detector D{lattice.detectors - 1}
    """)
    found = Components.of(Mechanisms.of(dem), lattice)
    assert found.of_mechanism.tolist() == [0, -1, 0, 1]
    np.testing.assert_allclose(found.prior, [0.1 * 0.7 + 0.3 * 0.9, 0.25])
    assert found.detector.tolist() == [a, b, a]
    assert found.start.tolist() == [0, 2, 3]
    assert found.observables.tolist() == [[0], [1]]


@EACH_BASIS
@pytest.mark.parametrize(
    ("name", "rounds", "types"), [("surface_d5", 5, 7), ("surface_d7", 30, 7), ("bb72", 6, 10), ("bb72", 9, 10)]
)
def test_few_types_say_where_every_component_is(name: str, rounds: int, basis: Basis, types: int) -> None:
    found = components_of(name, rounds, basis)
    assert len(found.types) == types
    assert len(set(zip(found.owner.tolist(), found.type.tolist(), strict=True))) == len(found)


def test_a_surface_code_has_the_types_of_a_smaller_one_and_of_the_other_basis() -> None:
    types = components_of("surface_d3", 3, "Z").types
    assert components_of("surface_d9", 4, "X").types == types


@EACH_BASIS
@pytest.mark.parametrize("name", ["bb72", "haah_3"])
def test_a_translation_takes_components_to_components_of_one_type(name: str, basis: Basis) -> None:
    found = components_of(name, 3, basis)
    code = codes.get(name)
    lattice = memory_lattice(code, 3, basis)
    own, moved = lattice.check_sites(basis), np.arange(lattice.sites)
    moved[own] = own[:, code.check_translations(basis)[7]]
    before = set(zip(found.owner.tolist(), found.type.tolist(), strict=True))
    after = set(zip(moved[found.owner].tolist(), found.type.tolist(), strict=True))
    assert before == after


@EACH_BASIS
def test_codes_that_are_locally_alike_have_the_same_types(basis: Basis) -> None:
    mine, others = codes.get("toric_6x6"), [codes.get(name) for name in ("toric_3x3", "toric_4x7", "toric_2x5")]
    types = [components_of(code.name, 2, basis).types for code in (mine, *others)]
    assert [mine.locally_like(other) for other in others] == [types[0] == each for each in types[1:]]
    assert types[1] == types[2] != types[3]  # on a torus of two, one step there and one back are the same


def test_bicycle_codes_of_the_same_polynomials_are_not_alike_where_steps_go_round() -> None:
    assert not codes.get("bb108").locally_like(codes.get("bb144"))
    assert codes.get("bb144").locally_like(codes.get("bb144"))


def test_types_that_are_not_known_are_told() -> None:
    found = components_of("surface_d3", 3, "Z")
    lattice = memory_lattice(codes.get("surface_d3"), 3, "Z")
    fewer = Components.of(Mechanisms.of(model_of("surface_d3", 3, "Z")), lattice, found.types[1:])
    assert np.array_equal(fewer.type == UNKNOWN, found.type == 0)
    assert np.array_equal(fewer.type[fewer.type >= 0], found.type[found.type > 0] - 1)


def test_detectors_in_another_order_are_the_same_components() -> None:
    lattice, dem = memory_lattice(codes.get("surface_d3"), 3, "Z"), model_of("surface_d3", 3, "Z")
    order = np.random.default_rng(1).permutation(dem.num_detectors)
    number = np.argsort(order)
    text = "\n".join(
        " ".join(f"D{number[int(t[1:])]}" if t[0] == "D" and t[1:].isdigit() else t for t in line.split())
        for line in str(dem.flattened()).splitlines()
        if line.startswith("error")
    )
    text += f"\ndetector D{dem.num_detectors - 1}"
    turned = Lattice(lattice.code, rounds=3, basis="Z", detector_sites=lattice.detector_sites[order])
    found = Components.of(Mechanisms.of(stim.DetectorErrorModel(text)), turned)
    expected = Components.of(Mechanisms.of(dem), lattice)
    assert np.array_equal(found.owner, expected.owner)
    assert np.array_equal(found.type, expected.type)
    np.testing.assert_allclose(found.prior, expected.prior, rtol=1e-6)
