# codes.get promises no more than a CSSCode.
# pyright: reportAttributeAccessIssue=false

"""Circuits of codes over a group: their schedules measure the checks as they stand and keep the distance."""

import pytest

from cascade_qec import codes
from cascade_qec.circuits import SI1000, UniformDepolarizing, circuit_distance, memory
from cascade_qec.codes import BASES, CSSCode, GroupCode, LiftedProductCode

MINE = {
    "sequential": GroupCode((3, 3), [["1+x", "1+y"]], [["1+y^-1", "1+x^-1"]], name="sequential", family="mine"),
    "lifted": LiftedProductCode(7, [["1", "x", "x^3"], ["1", "x^2", "x^5"]], name="lifted"),
    "lopsided": LiftedProductCode((3, 2), [["1+x", "x+y"]], [["1+x*y"]], name="lopsided"),
}


def code_named(name: str) -> CSSCode:
    return MINE.get(name) or codes.get(name)


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("noise", [UniformDepolarizing(0.001), SI1000(0.001)])
@pytest.mark.parametrize(
    "name", [*MINE, "colour_d5", "toric_3x4", "gb46", "mb30", "mb48", "mb96", "lp175", "haah_3", "tt72"]
)
def test_no_detector_and_no_observable_is_random(name, noise, basis):
    code = code_named(name)
    circuit = memory(code, rounds=2, basis=basis, noise=noise)
    assert circuit.num_observables == code.k
    assert circuit.detector_error_model(flatten_loops=True).num_errors  # Stim raises where one is
    places = circuit.get_final_qubit_coordinates()
    assert len({tuple(place) for place in places.values()}) == circuit.num_qubits


@pytest.mark.parametrize(("name", "distance"), [("toric_3x3", 3), ("toric_4x5", 4), ("surface_d3", 3), ("mb30", 5)])
def test_distance_is_that_of_the_code(name, distance):
    assert circuit_distance(codes.get(name)) == codes.get(name).d == distance


def test_orders_of_the_terms_keep_the_distance():
    code = codes.get("toric_4x5")
    for layers in ([0, 3, 1, 2], [3, 0, 2, 1], [1, 2, 3, 0]):
        assert circuit_distance(code.with_layers(layers)) == 4
