"""A reader's own shots on the page: those of the code's own experiment, with the same right and wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from struct import unpack

import numpy as np
import pytest
import stim
from safetensors.numpy import load

import cascade_qec as cascade
from cascade_qec import CascadeError
from cascade_qec.page import contents, own_shots


def written(circuit: stim.Circuit, shots: int, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Shots in files, and as they are."""
    events, truth = circuit.compile_detector_sampler(seed=4).sample(shots, separate_observables=True)
    circuit.to_file(folder / "c.stim")
    for name, bits, b8 in (("shots.b8", events, "b8"), ("truth.01", truth, "01")):
        kind = {"num_detectors": bits.shape[1]}
        stim.write_shot_data_file(data=bits, path=folder / name, format=b8, **kind)
    return events, truth


def of_stim(rounds: int = 4, distance: int = 3) -> stim.Circuit:
    noise = {"after_clifford_depolarization": 0.01, "before_measure_flip_probability": 0.01}
    return stim.Circuit.generated("surface_code:rotated_memory_x", distance=distance, rounds=rounds, **noise)


def mixed() -> stim.Circuit:
    """An experiment of bb72 whose observables are others: numbered otherwise, and one a sum."""
    text = str(cascade.load("bb72").experiment(0.005, basis="Z").flattened())
    text = re.sub(
        r"OBSERVABLE_INCLUDE\((\d+)\)", lambda found: f"OBSERVABLE_INCLUDE({(5 * int(found[1]) + 2) % 12})", text
    )
    first = next(line for line in text.splitlines() if line.startswith("OBSERVABLE_INCLUDE(2)"))
    return stim.Circuit(text + "\n" + first.replace("(2)", "(7)"))


@pytest.mark.parametrize(("circuit", "model"), [(of_stim(), "surface_d3"), (mixed(), "bb72")], ids=["stim", "mixed"])
def test_the_network_is_right_where_it_is_on_the_circuit(circuit: stim.Circuit, model: str, tmp_path: Path) -> None:
    events, truth = written(circuit, 200, tmp_path)
    own = own_shots(tmp_path / "c.stim", tmp_path / "shots.b8", tmp_path / "truth.01")
    assert (own.shots, own.total) == (200, 200)
    arrays = load(own.file)
    facts = json.loads(json.loads(own.file[8 : 8 + unpack("<Q", own.file[:8])[0]])["__metadata__"]["page"])
    assert facts["name"] == model
    assert facts["shots"] == {"circuit": "c.stim", "file": "shots.b8", "total": 200}

    decoder = cascade.load(model, device="cpu")
    bound = decoder.bind(rounds=facts["rounds"], basis=facts["basis"])
    moved = np.zeros((200, bound.num_detectors), dtype=bool)
    for shot, (start, stop) in enumerate(zip(arrays["shots.start"], arrays["shots.start"][1:], strict=False)):
        moved[shot, arrays["shots.detector"][start:stop]] = True
    there = bound.decode_chosen(moved).observables @ (1 << np.arange(facts["code"]["k"])) == arrays["shots.observables"]
    here = (decoder.bind(circuit).decode_chosen(events).observables == truth).all(axis=1)
    np.testing.assert_array_equal(there, here)
    assert 100 < here.sum() < 200
    assert b'<body data-shots="shots.b8">' in contents(own)["index.html"]()


def test_shots_without_truth_are_shown(tmp_path: Path) -> None:
    written(of_stim(), 3, tmp_path)
    own = own_shots(tmp_path / "c.stim", tmp_path / "shots.b8")
    assert "shots.observables" not in load(own.file)


def test_what_the_page_cannot_show_is_refused(tmp_path: Path) -> None:
    written(of_stim(rounds=17, distance=5), 3, tmp_path)
    with pytest.raises(CascadeError, match=r"surface_d5 was measured at 1 to 15 rounds, got an experiment of 17"):
        own_shots(tmp_path / "c.stim", tmp_path / "shots.b8")
    written(of_stim(), 3, tmp_path)
    (tmp_path / "truth.01").write_text("0\n1\n")
    with pytest.raises(CascadeError, match=r"the observables of 3 shots, got those of 2"):
        own_shots(tmp_path / "c.stim", tmp_path / "shots.b8", tmp_path / "truth.01")
    with pytest.raises(CascadeError, match=r"local_surface has no logical head"):
        own_shots(tmp_path / "c.stim", tmp_path / "shots.b8", model="local_surface")
