"""What exported decoders lose by fewer bits, and what they cost: results/onnx.csv and results/onnx_times.csv."""

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

import cascade_qec as cascade
from cascade_qec.decoders.bound import Bound
from cascade_qec.decoders.onnx import load_onnx
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.evaluation.two_samples import paired_difference
from cascade_qec.export import export_onnx
from cascade_qec.native import set_threads
from cascade_qec.statistics import Interval, wilson
from cascade_qec.tables import Circumstances, circumstances, write_rows
from workshop import RESULTS

P, SEED, CHUNK = 0.005, 29, 512
PRECISIONS = ("float32", "float16", "int8")
BATCHES = (1, 16, 128)
SECONDS_OF_TIMES = 30


class Loss(Circumstances):
    """How often a decoder fails, and how much oftener than float32 on the same shots (both bases pooled)."""

    model: str
    p: float
    precision: str
    shots: int
    failures: int
    block_error: Interval
    worse: int
    """Shots on which it alone fails."""
    better: int
    """Shots on which float32 alone fails."""
    difference: Interval
    seed: int


class Time(Circumstances):
    """Median time of a batch, divided by its shots, on one thread; all runtimes of a batch in turns."""

    model: str
    runtime: str
    shots: int
    microseconds_per_shot: float


def losses(model: str, folder: Path, seconds: float) -> list[Loss]:
    """Decode chunks of shots with every precision until the time is over."""
    decoder, begun, done = cascade.load(model, device="cpu"), time.perf_counter(), 0
    failed = {precision: [] for precision in PRECISIONS}
    bases = {
        basis: (
            decoder.experiment(P, basis=basis).compile_detector_sampler(seed=SEED + number),
            {precision: load_onnx(_file(folder, model, precision, basis)) for precision in PRECISIONS},
        )
        for number, basis in enumerate(("Z", "X"))
    }
    while time.perf_counter() - begun < seconds:
        for sampler, bound in bases.values():
            events, flips = sampler.sample(CHUNK, separate_observables=True)
            for precision in PRECISIONS:
                wrong = bound[precision].decode_batch(events).observables != flips
                failed[precision].append(wrong.any(axis=1))
            done += CHUNK
    return loss_rows(model, {precision: np.concatenate(parts) for precision, parts in failed.items()}, SEED)


def loss_rows(model: str, failed: Mapping[str, NDArray[np.bool_]], seed: int) -> list[Loss]:
    """A row for each precision, from the shots of noise P that failed, bool [shots] of all in one order."""
    rows, known = [], circumstances()
    for precision, fails in failed.items():
        worse, better = int((fails & ~failed["float32"]).sum()), int((~fails & failed["float32"]).sum())
        done = len(fails)
        rows.append(
            Loss(
                model=model,
                p=P,
                precision=precision,
                shots=done,
                failures=int(fails.sum()),
                block_error=wilson(int(fails.sum()), done),
                worse=worse,
                better=better,
                difference=paired_difference(worse, better, done),
                seed=seed,
                **known,
            )
        )
    return rows


def times(model: str, folder: Path) -> list[Time]:
    """Time native kernels and exported decoders in turns."""
    decoder = cascade.load(model, device="cpu", runtime="native")
    bound: Mapping[str, Bound[DecodeResult]] = {"native": decoder.bind()} | {
        f"onnxruntime {precision}": load_onnx(_file(folder, model, precision, "Z")) for precision in PRECISIONS
    }
    events = np.asarray(decoder.experiment(P).compile_detector_sampler(seed=SEED).sample(max(BATCHES)))
    rows, known = [], circumstances()
    for shots in BATCHES:
        runs: dict[str, list[float]] = {name: [] for name in bound}
        begun = time.perf_counter()
        while time.perf_counter() - begun < SECONDS_OF_TIMES / len(BATCHES):
            for name, each in bound.items():
                runs[name].append(_seconds(each, events[:shots]))
        rows += [
            Time(
                model=model,
                runtime=name,
                shots=shots,
                microseconds_per_shot=1e6 * median(took[1:] or took) / shots,
                **known,
            )
            for name, took in runs.items()
        ]
    return rows


def _seconds(bound: Bound[DecodeResult], events: NDArray[Any]) -> float:
    begun = time.perf_counter()
    bound.decode_chosen(events)
    return time.perf_counter() - begun


def _file(folder: Path, model: str, precision: str, basis: str) -> Path:
    return folder / f"{model}_{precision}_{basis}.onnx"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=150, help="to decode in, for each model")
    parser.add_argument("--models", nargs="+", default=["surface_d5", "bb72"])
    asked = parser.parse_args()
    set_threads(1)
    of_losses, of_times = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model in asked.models:
            for precision in PRECISIONS:
                for basis in ("Z", "X"):
                    export_onnx(model, _file(folder, model, precision, basis), basis=basis, precision=precision)
        for model in asked.models:
            of_times += times(model, folder)
        for model in asked.models:
            of_losses += losses(model, folder, asked.seconds)
    write_rows(RESULTS / "onnx.csv", of_losses)
    write_rows(RESULTS / "onnx_times.csv", of_times)


if __name__ == "__main__":
    main()
