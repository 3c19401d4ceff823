import numpy as np
import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.rare_events.tallies import Run, Tallies, read_tallies, write_tallies

PS = (0.001, 0.01)


def _run(**changes) -> Run:
    fields = {
        "decoder": "cascade:surface_d3",
        "parameters": "a=1, b=2",
        "code": "surface_d3",
        "rounds": 3,
        "basis": "Z",
        "noise": "uniform",
        "sampled_at": 0.01,
        "seed": 4,
    }
    return Run(**fields | changes)


def _tallies() -> Tallies:
    tallies = Tallies(_run(), PS)
    rng = np.random.default_rng(0)
    for stage, w in (("all", 0), ("pilot", 3), ("main", 3), ("main", 11)):
        tallies.of(stage, w).add(rng.random((2, w)), shots=100 + w, seconds=1 / 3)
    return tallies


def _state(tallies: Tallies) -> list[tuple]:
    return [(stage, w, t.shots, t.failures, t.seconds, *t.weights, *t.squares) for stage, w, t in tallies]


def test_counts_are_read_back_to_the_last_digit(tmp_path):
    path = tmp_path / _run().file_name
    assert path.name == "strata_cascade-surface_d3_surface_d3_r3_Z_p0.01.csv"
    write_tallies(path, _tallies())
    assert _state(read_tallies(path, _run(), PS)) == _state(_tallies())


def test_no_file_is_a_fresh_start(tmp_path):
    assert _state(read_tallies(tmp_path / "none.csv", _run(), PS)) == []


@pytest.mark.parametrize(
    ("run", "ps", "message"),
    [
        (_run(seed=5), PS, "seed = 5 to add to, found 4"),
        (_run(parameters="a=2"), PS, "parameters = a=2 to add to, found a=1, b=2"),
        (_run(), (0.001, 0.002), r"p = 0.001, 0.002 to add to, found p = 0.001, 0.01"),
        (_run(), (0.001,), r"p = 0.001 to add to, found"),
    ],
)
def test_counts_of_another_run_are_refused(tmp_path, run, ps, message):
    path = tmp_path / "strata.csv"
    write_tallies(path, _tallies())
    with pytest.raises(CascadeError, match=message):
        read_tallies(path, run, ps)


def test_damaged_files_are_told_with_their_line(tmp_path):
    path = tmp_path / "strata.csv"
    write_tallies(path, _tallies())
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:3], lines[3][: len(lines[3]) // 2]]))
    with pytest.raises(CascadeError, match="line 4, column"):
        read_tallies(path, _run(), PS)
