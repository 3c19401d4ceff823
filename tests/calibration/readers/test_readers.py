"""Files in the layouts that others write; small ones made here, and the published ones where they are at hand."""

import json

import h5py
import numpy as np
import pytest

from cascade_calibration import Measurement, read
from cascade_calibration.analysis.levels import levels
from cascade_qec.errors import CascadeError

X = np.linspace(0, 4e-5, 5)
Z = np.cos(np.arange(5)) + 1j * np.sin(np.arange(5))


def test_quantify_core(tmp_path):
    with h5py.File(tmp_path / "dataset.hdf5", "w") as file:
        file.attrs.update({"tuid": "20210322-205253-758-6689ca", "name": "T1 at 4.7GHz"})
        for name, values, title, unit in (
            ("x0", X, "ro_pulse_delay", "s"),
            ("y0", abs(Z), "magn", "V"),
            ("y1", np.degrees(np.angle(Z)), "phase", "deg"),
        ):
            file[name] = values
            file[name].attrs.update({"name": title, "units": unit})
    (found,) = read(tmp_path / "dataset.hdf5")
    assert (found.name, found.axes) == ("T1 at 4.7GHz", ("delay",))
    np.testing.assert_allclose(found.signal.values, Z)


@pytest.mark.parametrize(
    ("name", "based", "count"),
    [
        ("T1_QL", "calibration points", 8),
        ("T1_QL", "first and last", 12),
        ("Rabi-n1_QR", "calibration points", 12),
        ("Flipping_q9", "", 8),
    ],
)
def test_pycqed_leaves_calibration_points_out(tmp_path, name, based, count):
    x = np.arange(12.0)
    with h5py.File(tmp_path / "152324_T1_QL.hdf5", "w") as file:
        data = file.create_group("Experimental Data")
        data["Data"] = np.column_stack([x, x + 100, x + 200])
        texts = {"sweep_parameter_names": ["Time"], "sweep_parameter_units": ["s"], "value_units": ["V", "V"]}
        for key, values in (texts | {"value_names": ["raw w0", "raw w1"]}).items():
            data.attrs[key] = np.array(values, dtype="S20")
        file.create_group("Analysis").attrs["corrected data based on"] = based
        file.create_group("MC settings").attrs["measurement_name"] = name
    (found,) = read(tmp_path / "152324_T1_QL.hdf5")
    assert found.name == name
    np.testing.assert_array_equal(found.signal.values, (x + 100 + 1j * (x + 200))[:count])
    # two points of the ground state, then two of the excited one
    known = levels(found)
    assert (known is not None) == (count == 8)
    if known:
        assert (known.ground, known.excited, known.points) == pytest.approx((np.sqrt(2) * 158.5, np.sqrt(2) * 160.5, 2))


def test_qibocal_has_one_measurement_for_each_target(tmp_path):
    folder = tmp_path / "rabi_amplitude_signal-0"
    folder.mkdir()
    table = np.zeros(5, dtype=[("amp", float), ("signal", float), ("phase", float)])
    table["amp"], table["signal"], table["phase"] = X, abs(Z), np.angle(Z)
    np.savez(folder / "data.npz", **{'"D1"': table, '"D2"': table})
    (folder / "data.json").write_text(json.dumps({'"rx90"': False}))
    found = read(folder)
    assert [one.target for one in found] == ["D1", "D2"]
    assert found[0].name == "rabi_amplitude_signal"
    np.testing.assert_allclose(found[1].signal.values, Z)


def test_qibocal_grids_repeats_and_errors(tmp_path):
    folder = tmp_path / "qubit_flux-3"
    folder.mkdir()
    rows = [(f, b, 10 * f + b) for b in (0.0, 1.0) for f in (1.0, 2.0, 3.0)]
    grid = np.array(rows, dtype=[("freq", float), ("bias", float), ("signal", float)])
    twice = np.array([(1.0, 0.1, 0.5), (2.0, 0.1, 0.6)] * 2, dtype=[("prob", float), ("error", float), ("beta", float)])
    np.savez(folder / "data.npz", **{"0": grid, "1": twice})
    flux, drag = read(folder)
    assert flux.axes == ("frequency", "flux")
    assert flux.signal.sel(frequency=2.0, flux=1.0) == 21.0
    assert dict(drag.dataset.sizes) == {"beta": 2, "shot": 2}
    assert list(drag.dataset.data_vars) == ["prob", "prob_error"]


def test_qualibrate(tmp_path):
    np.savez(
        tmp_path / "t1.npz",
        idle_time=[4, 8, 12, 16, 20],
        I=np.stack([Z.real] * 2),
        Q=np.stack([Z.imag] * 2),
        qubit=["q1", "q2"],
    )
    one, two = read(tmp_path / "t1.npz")
    assert (one.target, two.target, two.axes) == ("q1", "q2", ("idle_time",))
    np.testing.assert_allclose(two.signal.values, Z)


def test_touchstone(tmp_path):
    (tmp_path / "r.s2p").write_text("# GHz S RI R 50\n5.0 0 0 0.5 0.1 0 0 0 0\n5.1 0 0 0.2 -0.3 0 0 0 0\n")
    (found,) = read(tmp_path / "r.s2p")
    assert found.signal.name == "S21"
    np.testing.assert_allclose(found.signal.values, [0.5 + 0.1j, 0.2 - 0.3j])
    np.testing.assert_allclose(found.dataset.frequency, [5.0e9, 5.1e9])


def test_csv_has_units_in_its_header(tmp_path):
    (tmp_path / "a.csv").write_text("# family: t1\n# target: q7\ndelay [us],I [mV],Q [mV]\n0,1,2\n1,3,4\n")
    (found,) = read(tmp_path / "a.csv")
    assert (found.family, found.target) == ("t1", "q7")
    assert found.dataset.delay.attrs["units"] == "us"
    np.testing.assert_array_equal(found.signal.values, [1 + 2j, 3 + 4j])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"delay,signal\n0,1\n1,2\n", "titles with units"),
        ("a.csv", b"delay [s],signal [V]\n0,1\n1,many\n", "rows of numbers"),
        ("a.csv", b"delay [s],signal [V]\n", "fewer than two"),
        ("a.csv", b"\xff\xfe\x00", "expected text"),
        ("a.npz", b"PK\x03\x04", "cannot be read"),
        ("data.npz", b"", "data.npz"),
        ("a.nc", b"\x89HDF\r\n\x1a\n", "cannot be read as NetCDF4"),
        ("a.s2p", b"no numbers", "touchstone"),
        ("a.hdf5", b"", "an empty file"),
        ("a.bin", b"JUNK", "begins with b'JUNK'"),
    ],
)
def test_what_is_broken_or_unknown_is_said(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CascadeError, match=message):
        read(tmp_path / name)


def test_a_file_cut_short_is_an_error(tmp_path):
    Measurement.of({"delay": (X, "s")}, {"signal": (Z, "V")}).save(tmp_path / "a.nc")
    content = (tmp_path / "a.nc").read_bytes()
    (tmp_path / "a.nc").write_bytes(content[: len(content) // 2])
    with pytest.raises(CascadeError, match="cannot be read"):
        read(tmp_path / "a.nc")


def test_unknown_hdf5_says_what_it_has(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["spam"] = [1]
    with pytest.raises(CascadeError, match="HDF5 with spam"):
        read(tmp_path / "a.hdf5")
