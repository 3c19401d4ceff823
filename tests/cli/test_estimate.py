"""``cascade estimate``: files of shots in, a model with learnt rates out."""

# Stim's instructions and loops share a type.
# pyright: reportAttributeAccessIssue=false

import csv

import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.cli import main


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with a circuit, its error model, and shots of one whose channels are not as strong."""
    folder = tmp_path_factory.mktemp("estimate")
    plain = circuits.memory(codes.get("surface_d3"), rounds=2, noise=circuits.UniformDepolarizing(0.004))
    truth = circuits.scattered(plain, 2, seed=1)
    plain.to_file(folder / "plain.stim")
    plain.detector_error_model(decompose_errors=True).to_file(folder / "plain.dem")
    sampler = truth.compile_detector_sampler(seed=2)
    sampler.sample_write(20_000, filepath=folder / "both.b8", format="b8", append_observables=True)
    truth.compile_detector_sampler(seed=2).sample_write(20_000, filepath=folder / "shots.dets", format="dets")
    return folder


def test_a_circuit_learns_strengths_and_an_error_model_probabilities(files, tmp_path, capsys):
    circuit = ["estimate", "--circuit", f"{files}/plain.stim"]
    shots = ["--in", f"{files}/both.b8", "--in_includes_appended_observables"]
    assert main([*circuit, *shots, "--out", f"{tmp_path}/c.stim", "--rates_out", f"{tmp_path}/rates.csv"]) == 0
    shown = capsys.readouterr().out
    assert "shots: 20000" in shown
    assert "chi squared" in shown
    learnt, plain = (stim.Circuit.from_file(path) for path in (tmp_path / "c.stim", files / "plain.stim"))
    assert learnt != plain
    assert learnt.without_noise() == plain.without_noise()
    with (tmp_path / "rates.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert all(float(row["factor_low"]) < float(row["factor"]) < float(row["factor_high"]) for row in rows)
    assert "DEPOLARIZE2 9 1" in {row["source"] for row in rows}

    # the same shots in another format give the same model
    same = ["--in", f"{files}/shots.dets", "--decompose_errors"]
    assert main([*circuit, *same, "--out", f"{tmp_path}/c.dem"]) == 0
    found = stim.DetectorErrorModel.from_file(tmp_path / "c.dem")
    assert found.approx_equals(learnt.detector_error_model(decompose_errors=True), atol=1e-6)

    assert main(["estimate", "--dem", f"{files}/plain.dem", *shots, "--out", f"{tmp_path}/d.dem"]) == 0
    found, prior = (stim.DetectorErrorModel.from_file(path) for path in (tmp_path / "d.dem", files / "plain.dem"))
    assert [line.targets_copy() for line in found] == [line.targets_copy() for line in prior.flattened()]
    assert found != prior


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "o.dem"], "expected either --circuit or --dem, got neither"),
        (["--circuit", "plain.stim", "--dem", "plain.dem", "--out", "o.dem"], "--circuit or --dem, got both"),
        (["--dem", "plain.dem", "--out", "o.stim"], "expected --circuit with --out"),
        (["--dem", "plain.dem", "--out", "o.dem", "--decompose_errors"], "expected --circuit with --decompose_errors"),
        (["--dem", "plain.dem", "--out", "plain.dem"], "plain.dem"),
        (["--dem", "plain.dem", "--out", "o.dem", "--within", "0.5"], "expected a factor above 1"),
        (["--dem", "plain.dem", "--out", "o.dem", "--within", "1e400"], "expected a factor above 1 and at most 1e+06"),
        (["--dem", "plain.dem", "--out", "o.dem", "--rates_out", "nowhere/r.csv"], "there is no folder nowhere"),
        (["--dem", "plain.dem", "--out", "o.dem", "--in_format", "b8"], "expected"),
    ],
)
def test_what_does_not_fit_together_is_refused(arguments, message, files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    assert main(["estimate", "--in", "shots.dets", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (files / "o.dem").exists()


@pytest.mark.filterwarnings("always::cascade_qec.errors.CascadeWarning")
def test_shots_of_another_circuit_are_told(files, tmp_path, capsys):
    other = circuits.memory(codes.get("surface_d3"), rounds=2, basis="X", noise=circuits.UniformDepolarizing(0.004))
    other.compile_detector_sampler(seed=3).sample_write(20_000, filepath=tmp_path / "x.b8", format="b8")
    out = ["--in", f"{tmp_path}/x.b8", "--out", f"{tmp_path}/o.dem"]
    assert main(["estimate", "--circuit", f"{files}/plain.stim", *out]) == 0
    assert "do not fit" in capsys.readouterr().err
