"""The examples in docstrings run, and every public door has one."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import cascade_qec as cascade
from cascade_qec import circuits, codes, statistics

SOURCE = Path(codes.__file__).parents[2]
MODULES = [
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for package in ("cascade_calibration", "cascade_qec")
    for path in sorted((SOURCE / package).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]
DOORS = [
    cascade.DecodeResult,
    cascade.load,
    cascade.sinter_decoders,
    circuits.DataDepolarizing,
    circuits.SI1000,
    circuits.UniformDepolarizing,
    circuits.memory,
    codes.BivariateBicycleCode,
    codes.RotatedSurfaceCode,
    codes.get,
    statistics.per_logical_per_cycle,
    statistics.wilson,
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    # Only modules with examples are imported, so that packages that may be missing stay out of it.
    failed, attempted = doctest.testmod(import_module(name))
    assert attempted > 0
    assert failed == 0


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_doors_have_examples(door):
    assert ">>> " in (door.__doc__ or "")
