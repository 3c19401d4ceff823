"""Decode a file of shots into a file of predictions, in bounded memory."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders.shot_files import ShotFile, observables_writer
from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole

if TYPE_CHECKING:
    from cascade_qec.decoders.cascade import CascadeDecoder

# A batch small enough to report progress every few seconds, and large enough that its handling costs nothing.
_BATCH_BITS = 1 << 22
_BATCH_SHOTS = 1 << 13


@dataclass(frozen=True)
class FileDecoding:
    """What came of decoding a file."""

    shots: int
    failures: int | None
    """Shots with any observable predicted wrongly; None where the truth was not given."""


def decode_file(
    decoder: "CascadeDecoder",
    shots: ShotFile,
    predictions: Path,
    predictions_format: str,
    *,
    k: int,
    probabilities: Path | None = None,
    truth: ShotFile | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> FileDecoding:
    """Decode every shot of a file; the outputs appear together when all went well, or not at all.

    Parameters
    ----------
    decoder
        Bound to the circuit that the shots were sampled from.
    shots
        Detection events; observable flips appended to them are taken for the truth.
    predictions, predictions_format
        Where the predicted observable flips go.
    k
        Observables a shot, in predictions and truth.
    probabilities
        Where P(observable flipped) goes: .npy, float32 [shots, k].
    truth
        The true observable flips, as a file with `k` columns.
    report
        Called after each batch with the shots done and the shots in all.

    Raises
    ------
    CascadeError
        Before any decoding, if an input file is damaged, the truth is of another number of shots, or two of
        the files are the same one.
    """
    _check_distinct(shots.path, truth and truth.path, predictions, probabilities)
    total = shots.count()
    if truth is not None and (true_shots := truth.count()) != total:
        raise CascadeError(f"{truth.path}: expected {total} shots as in {shots.path}, found {true_shots}")

    size = max(1, min(_BATCH_SHOTS, _BATCH_BITS // (shots.detectors + shots.observables)))
    known_truth = truth is not None or shots.observables > 0
    failures = 0
    done = 0
    with ExitStack() as stack:
        write = stack.enter_context(observables_writer(predictions, predictions_format))
        probability_file = None
        if probabilities is not None:
            probability_file = stack.enter_context(written_whole(probabilities))
            header = {"descr": "<f4", "fortran_order": False, "shape": (total, k)}
            np.lib.format.write_array_header_1_0(probability_file, header)
        true_batches = truth.batches(size) if truth is not None else None
        for batch in shots.batches(size):
            result = decoder.decode_batch(batch[:, : shots.detectors])
            write(result.observables)
            if probability_file is not None:
                probability_file.write(result.probabilities.astype("<f4").tobytes())
            if known_truth:
                true_flips = batch[:, shots.detectors :] if true_batches is None else next(true_batches)
                failures += _failures(result.observables, true_flips)
            done += len(batch)
            report(done, total)
    return FileDecoding(shots=total, failures=failures if known_truth else None)


def _failures(predicted: NDArray[np.bool_], true_flips: NDArray[np.bool_]) -> int:
    return int((predicted != true_flips).any(axis=1).sum())


def _check_distinct(*paths: Path | None) -> None:
    seen: set[Path] = set()
    for path in paths:
        if path is None:
            continue
        if path.resolve() in seen:
            raise CascadeError(f"{path}: expected a file of its own for each input and output, got it twice")
        seen.add(path.resolve())
