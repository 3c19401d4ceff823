"""Plans: read, refused, and turned into combinations."""

import sys
from pathlib import Path

import pytest

from cascade_qec import decoders
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.collection.plan import cells, make_plan, read_plan
from cascade_qec.evaluation.collection.tasks import Machine, parameters, sinter_task

MACHINE = Machine("cpu", "float32")
PLANS = sorted((Path(__file__).parents[3] / "benchmarks" / "collections").glob("*.toml"))


def _plan(**changes):
    table = {"codes": ["surface_d3"], "p": [0.01], "decoders": ["pymatching"]} | changes
    return make_plan({"max_shots": 100, "max_errors": 10, "experiments": [table]}, "test")


def _never(reason: str) -> None:
    raise AssertionError(reason)


def test_every_combination():
    plan = _plan(p=[0.01, 0.02], rounds=["d", 5], decoders=["pymatching", "bposd"], max_shots=7)
    found = cells(plan, skipped=_never)
    assert len(found) == len(set(found)) == 2 * 2 * 2 * 2
    assert {(cell.rounds, cell.max_shots, cell.max_errors) for cell in found} == {(3, 7, 10), (5, 7, 10)}
    assert str(found[0]) == "surface_d3 p=0.01 rounds=3 basis=Z pymatching"


def test_models_of_a_code():
    *local, cell = cells(_plan(decoders=["cascade"], bases=["X"]), skipped=_never)
    assert [one.decoder for one in local] == ["cascade:local_surface", "cascade:local_surface_fast"]
    assert cell.decoder == "cascade:surface_d3"
    assert parameters(MACHINE.decoder(cell.decoder))["precision"] == "float32"
    assert len(parameters(MACHINE.decoder(cell.decoder))["weights_sha256"]) == 16


def test_model_of_a_file(tiny_model):
    (cell,) = cells(_plan(decoders=[f"cascade:{tiny_model}"], bases=["X"]), skipped=_never)
    assert cell.decoder == f"cascade:{tiny_model}"


def test_model_with_a_threshold(tiny_model):
    (cell,) = cells(_plan(decoders=[f"cascade:{tiny_model}@0.9"], bases=["X"]), skipped=_never)
    assert cell.decoder == f"cascade:{tiny_model}@0.9"
    assert parameters(MACHINE.decoder(cell.decoder))["discard_below"] == 0.9
    assert MACHINE.decoder(cell.decoder) == decoders.get(f"cascade:{tiny_model}@0.9", device="cpu", precision="float32")


def test_model_with_a_fallback_has_the_error_model_that_both_can_use():
    (cell,) = cells(_plan(decoders=["cascade:surface_d3+pymatching-correlated"], bases=["X"]), skipped=_never)
    task = sinter_task(cell, MACHINE)
    assert task.json_metadata["parameters"]["pymatching-correlated.enable_correlations"] is True
    assert "^" in str(task.detector_error_model)


@pytest.mark.parametrize(
    ("decoder", "code", "reason"),
    [
        ("chromobius", "surface_d3", "chromobius cannot decode surface_d3"),
        ("pymatching", "bb72", "pymatching cannot decode bb72"),
        ("pymatching-filtered", "bb72", "at most two detectors"),
        ("cascade:bb72", "surface_d3", "cascade:bb72 decodes bb72, not surface_d3"),
        ("cascade:local_surface", "bb72", "cascade:local_surface decodes surface_d7, not bb72"),
        ("cascade:local_bb72+pymatching", "bb72", "pymatching cannot decode bb72"),
        ("cascade", "bb90", "no shipped model of bb90"),
    ],
)
def test_what_cannot_decode_is_skipped_beside_others_and_refused_alone(decoder, code, reason):
    reasons = []
    found = cells(_plan(codes=[code], decoders=[decoder, "bposd"]), skipped=reasons.append)
    assert {cell.decoder for cell in found} == {"bposd"}
    assert len(reasons) == 1
    assert reason in reasons[0]
    with pytest.raises(CascadeError, match=reason):
        cells(_plan(codes=[code], decoders=[decoder]), skipped=_never)


def test_missing_package_is_told_once_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "relay_bp", None)
    reasons = []
    cells(_plan(codes=["surface_d3", "surface_d5"], decoders=["relay-bp", "pymatching"]), skipped=reasons.append)
    assert len(reasons) == 1
    assert reasons[0].endswith("pip install relay-bp")
    with pytest.raises(CascadeError, match="relay-bp needs the package relay_bp"):
        cells(_plan(decoders=["relay-bp"]), skipped=_never)


def test_nothing_twice():
    with pytest.raises(CascadeError, match=r"twice: surface_d3 p=0\.01 rounds=3"):
        cells(_plan(rounds=["d", 3]), skipped=_never)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"codes": ["surface_d4"]}, "test, experiments.0.codes: .*surface_d4|distance"),
        ({"decoders": ["mwpm"]}, "test, experiments.0.decoders: .*unknown classical decoder 'mwpm'"),
        ({"noise": "pink"}, "unknown noise model 'pink'"),
        ({"p": []}, "experiments.0.p"),
        ({"rounds": ["e"]}, "experiments.0.rounds"),
        ({"shots": 3}, "experiments.0.shots: Extra inputs"),
    ],
)
def test_mistakes_name_their_key(changes, message):
    with pytest.raises(CascadeError, match=message):
        _plan(**changes)


def test_files(tmp_path):
    path = tmp_path / "plan.toml"
    with pytest.raises(CascadeError, match=r"plan.toml: cannot be read"):
        read_plan(path)
    path.write_text("max_shots = ")
    with pytest.raises(CascadeError, match=r"plan.toml: expected a plan in TOML"):
        read_plan(path)
    path.write_text('[[experiments]]\ncodes = ["bb72"]\np = [0.003]\ndecoders = ["bposd"]\n')
    assert read_plan(path).experiments[0].bases == ["Z", "X"]


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_shipped_plans_can_be_read(path):
    assert read_plan(path).experiments


def test_shipped_plans_are_there():
    assert {path.stem for path in PLANS} >= {"surface_d3", "surface_d5", "bb72"}


def test_rows_tell_the_experiment_and_the_settings():
    (cell,) = cells(_plan(decoders=["relay-bp-filtered"], bases=["X"]), skipped=_never)
    task = sinter_task(cell, MACHINE)
    metadata = dict(task.json_metadata)
    assert metadata.pop("parameters")["gamma_dist_interval"] == [-0.22628432386414646, 0.6216020925981884]
    expected = {"code": "surface_d3", "d": 3, "n": 9, "k": 1, "p": 0.01}
    assert metadata == expected | {"rounds": 3, "basis": "X", "noise": "uniform"}
    assert (task.decoder, task.collection_options.max_shots, task.collection_options.max_errors) == (
        "relay-bp-filtered",
        100,
        10,
    )


@pytest.mark.parametrize(
    ("given", "enough"),
    [
        ({}, (1_000_000, 1000)),
        ({"max_shots": 10**9}, (10**9, None)),
        ({"max_errors": 50}, (1_000_000, 50)),
        ({"max_shots": 7, "max_errors": 50}, (7, 50)),
    ],
)
def test_errors_end_nothing_whose_shots_alone_are_limited(given, enough):
    table = {"codes": ["surface_d3"], "p": [0.01], "decoders": ["pymatching"], "bases": ["Z"]}
    for plan in ({"experiments": [table], **given}, {"experiments": [table | given]}):
        (cell,) = cells(make_plan(plan, "test"), skipped=pytest.fail)
        assert (cell.max_shots, cell.max_errors) == enough
