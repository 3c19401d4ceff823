"""Rivals' rows from collections, for cards."""

from pathlib import Path

import pytest
import sinter

from cascade_qec import cli
from cascade_qec.decoders import classical
from cascade_qec.decoders.protocol import settings
from cascade_qec.errors import CascadeError
from workshop.cards.collected import larger_samples, rivals_of

EXPERIMENT = {"code": "surface_d3", "rounds": 3, "noise": "uniform"}
PARAMETERS = {"enable_correlations": True}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """One decoder on both bases at 0.3 %, on one at 0.5 %; a network; another noise model."""
    tasks = [
        ("pymatching-correlated", 0.003, "Z", 900, 9, {}),
        ("pymatching-correlated", 0.003, "X", 1100, 13, {}),
        ("pymatching-correlated", 0.005, "Z", 1000, 40, {}),
        ("cascade:surface_d3", 0.003, "Z", 1000, 8, {}),
        ("cascade:surface_d3", 0.003, "X", 1000, 8, {}),
        ("bposd", 0.003, "Z", 500, 5, {"noise": "code_capacity"}),
        ("bposd", 0.003, "X", 500, 5, {"noise": "code_capacity"}),
    ]
    lines = [sinter.CSV_HEADER]
    for decoder, p, basis, shots, errors, others in tasks:
        about = EXPERIMENT | {"p": p, "basis": basis, "parameters": PARAMETERS} | others
        stats = sinter.TaskStats(str(len(lines)), decoder, about, shots=shots, errors=errors, seconds=0.5)
        lines.append(stats.to_csv_line())
    path = tmp_path / "collection.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_classical_decoders_on_all_bases_become_rows(collection: Path) -> None:
    (row,) = rivals_of(collection, **EXPERIMENT, bases=["Z", "X"])
    assert (row.decoder, row.p, row.shots, row.failures) == ("pymatching-correlated", 0.003, 2000, 22)
    assert row.microseconds_per_shot == pytest.approx(500)
    assert row.parameters == "enable_correlations=True"


def test_parameters_are_written_as_in_other_tables(tmp_path: Path) -> None:
    plan = ["collect", "--codes", "surface_d3", "--p", "0.02", "--decoders", "bposd", "--max_shots", "10"]
    assert cli.main([*plan, "--processes", "1", "--out", str(tmp_path / "counts.csv")]) == 0
    (row,) = rivals_of(tmp_path / "counts.csv", **EXPERIMENT, bases=["Z", "X"])
    assert row.parameters == settings(classical.get("bposd"))


def test_a_collection_of_something_else_is_refused(collection: Path) -> None:
    with pytest.raises(CascadeError, match="on surface_d3, 4 rounds, uniform noise, bases XZ; got none"):
        rivals_of(collection, **EXPERIMENT | {"rounds": 4}, bases=["Z", "X"])


def test_the_larger_sample_stands(collection: Path) -> None:
    (collected,) = rivals_of(collection, **EXPERIMENT, bases=["Z", "X"])
    fewer, more = (collected.model_copy(update={"shots": shots, "seed": 1}) for shots in (1999, 2001))
    other = collected.model_copy(update={"decoder": "pymatching", "shots": 10})
    lower = fewer.model_copy(update={"p": 0.001})
    assert larger_samples([fewer, other, collected, lower]) == [lower, collected, other]
    assert larger_samples([more, collected]) == [more]
