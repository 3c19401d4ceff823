import pytest

from cascade_qec import codes
from cascade_qec.errors import CascadeError


def test_every_name_is_the_name_of_its_code():
    names = codes.names()
    assert {"surface_d3", "surface_d21", "bb72", "bb90", "bb108", "bb144", "bb288"} <= set(names)
    for name in names:
        assert codes.get(name).name == name


def test_surface_codes_of_any_size_have_a_name():
    assert codes.get("surface_d33").d == 33


def test_rectangles_have_as_many_checks_as_their_families_say():
    rectangles = [each for family in codes.families() for each in family.rectangles.items()]
    for name, checks in rectangles[::11]:
        assert (len(codes.get(name).hx), len(codes.get(name).hz)) == checks, name


def test_the_same_name_gives_the_same_object():
    assert codes.get("bb72") is codes.get("bb72")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("surface_d5", "RotatedSurfaceCode surface_d5 [[25, 1, 5]]"),
        ("bb72", "BivariateBicycleCode bb72 [[72, 12, 6]]"),
    ],
)
def test_representation_names_the_parameters(name, shown):
    assert repr(codes.get(name)) == shown


@pytest.mark.parametrize("name", ["steane", "", "surface", "bb"])
def test_unknown_name_is_answered_with_the_known_ones(name):
    with pytest.raises(CascadeError, match=r"unknown code .*surface_d<odd>.*bb72, bb90, bb108, bb144, bb288"):
        codes.get(name)


@pytest.mark.parametrize(
    ("name", "meant"), [("bb73", "bb72"), ("BB72", "bb72"), ("bb72 ", "bb72"), ("surface_d05", "surface_d5")]
)
def test_nearly_a_name_is_answered_with_that(name, meant):
    with pytest.raises(CascadeError, match=f"unknown code '{name}': did you mean {meant}\\?$"):
        codes.get(name)


@pytest.mark.parametrize("name", ["surface_d4", "surface_d1"])
def test_surface_name_of_no_such_distance_is_refused(name):
    with pytest.raises(CascadeError, match="odd distance of at least 3"):
        codes.get(name)
