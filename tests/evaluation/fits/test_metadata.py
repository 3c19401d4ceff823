"""Files that sinter itself wrote, with whatever metadata its users gave it."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import stim

from cascade_qec import cli
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.fits.metadata import Experiment, fields_from
from cascade_qec.evaluation.fits.reading import read_points

pytestmark = pytest.mark.slow  # sinter starts a process of its own

SHOTS = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `sinter collect` wrote auto.csv, with metadata from names of files, and plain.csv, without."""
    folder = tmp_path_factory.mktemp("sinter")
    for p in (0.02, 0.03):
        noise = {"after_clifford_depolarization": p}
        circuit = stim.Circuit.generated("surface_code:rotated_memory_x", distance=3, rounds=4, **noise)
        circuit.to_file(folder / f"d=3,r=4,p={p},b=X,c=surface.stim")
        circuit.to_file(folder / "plain.stim")
    for name, circuits, flags in (
        ("auto.csv", sorted(folder.glob("d=*.stim")), ("--metadata_func", "auto")),
        ("plain.csv", [folder / "plain.stim"], ()),
    ):
        arguments = ("--decoders", "pymatching", "--processes", "1", "--max_shots", str(SHOTS), *flags)
        out = ("--save_resume_filepath", folder / name)
        subprocess.run(
            [Path(sys.executable).with_name("sinter"), "collect", "--circuits", *circuits, *arguments, *out],
            check=True,
            capture_output=True,
        )
    return folder


def test_usual_keys_are_read(folder: Path) -> None:
    points = read_points([folder / "auto.csv"])
    assert sorted((one.code, one.p, one.rounds, one.bases, one.k, one.d, one.shots) for one in points) == [
        ("surface_d3", 0.02, 4, "X", 1, 3, SHOTS),
        ("surface_d3", 0.03, 4, "X", 1, 3, SHOTS),
    ]


def test_what_is_missing_is_asked_for_and_said_by_flags(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rates.png"
    assert cli.main(["plot", "rates", str(folder / "plain.csv"), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert "expected code, p, rounds, basis in json_metadata, got path; say it by --field code=..." in error
    assert error.count("\n") == 1
    said = ["code=surface_d3", "p=0.03", "rounds=4", "basis=x"]
    flags = [word for text in said for word in ("--field", text)]
    assert cli.main(["plot", "rates", str(folder / "plain.csv"), "--out", str(out), *flags]) == 0
    assert out.stat().st_size > 1000
    (point,) = read_points([folder / "plain.csv"], fields_from(said))
    assert (point.code, point.p, point.rounds, point.bases) == ("surface_d3", 0.03, 4, "X")


def test_fits_of_sinters_file(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "fits.csv"
    assert cli.main(["fit", str(folder / "auto.csv"), "--out", str(out), "--simulations", "19"]) == 0
    with out.open() as file:
        assert {row["code"] for row in csv.DictReader(file)} == {"surface_d3"}


def test_a_field_may_be_called_otherwise_or_be_the_same_for_all() -> None:
    metadata = {"distance": 5, "noise": 0.004, "cycles": 7}
    here = Experiment(metadata, fields_from(["p=noise", "rounds=cycles", "code=surface", "basis=Z"]), "a.csv")
    found = (here.code, here.p, here.rounds, here.basis, here.noise, here.d)
    assert found == (
        "surface_d5",
        0.004,
        7,
        "Z",
        "uniform",
        5,
    )


@pytest.mark.parametrize("metadata", [None, [1, 2], "text", 3.5])
def test_metadata_of_any_kind(metadata: object) -> None:
    with pytest.raises(CascadeError, match=r"a\.csv: expected code, p, rounds, basis in json_metadata, got none"):
        Experiment(metadata, {}, "a.csv")


def test_wrong_fields_are_refused() -> None:
    with pytest.raises(CascadeError, match="--field: expected NAME=KEY or NAME=VALUE with a name among code, p"):
        fields_from(["cod=surface"])
    with pytest.raises(CascadeError, match=r"a\.csv: expected p as float, got 'nosie'"):
        Experiment({"code": "bb72", "rounds": 6, "basis": "Z", "noise": 0.1}, fields_from(["p=nosie"]), "a.csv")
    with pytest.raises(CascadeError, match="expected a code of the registry or, beside another, k"):
        Experiment({"code": "mine", "rounds": 6, "basis": "Z", "p": 0.1}, {}, "a.csv")
