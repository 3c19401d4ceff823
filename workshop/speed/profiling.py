"""Where a step's time goes, operation by operation."""

from __future__ import annotations

import csv
import io
import time
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

from torch.profiler import ProfilerActivity, profile

from cascade_qec.device import synchronize
from cascade_qec.files import written_whole
from cascade_qec.training.feed import Batch
from workshop.speed.contender import Contender

_STEPS = 3
_IN_TEXT = 40


class Share(NamedTuple):
    """One operation's part of a step, or one kernel's on a GPU.

    Attributes
    ----------
    name : str
    calls : float
        In a step.
    milliseconds : float
        In a step, without the operations it calls.
    share : float
        Of the step's time.
    """

    name: str
    calls: float
    milliseconds: float
    share: float


def profile_steps(contender: Contender, at_hand: Batch, out: Path) -> list[Share]:
    """Profile a few steps whose shots are at hand; write `out`.csv and, shortened, `out`.txt.

    On a GPU the rows are kernels, and one more is the time in which none ran; on a CPU they are operations, and
    what is left is Python's.
    """
    batches = repeat(at_hand)
    contender.step(batches)
    synchronize(contender.device)
    on_gpu = contender.device.type == "cuda"
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * on_gpu
    with profile(activities=activities) as measured:
        start = time.perf_counter()
        for _ in range(_STEPS):
            contender.step(batches)
        synchronize(contender.device)
        total = time.perf_counter() - start
    shares = _shares(measured, total, on_gpu=on_gpu)
    _write(shares, out)
    return shares


def _shares(measured: profile, total: float, *, on_gpu: bool) -> list[Share]:
    wanted = "CUDA" if on_gpu else "CPU"
    shares = []
    for event in measured.key_averages():
        micros = event.self_device_time_total if on_gpu else event.self_cpu_time_total
        if event.device_type.name == wanted and micros > 0:
            shares.append(Share(event.key, event.count / _STEPS, micros / 1000 / _STEPS, micros / 1e6 / total))
    shares.sort(key=lambda share: -share.share)
    left = max(0.0, 1 - sum(share.share for share in shares))
    rest = Share("(no kernel runs)" if on_gpu else "(outside of operations)", 0, left * 1000 * total / _STEPS, left)
    return [rest, *shares]


def _write(shares: list[Share], out: Path) -> None:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(Share._fields)
    writer.writerows(shares)
    lines = [f"{'share':>7}  {'ms':>10}  {'calls':>8}  name"]
    lines += [f"{100 * s.share:6.2f}%  {s.milliseconds:10.3f}  {s.calls:8.1f}  {s.name}" for s in shares[:_IN_TEXT]]
    out.parent.mkdir(parents=True, exist_ok=True)
    for suffix, text in ((".csv", table.getvalue()), (".txt", "\n".join(lines) + "\n")):
        with written_whole(out.with_name(out.name + suffix)) as file:
            file.write(text.encode())
