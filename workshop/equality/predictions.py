"""Whether two trees predict the same of the same shots, with the same weights."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cascade_qec.zoo.card import Card
from workshop.equality.trees import Source, Worker

NOISE_RATES = (0.003, 0.005)

TOLERANCE = 1e-5
"""Probabilities and confidence may differ by so much: rounding, where an order of sums has changed."""


@dataclass(frozen=True)
class Difference:
    """What two trees make differently of a model's shots.

    Attributes
    ----------
    model
        Its name.
    shots
        Over all bases and noise rates.
    observables
        Shots of which any observable is predicted otherwise.
    probabilities, confidence
        Largest difference.
    circuits
        Memory experiments that the two trees make differently.
    """

    model: str
    shots: int
    observables: int
    probabilities: float
    confidence: float
    circuits: int

    @property
    def equal(self) -> bool:
        """Whether observables are equal, and everything else but for rounding."""
        return not self.observables and not self.circuits and max(self.probabilities, self.confidence) <= TOLERANCE

    def __str__(self) -> str:
        parts = [
            f"{self.observables:,} of {self.shots:,} shots with other observables",
            f"probabilities within {self.probabilities:.1e}",
            f"confidence within {self.confidence:.1e}",
            *[f"{self.circuits} other circuits"] * bool(self.circuits),
        ]
        return f"{self.model}: {', '.join(parts)}: {'equal' if self.equal else 'DIFFERENT'}"


@dataclass(frozen=True)
class Settings:
    """How predictions are compared. Each model, basis and noise rate has a seed of its own that follows from `seed`."""

    shots: int
    seed: int
    device: str
    precision: str
    threads: int | None
    rates: Sequence[float] = NOISE_RATES


def model_difference(
    model: str, old: Source, new: Source, work: Path, settings: Settings, report: Callable[[int, int], None]
) -> Difference:
    """Decode a model's shots with both trees, and compare.

    Shots and the predictions of both trees are kept in the folder `work`, and not made again while code, shots and
    seed stay the same.

    Parameters
    ----------
    model
        Name of a model that comes with the old tree; both trees decode with the old one's weights.
    old, new
        The trees.
    work
        Folder for shots and predictions.
    settings
        See `Settings`.
    report
        Called with the shots done and all that are to be decoded.
    """
    weights = str(old.models / f"{model}.safetensors")
    experiments = [(basis, p) for basis in Card.read(Path(weights).with_suffix(".json")).bases for p in settings.rates]
    names = [f"{model}-{settings.shots}-{settings.seed}-{basis}-{p:g}" for basis, p in experiments]
    total, done, circuits = 2 * len(names) * settings.shots, 0, 0
    files: list[list[Path]] = []
    for source in (old, new):
        folder = work / "predictions" / f"{source.key}-{settings.device}-{settings.precision}"
        files.append([folder / f"{name}.npz" for name in names])
        with Worker(source, threads=settings.threads) as worker:
            for (basis, p), name, out in zip(experiments, names, files[-1], strict=True):
                experiment = {"model": weights, "p": p, "basis": basis, "folder": str(work / "shots" / old.key / name)}
                if source is new:
                    circuits += not worker.do("same_circuit", **experiment)
                elif not (Path(experiment["folder"]) / "events.npy").exists():
                    seed = zlib.crc32(name.encode())
                    worker.do("sample", shots=settings.shots, seed=seed, **experiment)
                if not out.exists():
                    worker.do(
                        "decode",
                        lambda piece, before=done: report(before + piece, total),
                        model=weights,
                        folder=experiment["folder"],
                        device=settings.device,
                        precision=settings.precision,
                        out=str(out),
                    )
                done += settings.shots
                report(done, total)
    return _compared(model, files[0], files[1], circuits)


def _compared(model: str, old: Sequence[Path], new: Sequence[Path], circuits: int) -> Difference:
    shots, observables, largest = 0, 0, {"probabilities": 0.0, "confidence": 0.0}
    for before, after in zip(old, new, strict=True):
        with np.load(before) as a, np.load(after) as b:
            shots += len(a["observables"])
            observables += int((a["observables"] != b["observables"]).any(axis=1).sum())
            for name, found in ((name, largest[name]) for name in largest if name in a and name in b):
                largest[name] = max(found, float(np.abs(a[name] - b[name]).max()))
    return Difference(model, shots, observables, **largest, circuits=circuits)
