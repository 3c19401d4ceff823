"""Does what `trees.Worker` asks for, in whatever tree's package is on PYTHONPATH. It uses what all of them have alike.

A job is a line of JSON on stdin. Its answers are lines of JSON on stdout, {"done": ...} on the way and {"result": ...}
at the end. The file is run as a script, so that it never imports this checkout's package beside the other tree's.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import stim

import cascade_qec as cascade

if TYPE_CHECKING:
    import torch

    from cascade_qec.codes.css import Basis

_PIECE = 2048
"""Shots that are decoded between two reports."""


def where() -> str:
    """Folder of the package in use."""
    return str(Path(cascade.__file__).parent)


def sample(model: str, p: float, basis: Basis, shots: int, seed: int, folder: str) -> None:
    """Write a model's memory experiment and detection events of it."""
    circuit = cascade.load(model, device="cpu").experiment(p, basis=basis)
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    circuit.to_file(out / "circuit.stim")
    events = circuit.compile_detector_sampler(seed=seed).sample(shots, bit_packed=True)
    np.save(out / "events.tmp.npy", events)
    (out / "events.tmp.npy").replace(out / "events.npy")  # whole or not at all


def same_circuit(model: str, p: float, basis: Basis, folder: str) -> bool:
    """Whether this tree makes the same memory experiment."""
    made = cascade.load(model, device="cpu").experiment(p, basis=basis)
    return made == stim.Circuit.from_file(Path(folder) / "circuit.stim")


def decode(model: str, folder: str, device: str, precision: str, out: str, report: Callable[[int], None]) -> None:
    """Decode the detection events in a folder; observables, and what is known beside them, as an .npz file."""
    decoder, events = _bound(model, folder, device, precision)
    parts = []
    for start in range(0, len(events), _PIECE):
        parts.append(decoder.decode_batch(events[start : start + _PIECE], bit_packed=True))
        report(min(start + _PIECE, len(events)))
    path = Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    # weights from before calibration tell no confidence
    fields = [name for name in ("observables", "probabilities", "confidence") if getattr(parts[0], name) is not None]
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in fields}
    unfinished = path.with_suffix(".tmp.npz")
    np.savez(unfinished, **arrays)  # pyright: ignore[reportArgumentType]
    unfinished.replace(path)


_BOUND: dict[tuple, tuple[Any, np.ndarray]] = {}


def _bound(model: str, folder: str, device: str, precision: str) -> tuple[Any, np.ndarray]:
    key = (model, folder, device, precision)
    if key not in _BOUND:
        circuit = stim.Circuit.from_file(Path(folder) / "circuit.stim")
        decoder = cascade.load(model, circuit=circuit, device=device, precision=precision)
        _BOUND[key] = decoder, np.load(Path(folder) / "events.npy")
    return _BOUND[key]


def _clock(device: str) -> Callable[[], float]:
    """The processor's time on one thread of a CPU, which other processes disturb less than that on the wall."""
    alone = device == "cpu" and os.environ.get("OMP_NUM_THREADS") == "1"
    return time.process_time if alone else time.perf_counter


def time_decoding(model: str, folder: str, device: str, precision: str, shots: int, repeats: int) -> list[float]:
    """Seconds of decoding so many shots at once, of each of `repeats` calls."""
    decoder, events = _bound(model, folder, device, precision)
    clock = _clock(device)
    seconds = []
    for repeat in range(repeats):
        start = repeat * shots % max(1, len(events) - shots + 1)
        batch = events[start : start + shots]
        begun = clock()
        decoder.decode_batch(batch, bit_packed=True)
        seconds.append(clock() - begun)
    return seconds


def time_training(recipe: str, shots: int, steps: int, device: str, precision: str) -> list[float]:
    """Seconds of each training step but the first, one micro-batch of so many shots of each basis each.

    Shots are sampled in this process, so that a step is all the work that there is for it.
    """
    import torch

    from cascade_qec.device import pick_dtype
    from cascade_qec.training import Recipe, Trainer, load_recipe
    from cascade_qec.training.step import Step

    data = load_recipe(Path(recipe)).model_dump()
    data["batch"] |= {"shots": shots, "micro_batches": 1}
    data["optimizer"]["steps"] = steps
    data["validation"] |= {"p": [data["noise"]["p"]], "shots": 2, "every": steps, "statistics_batches": 1}
    seconds = []
    take_step, clock = Step.__call__, _clock(device)

    def timed(self: Step, *arguments: Any) -> torch.Tensor:
        begun = clock()
        losses = take_step(self, *arguments)
        float(losses.sum())  # waits for the device
        seconds.append(clock() - begun)
        return losses

    Step.__call__ = timed  # pyright: ignore[reportAttributeAccessIssue]
    try:
        with tempfile.TemporaryDirectory() as folder:
            dtype = pick_dtype(precision, torch.device(device))
            Trainer(Recipe.model_validate(data), Path(folder) / "run", device=device, dtype=dtype, workers=0).run()
    finally:
        Step.__call__ = take_step
    return seconds[1:]


_JOBS = {job.__name__: job for job in (where, sample, same_circuit, decode, time_decoding, time_training)}


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed, a trainer's progress say, goes to stderr

    def answer(**what: Any) -> None:
        print(json.dumps(what), file=answers, flush=True)

    for line in sys.stdin:
        job = json.loads(line)
        name = job.pop("job")
        if name == "decode":
            job["report"] = lambda done: answer(done=done)
        answer(result=_JOBS[name](**job))


if __name__ == "__main__":
    _serve()
