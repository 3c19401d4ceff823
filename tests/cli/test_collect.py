"""`cascade collect` on small plans; spawned workers are tested in tests/evaluation."""

import json

import pytest
import typer
from typer.testing import CliRunner

from cascade_qec.cli import main
from cascade_qec.cli.collect import collect
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.collection import workers as collection_workers
from cascade_qec.evaluation.collection.store import read_store
from cascade_qec.evaluation.fits.reading import read_points

RELAY = '[[experiments]]\ncodes = ["surface_d3"]\np = [0.02]\nbases = ["X"]\ndecoders = ["relay-bp", "chromobius"]\n'


class _Inline:
    """One worker, in this process."""

    def __init__(self, workers):
        self.workers = workers
        self._sampling = collection_workers.Sampling()
        self._pieces = []
        self._joining = [0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def submit(self, worker, piece):
        self._pieces.append((worker, piece))

    def outcomes(self):
        if self._joining:
            return [(self._joining.pop(), collection_workers.Joined())]
        worker, piece = self._pieces.pop(0)
        return [(worker, self._sampling.run(piece))]


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(collection_workers, "LocalPool", _Inline)
    app = typer.Typer(context_settings={"token_normalize_func": lambda flag: flag.replace("-", "_")})
    app.command()(collect)

    def invoke(*arguments):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result

    return invoke


def test_flags(run, tmp_path):
    out = tmp_path / "c.csv"
    arguments = ["--codes", "surface_d3", "--p", "0.01,0.02", "--bases", "Z", "--decoders", "pymatching,bposd-filtered"]
    result = run(*arguments, "--max_shots", 300, "--processes", 1, "--out", out)
    assert "bposd-filtered: max_bp_iters=30, bp_method=product_sum, osd_order=60" in result.stderr
    assert "tasks: 4 of 4; surface_d3 p=0.02 rounds=3 basis=Z" in result.stderr
    assert f"{out}: 1,200 shots added" in result.stderr
    assert "% of it sampling and decoding" in result.stderr
    assert result.stdout.count("/ 300") == 4
    assert "per logical per cycle" in result.stdout
    assert [stats.shots for stats in read_store(out)] == [300] * 4
    again = run(*arguments, "--max_shots", 300, "--processes", 1, "--out", out)
    assert "0 shots added" in again.stderr
    assert again.stdout.count("/ 300") == 4


def test_limits_stand_in_the_help(capsys):
    assert main(["collect", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "[default: 1,000,000]" in told
    assert "[default: 1,000; with --max_shots alone no such limit]" in told


def test_tasks_say_which_limit_ended_them(run, tmp_path):
    flags = ["--codes", "surface_d3", "--p", "0.1", "--bases", "Z", "--decoders", "pymatching", "--processes", 1]
    shots = run(*flags, "--max_shots", 5000, "--out", tmp_path / "shots.csv")
    (stats,) = read_store(tmp_path / "shots.csv")
    # About a third of the shots fail; fewer than 1000 are 20 standard deviations away.
    assert stats.shots == 5000
    assert stats.errors > 1000
    assert "5,000 shots, ended by max_shots" in shots.stderr
    assert "Tasks ended: 1 by max_shots." in shots.stdout
    errors = run(*flags, "--max_shots", 5000, "--max_errors", 20, "--out", tmp_path / "errors.csv")
    assert ", ended by max_errors" in errors.stderr
    assert "Tasks ended: 1 by max_errors." in errors.stdout


def test_plan_with_limits_of_its_own_and_a_skip(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.toml").write_text("max_shots = 50\n" + RELAY)
    result = run("plan.toml", "--processes", 1)
    assert result.stderr.count("Skipped: chromobius cannot decode surface_d3") == 1
    (stats,) = read_store(tmp_path / "plan.csv")
    assert (stats.decoder, stats.shots) == ("relay-bp", 50)
    assert stats.json_metadata["parameters"]["stop_nconv"] == 5
    run("plan.toml", "--processes", 1, "--max_shots", 80)
    assert [stats.shots for stats in read_store(tmp_path / "plan.csv")] == [80]


def test_a_models_rows_tell_its_weights_and_precision(run, tmp_path):
    out = tmp_path / "c.csv"
    flags = ["--codes", "surface_d3", "--p", "0.007", "--bases", "Z", "--decoders", "cascade", "--precision", "float32"]
    run(*flags, "--max_shots", 200, "--processes", 1, "--out", out)
    *local, stats = read_store(out)
    assert [one.decoder for one in local] == ["cascade:local_surface", "cascade:local_surface_fast"]
    assert stats.decoder == "cascade:surface_d3"
    assert json.dumps(stats.json_metadata["parameters"]).startswith('{"precision": "float32", "weights_sha256": "')
    # About 4 % of the shots fail; more than 40 of 200 would with probability below 1e-9.
    assert stats.errors < 40


def test_discards_are_kept_and_left_out_of_rates(run, tmp_path):
    out = tmp_path / "c.csv"
    decoder = "cascade:surface_d3@0.99"
    flags = ["--codes", "surface_d3", "--p", "0.007", "--bases", "Z", "--decoders", decoder, "--precision", "float32"]
    result = run(*flags, "--max_shots", 500, "--processes", 1, "--out", out)
    (stats,) = read_store(out)
    assert (stats.decoder, stats.shots, stats.json_metadata["parameters"]["discard_below"]) == (decoder, 500, 0.99)
    # About a third of the shots are less sure than that; 100 from the mean are nine standard deviations.
    assert 60 < stats.discards < 300
    share = f"{stats.discards / 500:.2g}"
    assert f"{stats.errors} / {500 - stats.discards}" in result.stdout
    assert f"{share} of shots discarded" in result.stdout
    assert f"{stats.errors} errors in 500 shots, {share} of them discarded" in result.stderr
    (point,) = read_points([out])
    assert (point.shots, point.failures) == (500 - stats.discards, stats.errors)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a plan that names it|--codes is missing"),
        (["--codes", "bb72", "--decoders", "bposd"], "--p is missing"),
        (["--codes", "bb72", "--p", "x", "--decoders", "bposd"], "--p: expected numbers separated by commas, got 'x'"),
        (["--codes", "bb71", "--p", "0.1", "--decoders", "bposd"], "flags, experiments.0.codes: .*bb71"),
        (["--codes", "surface_d3", "--p", "0.01", "--decoders", "bposd"], "expected --save_resume_filepath"),
        (
            ["--codes", "surface_d3", "--p", "0.01", "--decoders", "cascade:surface_d3@2", "--out", "c.csv"],
            "cascade:surface_d3.*: expected a threshold of confidence above 0 and up to 1, got 2.0",
        ),
        (["nowhere.toml"], "nowhere.toml: expected a file to read, found nothing of that name"),
        ([__file__, "--codes", "bb72"], "either a plan or flags"),
    ],
)
def test_mistakes(run, arguments, message):
    with pytest.raises(CascadeError, match=message):
        run(*arguments)
