import numpy as np
import pytest

from cascade_qec import codes
from cascade_qec.errors import CascadeError


@pytest.mark.parametrize("name", ["surface_d3", "surface_d5", "bb72", "bb90", "bb108", "bb144", "bb288"])
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


def test_bicycle_code_of_other_weight_is_refused():
    code = codes.BivariateBicycleCode(3, 3, "1+x", "1+y")
    with pytest.raises(CascadeError, match="three terms each for the bicycle schedule, got 2 and 2"):
        _ = code.schedule
