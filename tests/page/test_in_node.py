"""The page's mathematics, in TypeScript, against what Python says of the same shots."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pymatching
import pytest
import stim

import cascade_qec as cascade
from cascade_qec import circuits
from cascade_qec.decoders import get
from cascade_qec.decoders.projection import basis_detectors, mechanisms, project, symptoms
from cascade_qec.decoders.streams import Stream, Windows, windows
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.lattice import memory_lattice
from cascade_qec.page.kernels import kernels_file
from cascade_qec.page.model_file import BASIS, MODELS, experiment_file, model_file
from cascade_qec.statistics import wilson
from tests.page.kernel_values import kernel_values

WEB = Path(__file__).parents[2] / "web"

_SHOTS = {"surface_d3": 400, "surface_d5": 200, "surface_d7": 60, "bb72": 60}
"""Of each model; half of them at twice the noise of its training, where decisions are close."""


_STREAMS = {"surface_d3": 300, "surface_d5": 100}
"""Shots of each code whose streams are compared."""


@pytest.mark.slow
def test_the_page_computes_what_python_does(node: str, tmp_path: Path) -> None:
    for name in MODELS:
        (tmp_path / f"{name}.safetensors").write_bytes(model_file(name))
        (tmp_path / f"{name}.json").write_text(json.dumps(_values(name)))
    segments, values = _in_segments()
    (tmp_path / "segments.safetensors").write_bytes(segments)
    (tmp_path / "segments.json").write_text(json.dumps(values))
    (tmp_path / "kernels.json").write_bytes(kernels_file())
    (tmp_path / "kernel_values.json").write_text(json.dumps(kernel_values()))
    run = subprocess.run(
        [node, "--test", "--test-reporter=tap", "--test-concurrency=1", "test/*.test.ts"],
        cwd=WEB,
        env=os.environ | {"CASCADE_PAGE_VALUES": str(tmp_path), "NODE_NO_WARNINGS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "# fail 0" in run.stdout


def _values(name: str) -> dict[str, Any]:
    decoder = cascade.load(name, device="cpu")
    p, shots = decoder.description.noise_p, _SHOTS[name]
    circuit = decoder.experiment(p, basis=BASIS)
    model = error_model(circuit)
    strong = decoder.experiment(2 * p, basis=BASIS)
    events = np.concatenate([each.compile_detector_sampler(seed=11).sample(shots // 2) for each in (circuit, strong)])
    result = decoder.bind(basis=BASIS).decode_chosen(events)
    all_mechanisms = Mechanisms.of(model)
    matching = weight = None
    if decoder.code.matchable:
        kept = basis_detectors(model)
        rival = pymatching.Matching(project(model, kept))
        predicted, weights = rival.decode_batch(events[:, kept], return_weights=True)
        matching, weight = predicted[:, 0].tolist(), weights.tolist()
    return {
        "p": p,
        "events": [np.flatnonzero(row).tolist() for row in events],
        "observables": (result.observables @ (1 << np.arange(decoder.code.k))).tolist(),
        "probabilities": result.probabilities.tolist(),
        "log_odds": result.log_odds.tolist(),
        "matching": matching,
        "weight": weight,
        "mechanisms": all_mechanisms.probability.tolist(),
        "rates": _rates(all_mechanisms),
        "put": _put(decoder),
        "explained": _explained(decoder, events[:3]),
        "stream": _stream(decoder) if name in _STREAMS else None,
        "intervals": [_interval(*counts) for counts in ((0, 10), (3, 200), (10, 10))],
    }


def _in_segments() -> tuple[bytes, dict[str, Any]]:
    """A model that decides two of seven rounds at a time, and what it says of some shots."""
    given = cascade.load("surface_d3", device="cpu")
    network = given.description.network.model_copy(update={"segment_rounds": 2})
    decoder = cascade.CascadeDecoder(given.state, given.description.model_copy(update={"network": network}))
    circuit = decoder.experiment(decoder.description.noise_p, rounds=7, basis=BASIS)
    events = circuit.compile_detector_sampler(seed=12).sample(40)
    return experiment_file(decoder, memory_lattice(decoder.code, 7, BASIS)), {
        "events": [np.flatnonzero(row).tolist() for row in events],
        "log_odds": decoder.bind(circuit).decode_batch(events).log_odds.tolist(),
    }


def _stream(decoder: cascade.CascadeDecoder) -> dict[str, Any]:
    """What the basis' own detectors see of a long experiment, and what matching says of it, in windows and as a whole.

    Weights are not those of uniform noise, under which several answers are as likely as one another.
    """
    p, rounds = 2 * decoder.description.noise_p, 12
    dem = error_model(decoder.experiment(p, rounds=rounds, basis=BASIS))
    uniform, unequal, rng = project(dem, basis_detectors(dem)), stim.DetectorErrorModel(), np.random.default_rng(6)
    for each in uniform:
        assert isinstance(each, stim.DemInstruction)
        by = rng.uniform(0.9, 1.1) if each.type == "error" else 1
        unequal.append(each.type, [arg**by for arg in each.args_copy()], each.targets_copy())
    events = unequal.compile_sampler(seed=5).sample(_STREAMS[decoder.description.name])[0]
    sizes = ((3, 3), (1, 1), (5, 2))
    ready = {f"{c}+{b}": windows(get("pymatching"), unequal, commit=c, buffer=b) for c, b in sizes}
    return {
        "p": p,
        "rounds": rounds,
        "errors": [
            [sorted(detectors), sum(1 << o for o in observables), likely, other]
            for (likely, parts), (other, _) in zip(mechanisms(uniform), mechanisms(unequal), strict=True)
            for detectors, observables in [symptoms(parts)]
        ],
        "events": [np.flatnonzero(row).tolist() for row in events],
        "whole": np.asarray(pymatching.Matching(unequal).decode_batch(events))[:, 0].tolist(),
        "windows": {size: _frames(made, events) for size, made in ready.items()},
    }


def _frames(made: Windows, events: np.ndarray) -> list[list[int]]:
    """The frame behind each window: [shots, windows]."""
    stream, found = Stream(made, len(events)), []
    stream.receive(events)
    while stream.ready:
        assert stream.window is not None
        stream.commit(made.solver(stream.window)(*stream.take()))
        found.append(stream.frame[:, 0].astype(int))
    return np.stack(found, axis=1).tolist()


def _explained(decoder: cascade.CascadeDecoder, events: np.ndarray) -> dict[str, Any]:
    """What `explain` says of some shots, as far as it fits into a file."""
    told = decoder.bind(basis=BASIS).explain(events)
    layers, sites = told.features.shape[:2]
    some = [(site, layer) for site in (0, sites // 2, sites - 1) for layer in range(layers)]
    return {
        "sizes": np.linalg.norm(told.features, axis=3).transpose(2, 0, 1).tolist(),  # [shots, layers, sites]
        "channel": told.features[:, :, :, 5].transpose(2, 0, 1).tolist(),
        "fields": [[site, layer, np.flatnonzero(told.receptive_field(site, layer)).tolist()] for site, layer in some],
        "scores": told.votes.sum(axis=1)[:, :64].tolist(),  # of the first classes
        "operators": [np.flatnonzero(row).tolist() for row in told.operators],
    }


def _interval(failures: int, shots: int) -> list[float]:
    rate = wilson(failures, shots)
    return [failures, shots, rate.low, rate.high]


def _rates(mechanisms: Mechanisms) -> list[float]:
    """How often each detector has an event: an odd number of its mechanisms."""
    even = np.ones(mechanisms.detectors)
    np.multiply.at(even, mechanisms.detector, 1 - 2 * mechanisms.probability[mechanisms.owner])
    return ((1 - even) / 2).tolist()


def _put(decoder: cascade.CascadeDecoder) -> list[dict[str, Any]]:
    """Some single faults, by a simulator that is told of them in the circuit's text."""
    rng = np.random.default_rng(3)
    code, rounds = decoder.code, decoder.description.rounds
    checks, layers = len(code.hx) + len(code.hz), code.schedule.depth
    circuit = circuits.memory(code, rounds=rounds, basis=BASIS).flattened()
    lines = str(circuit).splitlines()
    cnots = [number for number, line in enumerate(lines) if line.startswith("CX")][::layers]
    readout = max(number for number, line in enumerate(lines) if line.startswith("M "))
    before = [*cnots, readout]
    found = []
    for letter in "xz" * 12:
        qubit, at = int(rng.integers(code.n)), int(rng.integers(rounds + 1))
        error = f"{letter.upper()}_ERROR(1) {qubit}"
        found.append((f"{letter}{qubit}.{at}", [*lines[: before[at]], error, *lines[before[at] :]]))
    for _ in range(12):
        check, at = int(rng.integers(checks)), int(rng.integers(rounds))
        ancilla = str(code.n + check)
        measuring = [n for n, line in enumerate(lines) if line.startswith("M") and ancilla in line.split()[1:]][at]
        error = f"{'Z' if check < len(code.hx) else 'X'}_ERROR(1) {ancilla}"
        found.append((f"r{check}.{at}", [*lines[:measuring], error, *lines[measuring:]]))
    return [_flipped(fault, "\n".join(text)) for fault, text in found]


def _flipped(fault: str, text: str) -> dict[str, Any]:
    sampler = stim.Circuit(text).compile_detector_sampler(seed=0)
    events, observables = sampler.sample(1, separate_observables=True)
    mask = int(observables[0] @ (1 << np.arange(observables.shape[1])))
    return {"fault": fault, "events": np.flatnonzero(events[0]).tolist(), "observables": mask}
