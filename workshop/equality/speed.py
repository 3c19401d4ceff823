"""Whether a tree decodes and trains as fast as another: both in one run, in turns."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from workshop.equality.trees import Source, Worker

MODELS = ("surface_d5", "bb72")
"""Those that are timed, by their weights and by their recipes of the same names."""

_P, _BASIS = 0.003, "Z"


@dataclass(frozen=True)
class Timing:
    """Seconds of one kind of work in both trees.

    Attributes
    ----------
    model
        Name.
    work
        Such as "decode 2048 shots".
    old, new
        Seconds of each call.
    """

    model: str
    work: str
    old: list[float] = field(default_factory=list)
    new: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median of the new tree in units of the old one's: below 1 where it is faster."""
        return median(self.new) / median(self.old)

    @property
    def noise(self) -> float:
        """Roughly so far the ratio is from the true one: both medians' standard errors, from the quartiles."""
        return self.ratio * sum(_relative_error(times) ** 2 for times in (self.old, self.new)) ** 0.5


@dataclass(frozen=True)
class Settings:
    """What is timed: `shots` at once and one by one, and steps of `step_shots` of each basis, in `turns` turns."""

    shots: int
    step_shots: int
    turns: int
    device: str
    precision: str
    threads: int | None


def timings(
    old: Source, new: Source, work: Path, settings: Settings, report: Callable[[int, int], None]
) -> list[Timing]:
    """Time decoding and training of `MODELS` in both trees; the other tree's process waits meanwhile.

    Parameters
    ----------
    old, new
        The trees; both decode with the old one's weights and train by its recipes.
    work
        Folder for shots.
    settings
        See `Settings`.
    report
        Called with the turns done and all of them.
    """
    found = []
    device = {"device": settings.device, "precision": settings.precision}
    jobs: list[tuple[Timing, str, dict[str, Any]]] = []
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(source, threads=settings.threads)) for source in (old, new)]
        for model in MODELS:
            weights, folder = str(old.models / f"{model}.safetensors"), str(work / "shots" / old.key / f"{model}-speed")
            workers[0].do("sample", model=weights, p=_P, basis=_BASIS, shots=4 * settings.shots, seed=1, folder=folder)
            decode = {"model": weights, "folder": folder, **device}
            for shots, repeats in ((settings.shots, 3), (1, 100)):
                title = "decode " + (f"{shots:,} shots" if shots > 1 else "one shot")
                jobs.append((Timing(model, title), "time_decoding", {**decode, "shots": shots, "repeats": repeats}))
            recipe = {"recipe": str(old.folder / "recipes" / f"{model}.toml"), "shots": settings.step_shots, "steps": 4}
            title = f"training step, 2 x {settings.step_shots:,} shots"
            jobs.append((Timing(model, title), "time_training", {**recipe, **device}))
        for turn in range(settings.turns + 1):  # the first turn warms up
            for timing, job, arguments in jobs:
                pairs = list(zip(workers, (timing.old, timing.new), strict=True))
                for worker, seconds in pairs if turn % 2 else reversed(pairs):
                    measured = worker.do(job, **arguments)
                    if turn:
                        seconds += measured
            report(turn, settings.turns)
        found += [timing for timing, _, _ in jobs]
    return found


def _relative_error(times: list[float]) -> float:
    """Of the median, were the times normal: 1.25 standard deviations over the root of their number."""
    low, middle, high = quantiles(times, n=4)
    return 1.25 * (high - low) / 1.35 / len(times) ** 0.5 / middle
