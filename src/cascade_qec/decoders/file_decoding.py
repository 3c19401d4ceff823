"""Decode a file of shots into a file of predictions, in bounded memory."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders.distinct_rows import distinct_rows
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.decoders.shot_bytes import PTB64_GROUP
from cascade_qec.decoders.shot_files import ShotFile, observables_writer
from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole

if TYPE_CHECKING:
    from cascade_qec.decoders.cascade import CascadeDecoder
    from cascade_qec.decoders.escalation import EscalatingDecoder

# A batch small enough to report progress every few seconds, and large enough that its handling costs nothing. Both
# are multiples of a group of ptb64.
_BATCH_BITS = 1 << 22
_BATCH_SHOTS = 1 << 16


@dataclass(frozen=True)
class FileDecoding:
    """What came of decoding a file."""

    shots: int
    failures: int | None
    """Shots with any observable predicted wrongly; None where the truth was not given."""
    escalated: int
    """Shots that the fallback decided."""


def decode_file(
    decoder: "CascadeDecoder | EscalatingDecoder",
    shots: ShotFile,
    predictions: Path,
    predictions_format: str,
    *,
    k: int,
    probabilities: Path | None = None,
    confidence: Path | None = None,
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
    confidence
        Where P(no observable wrong) goes: .npy, float32 [shots].
    truth
        The true observable flips, as a file with `k` columns.
    report
        Called after each batch with the shots done and the shots in all.

    Raises
    ------
    CascadeError
        Before any decoding, if an input file is damaged, the truth is of another number of shots, two of the
        files are the same one, or the number of shots cannot be written as ptb64.
    """
    _check_distinct(shots.path, truth and truth.path, predictions, probabilities, confidence)
    total = shots.count()
    if truth is not None and (true_shots := truth.count()) != total:
        raise CascadeError(f"{truth.path}: expected {total} shots as in {shots.path}, found {true_shots}")
    if predictions_format == "ptb64" and total % PTB64_GROUP:
        raise CascadeError(f"{predictions}: expected a multiple of {PTB64_GROUP} shots to write as ptb64, got {total}")

    affordable = _BATCH_BITS // (shots.detectors + shots.observables)
    size = min(_BATCH_SHOTS, max(PTB64_GROUP, affordable - affordable % PTB64_GROUP))
    known_truth = truth is not None or shots.observables > 0
    failures = escalated = done = 0
    with ExitStack() as stack:
        write = stack.enter_context(observables_writer(predictions, predictions_format))
        write_probabilities = _array_writer(stack, probabilities, (total, k))
        write_confidence = _array_writer(stack, confidence, (total,))
        true_batches = truth.batches(size) if truth is not None else None
        for batch in shots.batches(size):
            result = _decode(decoder, batch[:, : shots.detectors])
            write(result.observables)
            write_probabilities(result.probabilities)
            write_confidence(result.confidence)
            escalated += int(result.escalated.sum())
            if known_truth:
                true_flips = batch[:, shots.detectors :] if true_batches is None else next(true_batches)
                failures += int((result.observables != true_flips).any(axis=1).sum())
            done += len(batch)
            report(done, total)
    return FileDecoding(shots=total, failures=failures if known_truth else None, escalated=escalated)


def _decode(decoder: "CascadeDecoder | EscalatingDecoder", events: NDArray[np.bool_]) -> DecodeResult:
    """The result of a batch, in which every distinct shot is decoded once.

    At low noise most shots of a small code are alike: this saves much of the network's time, and costs little
    where they are not.
    """
    first, which = distinct_rows(events)
    result = decoder.decode_batch(events[first])
    return DecodeResult(
        result.observables[which], result.probabilities[which], result.confidence[which], result.escalated[which]
    )


def _array_writer(stack: ExitStack, path: Path | None, shape: tuple[int, ...]) -> Callable[[NDArray[np.float32]], None]:
    """Give a function that appends rows to a .npy file of float32, or does nothing where there is to be none."""
    if path is None:
        return lambda rows: None
    file = stack.enter_context(written_whole(path))
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})

    def write(rows: NDArray[np.float32]) -> None:
        file.write(rows.astype("<f4").tobytes())

    return write


def _check_distinct(*paths: Path | None) -> None:
    seen: set[Path] = set()
    for path in paths:
        if path is None:
            continue
        if path.resolve() in seen:
            raise CascadeError(f"{path}: expected a file of its own for each input and output, got it twice")
        seen.add(path.resolve())
