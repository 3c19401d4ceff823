# codes.get promises no more than a CSSCode.
# pyright: reportAttributeAccessIssue=false

from itertools import islice

import numpy as np
import pytest

from cascade_qec import codes
from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.codes import BivariateBicycleCode, GroupCode, LiftedProductCode
from cascade_qec.errors import CascadeError

PUBLISHED = ["surface_d3", "surface_d5", "bb72", "bb90", "bb108", "bb144", "bb288"]
DERIVED = ["toric_3x4", "gb46", "gb126", "mb30", "mb48", "mb96", "lp175", "lp882"]


@pytest.mark.parametrize("name", PUBLISHED + DERIVED)
def test_every_neighbour_once_and_no_data_qubit_twice_in_a_layer(name):
    code = codes.get(name)
    plan = code.schedule
    slots = range(code.neighbours("X").shape[1])
    assert sorted(s for s in plan.x if s is not None) == sorted(s for s in plan.z if s is not None) == list(slots)
    for slot_x, slot_z in zip(plan.x, plan.z, strict=True):
        touched = np.concatenate(
            [code.neighbours(basis)[:, slot] for basis, slot in (("X", slot_x), ("Z", slot_z)) if slot is not None]
        )
        touched = touched[touched >= 0]
        assert len(np.unique(touched)) == len(touched)


@pytest.mark.parametrize(
    ("name", "depth"),
    [("bb72", 7), ("toric_3x4", 4), ("gb46", 8), ("gb254", 11), ("mb96", 5), ("mb48", 6), ("lp544", 11), ("lp882", 7)],
)
def test_depth_is_the_number_of_terms_or_one_more(name, depth):
    assert codes.get(name).schedule.depth == depth


def test_matrices_that_are_no_product_are_measured_one_basis_after_the_other():
    code = GroupCode((3, 3), [["1+x", "1+y"]], [["1+y^-1", "1+x^-1"]], name="mine", family="mine")
    assert code.schedule.x == (0, 1, 2, 3, None, None, None, None)
    assert code.schedule.z == (None, None, None, None, 0, 1, 2, 3)


def test_bicycle_code_of_other_weight_has_a_derived_schedule():
    assert BivariateBicycleCode(3, 3, "1+x", "1+y").schedule.depth == 4


@pytest.mark.parametrize("layers", [[0, 1, 2, 3], [0, 3, 1], [0, 3, 1, 1], [0, 3, 1, 4]])
def test_layers_in_which_gates_meet_are_refused(layers):
    with pytest.raises(CascadeError, match="a layer of its own, from 0 to 3, for each of 2 terms of A and 2 of B"):
        LiftedProductCode((3, 3), [["1+x"]], [["1+y"]], name="mine", layers=layers)


@pytest.mark.parametrize("layers", [[0, 1, 2, 3], [0, 1, 2, 3, 0, 1, 2, 3], [0, 1, 2, 3, 4, 5, 6, 8]])
def test_layers_of_matrices_of_checks_in_which_gates_meet_are_refused(layers):
    with pytest.raises(CascadeError, match=r"expected layers of 4 slots of X checks and then of 4 of Z checks, .* got"):
        GroupCode((3, 3), [["1+x", "1+y"]], [["1+y^-1", "1+x^-1"]], name="mine", family="mine", layers=layers)


@pytest.mark.parametrize("name", ["toric_3x4", "bb72", "mb30"])
def test_drawn_orders_are_schedules_of_the_code(name):
    for code in islice(codes.get(name).orders(seed=1), 3):
        circuit = memory(code, rounds=2, noise=UniformDepolarizing(0.001))
        assert circuit.detector_error_model(flatten_loops=True).num_errors  # Stim raises where a detector is random
