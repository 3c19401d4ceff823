"""Decoding by every instruction set and precision of this chip, in turns: results/instructions_cpu.csv.

Times are the processor's, on one thread: what else the machine does disturbs them less than those on the clock.
"""

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
import stim

import cascade_qec as cascade
from cascade_qec import circuits, codes
from cascade_qec.decoders.bound import Bound
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.native import native, native_bfloat16, native_int8, set_threads
from cascade_qec.tables import Circumstances, circumstances, write_rows
from workshop import RESULTS

P, SEED = 0.003, 37
SHOTS = 480
"""Others in each call, as the fewer events there are, the less there is to compute."""
BURST = 0.05
"""Seconds that each has at a time, so that its weights are in the caches again."""
MODELS = {
    "surface_d3": None,
    "surface_d5": None,
    "bb72": None,
    "bb144_small": None,
    "local_bb72": None,
    "local_bb144": None,
    "local_surface": "surface_d13",
}
"""Each with the code that it decodes, where that is not its own."""


class Time(Circumstances):
    """Median processor time of a call of `decode_batch`, divided by its shots."""

    model: str
    code: str
    p: float
    instructions: str
    precision: str
    shots: int
    calls: int
    microseconds_per_shot: float
    load_average: float
    """Processes of the machine that wanted to run, at the end."""


def contenders(model: str, circuit: stim.Circuit) -> Iterator[tuple[tuple[str, str], Bound[DecodeResult]]]:
    """A model bound to a circuit by each instruction set and precision."""
    kernels = native()
    assert kernels is not None, "expected the native kernels to be installed"
    for instructions in kernels.instruction_sets():
        os.environ["CASCADE_INSTRUCTIONS"] = instructions
        for precision in ("float32", *(["bfloat16"] * native_bfloat16()), *(["int8"] * native_int8())):
            decoder = cascade.load(model, device="cpu", runtime="native", precision=precision)
            yield (instructions, precision), decoder.bind(circuit)
    del os.environ["CASCADE_INSTRUCTIONS"]


def times(model: str, code: str | None, batches: list[int], seconds: float) -> list[Time]:
    """Time batches of each size in turns, for so many seconds each."""
    if code is None:
        decoder = cascade.load(model, device="cpu")
        code, circuit = decoder.description.code, decoder.experiment(P)
    else:
        made = codes.get(code)
        noise = circuits.UniformDepolarizing(P)
        circuit = circuits.memory(made, rounds=int(code.rpartition("d")[2]), basis="Z", noise=noise)
    bound = dict(contenders(model, circuit))
    events = np.asarray(circuit.compile_detector_sampler(seed=SEED).sample(max(*batches, SHOTS), bit_packed=True))
    rows, known = [], circumstances()
    for shots in batches:
        took: dict[tuple[str, str], list[float]] = {name: [] for name in bound}
        calls = [events[start : start + shots] for start in range(0, len(events) - shots + 1, shots)]
        slowest = max(_processor_seconds(one, calls[0]) for one in bound.values())
        at_once = max(1, round(BURST / slowest))
        begun, turn = time.perf_counter(), 0
        while time.perf_counter() - begun < seconds:
            for name, one in bound.items():
                took[name] += [_processor_seconds(one, calls[(turn + i) % len(calls)]) for i in range(at_once)]
            turn += at_once
        rows += [
            Time(
                model=model,
                code=code,
                p=P,
                instructions=name[0],
                precision=name[1],
                shots=shots,
                calls=len(each),
                microseconds_per_shot=1e6 * median(each) / shots,
                load_average=os.getloadavg()[0],
                **known,
            )
            for name, each in took.items()
        ]
    return rows


def _processor_seconds(bound: Bound[DecodeResult], events: np.ndarray) -> float:
    begun = time.thread_time()
    bound.decode_chosen(events, bit_packed=True)
    return time.thread_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 16, 128])
    parser.add_argument("--seconds", type=float, default=6, help="for each model and batch")
    parser.add_argument("--out", type=Path, default=RESULTS / "instructions_cpu.csv")
    asked = parser.parse_args()
    set_threads(1)
    rows = []
    for model in asked.models:
        rows += times(model, MODELS[model], asked.batch, asked.seconds)
        write_rows(asked.out, rows)


if __name__ == "__main__":
    main()
