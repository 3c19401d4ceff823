"""Measurements keep their conventions, and files give back what was saved."""

import numpy as np
import pytest
import xarray as xr

from cascade_calibration import Measurement, read
from cascade_calibration.units import to_base, with_prefix
from cascade_qec.errors import CascadeError


@pytest.mark.parametrize("shots", [(), (7,)])
@pytest.mark.parametrize("kind", [float, complex])
def test_a_file_gives_back_what_was_saved(shots, kind, tmp_path):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((4, 3, *shots)).astype(kind) * (1 if kind is float else 1 - 2j)
    axes = {"frequency": (np.arange(4.0), "GHz"), "flux": ([0.0, 0.5, 1.0], "Phi0")}
    saved = Measurement.of(axes, {"iq": (values, "mV")}, name="a scan", family="t1", target="q3")
    saved.save(tmp_path / "a.nc")
    (found,) = read(tmp_path / "a.nc")
    assert found.dataset.identical(saved.dataset)
    assert (found.family, found.target, found.axes) == ("t1", "q3", ("frequency", "flux"))
    assert "frequency" in found._repr_html_()


@pytest.mark.parametrize(
    ("axes", "data", "message"),
    [
        ({"delay": ([0, 1], "s")}, {"signal": ([1.0, 2.0, 3.0], "V")}, "equal lengths"),
        ({"delay": ([], "s")}, {"signal": ([], "V")}, "found none"),
        ({"delay": ([0, 1], "s")}, {"signal": (["a", "b"], "V")}, "^signal: expected numbers"),
        ({"delay": ([0, 1], "s")}, {"signal": (1.0, "V")}, "shape"),
        ({"delay": ([0, 1], "s")}, {}, "with data"),
    ],
)
def test_what_is_none_is_refused(axes, data, message):
    with pytest.raises(CascadeError, match=message):
        Measurement.of(axes, data)


def test_units_are_asked_for():
    with pytest.raises(CascadeError, match="units"):
        Measurement(xr.Dataset({"signal": ("delay", [1.0, 2.0], {"units": "V"})}, {"delay": [0.0, 1.0]}))
    with pytest.raises(CascadeError, match="values for the axis"):
        Measurement(xr.Dataset({"signal": ("delay", [1.0, 2.0], {"units": "V"})}))


def test_units_go_to_the_base_and_back():
    factor, base = to_base("us")
    assert with_prefix(base, 30 * factor) == (pytest.approx(1e6), "us")
    assert with_prefix("", 1e-9) == (1.0, "")
