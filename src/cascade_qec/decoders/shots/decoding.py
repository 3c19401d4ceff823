"""Decode a file of shots into a file of predictions, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import SEEK_END
from itertools import zip_longest
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cascade_qec.decoders.bound import decode_distinct
from cascade_qec.decoders.shots.files import ShotFile, observables_writer
from cascade_qec.decoders.shots.formats import GROUP, Format, Packed
from cascade_qec.errors import CascadeError
from cascade_qec.files import check_distinct, written_in_place, written_whole

if TYPE_CHECKING:
    from cascade_qec.decoders.protocol import BoundDecoder

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
    decoder: BoundDecoder,
    shots: ShotFile,
    predictions: Path,
    predictions_format: Format,
    *,
    k: int,
    probabilities: Path | None = None,
    confidence: Path | None = None,
    truth: ShotFile | None = None,
    report: Callable[[int, int | None], None] = lambda done, total: None,
) -> FileDecoding:
    """Decode every shot of a file; the output files appear together when all went well, or not at all.

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
        Called after each batch with the shots done and the shots in all, or None where a pipe is read.

    Raises
    ------
    CascadeError
        If an input is damaged, the truth is of another number of shots, two of the files are the same one, the number
        of shots cannot be written as ptb64, or the decoder does not know what is to be written. Before any decoding,
        except for what comes by a pipe, which can be read only once.
    """
    check_distinct([shots.path, truth and truth.path], [predictions, probabilities, confidence])
    affordable = _BATCH_BITS // (shots.detectors + shots.observables)
    size = min(_BATCH_SHOTS, max(GROUP, affordable - affordable % GROUP))

    def batches() -> Iterator[tuple[Packed, NDArray[np.bool_] | None]]:
        return _batches(shots, truth, size, predictions if predictions_format == "ptb64" else None)

    total = None
    if shots.rereadable and (truth is None or truth.rereadable):
        total = sum(len(events) for events, _ in batches())
    failures = escalated = done = 0
    with ExitStack() as stack:
        write = stack.enter_context(observables_writer(predictions, predictions_format))
        write_probabilities = _array_writer(stack, probabilities, (k,))
        write_confidence = _array_writer(stack, confidence, ())
        for events, flips in batches():
            result = decode_distinct(decoder, events)
            write(result.observables)
            write_probabilities(result.probabilities)
            write_confidence(result.confidence)
            escalated += 0 if result.escalated is None else int(result.escalated.sum())
            failures += 0 if flips is None else int((result.observables != flips).any(axis=1).sum())
            done += len(events)
            report(done, total)
    known_truth = truth is not None or shots.observables > 0
    return FileDecoding(shots=done, failures=failures if known_truth else None, escalated=escalated)


def _batches(
    shots: ShotFile, truth: ShotFile | None, size: int, ptb64: Path | None
) -> Iterator[tuple[Packed, NDArray[np.bool_] | None]]:
    """Detection events, bit-packed, with the true observable flips where they are known.

    `ptb64` is where predictions go in that format, if they do: shots that come in no whole groups are refused.
    """
    done = 0
    true_batches = () if truth is None else truth.batches(size)
    for batch, true_batch in zip_longest(shots.batches(size), true_batches, fillvalue=np.zeros((0, 1), np.uint8)):
        if truth is not None and len(true_batch) != len(batch):
            more, fewer = f"more than {done + len(batch)}", f"only {done + len(true_batch)}"
            found = more if len(true_batch) > len(batch) else fewer
            raise CascadeError(f"{truth.path}: expected as many shots as in {shots.path}, found {found}")
        done += len(batch)
        if ptb64 is not None and len(batch) % GROUP:
            raise CascadeError(f"{ptb64}: expected a multiple of {GROUP} shots to write as ptb64, got {done}")
        flips = shots.flips(batch) if truth is None else truth.flips(true_batch)
        yield shots.events(batch), flips if flips.shape[1] else None


def _array_writer(
    stack: ExitStack, path: Path | None, columns: tuple[int, ...]
) -> Callable[[NDArray[np.floating] | None], None]:
    """Give a function that appends rows to a .npy file of float32, or does nothing where there is to be none."""
    if path is None:
        return lambda values: None
    file = stack.enter_context(_rewindable(path))
    rows = 0

    def write(values: NDArray[np.floating] | None) -> None:
        nonlocal rows
        if values is None:
            raise CascadeError(f"{path}: expected a decoder that knows probabilities and confidence, got one without")
        rows += len(values)
        file.seek(0)  # the header says how many rows there are, and has room for any number
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (rows, *columns)})
        file.seek(0, SEEK_END)
        file.write(values.astype("<f4").tobytes())

    write(np.zeros((0, *columns), np.float32))
    return write


@contextmanager
def _rewindable(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that can be gone back in, also where `path` is a pipe: that gets everything at the end."""
    with written_whole(path) as file:
        if not written_in_place(path):
            yield file
            return
        with TemporaryFile() as kept:
            yield kept
            kept.seek(0)
            copyfileobj(kept, file)
