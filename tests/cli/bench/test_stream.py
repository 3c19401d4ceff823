"""`cascade bench stream`: from decoders and a code, or recorded shots, to a table and its figure."""

from pathlib import Path

import numpy as np
import pytest
import stim

from cascade_qec import circuits, cli, codes
from cascade_qec.evaluation.replay import ReplayRow
from cascade_qec.serving import background
from cascade_qec.tables import read_rows


def _run(*arguments: str | Path) -> int:
    return cli.main(["bench", "stream", *map(str, arguments)])


def test_rows_are_printed_written_and_drawn(tmp_path: Path, capsys) -> None:
    out, figure = tmp_path / "results" / "replay.csv", tmp_path / "replay.svg"
    asked = ("--code", "surface_d3", "--p", "0.01", "--rounds", "8", "--shots", "20", "--cadence_us", "5")
    decoders = ("pymatching", "cascade:local_surface")
    assert _run(*decoders, *asked, "--cadence_us", "50", "--commit", "2", "--buffer", "2", "--out", out) == 0
    rows = read_rows(out, ReplayRow)
    assert [(row.decoder, row.cadence_us) for row in rows] == [(name, pace) for name in decoders for pace in (5, 50)]
    assert all((row.code, row.rounds, row.decided, row.ahead, row.shots) == ("surface_d3", 8, 2, 2, 20) for row in rows)
    printed = capsys.readouterr()
    assert "replay, shots: 20 of 20" in printed.err
    assert f"Table: {out}" in printed.out
    assert cli.main(["plot", "replay", str(out), "--out", str(figure)]) == 0
    drawn = figure.read_text()
    assert drawn.count("rounds that wait") == 2
    assert "cascade:local_surface, 2+2" in drawn


def test_recorded_shots(tmp_path: Path) -> None:
    noise = circuits.UniformDepolarizing(0.01)
    circuit = circuits.memory(codes.get("surface_d3"), rounds=6, noise=noise)
    shots = np.asarray(circuit.compile_detector_sampler(seed=3).sample(30, append_observables=True))
    (tmp_path / "device.stim").write_text(str(circuit))
    stim.write_shot_data_file(
        data=shots, path=str(tmp_path / "s.b8"), format="b8", num_detectors=circuit.num_detectors, num_observables=1
    )
    out = tmp_path / "replay.csv"
    asked = ("--circuit", tmp_path / "device.stim", "--in", tmp_path / "s.b8", "--shots", "100", "--out", out)
    assert _run("pymatching", *asked, "--cadence_us", "1", "--processor_time") == 0
    (row,) = read_rows(out, ReplayRow)
    assert (row.code, row.shots, row.rounds, row.processor_time) == ("device", 30, 6, True)
    assert (row.p, row.basis, row.seed) == (None, "", None)
    assert cli.main(["plot", "replay", str(out), "--out", str(tmp_path / "replay.svg")]) == 0
    assert "device, 1 µs a round" in (tmp_path / "replay.svg").read_text()
    import pymatching

    matching = pymatching.Matching.from_detector_error_model(circuit.detector_error_model(decompose_errors=True))
    said = np.asarray(matching.decode_batch(shots[:, :-1]))
    assert row.whole_failures == (said[:, 0] != shots[:, -1]).sum()


def test_a_server_and_none(tmp_path: Path, capsys) -> None:
    out = tmp_path / "replay.csv"
    asked = ("pymatching", "--code", "surface_d3", "--rounds", "6", "--shots", "2", "--cadence_us", "100", "--out", out)
    with background(["pymatching"]) as address:
        assert _run(*asked, "--server", address) == 0
    assert [(row.server, row.us_per_round_mean) for row in read_rows(out, ReplayRow)] == [(True, None)]
    capsys.readouterr()
    assert _run(*asked, "--server", address) == 2
    assert "Error: the decoding server: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pymatching"], "expected the experiment once, by --code or by --circuit"),
        (["guessing", "--code", "surface_d3"], "unknown classical decoder 'guessing'"),
        (["pymatching", "--code", "surface_d3", "--in", "README.md"], "expected --circuit with --in"),
        (
            ["pymatching", "--code", "surface_d3", "--server", "x:1", "--processor_time"],
            "expected --processor_time without",
        ),
        (["pymatching", "--code", "surface_d3", "--cadence_us", "-1", "--shots", "1"], "expected cadences above 0"),
    ],
)
def test_errors(arguments: list[str], message: str, capsys, tmp_path: Path) -> None:
    out = tmp_path / "replay.csv"
    assert _run(*arguments, "--out", out) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()
