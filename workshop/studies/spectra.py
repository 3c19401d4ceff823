"""Failure spectra of several decoders on the same sets of faults: benchmarks/results/waterfall/spectra.csv.

    python -m workshop.studies.spectra bb72 cascade:bb72 --shots 400000

Sets of w faults are drawn for a few w at which failures are seen. Of the first w there are as many as asked for, of
others fewer in proportion to 1 / w: few faults fail seldom, and many take an iterative decoder long. A decoder that
decodes fewer sets takes the first ones. What the table has of this decoder is replaced.
"""

import argparse
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_qec import decoders
from cascade_qec.cli.progress import progress
from cascade_qec.decoders.bound import decode_chosen
from cascade_qec.decoders.protocol import Decoder, settings
from cascade_qec.evaluation.rare_events.results import SpectrumRow
from cascade_qec.evaluation.rare_events.subjects import Subject, make_subject
from cascade_qec.statistics import wilson
from cascade_qec.tables import Circumstances, circumstances, put_rows
from workshop import RESULTS

TABLE = RESULTS / "waterfall" / "spectra.csv"
FAULTS = {"bb72": (6, 8, 10, 12, 14, 17, 20, 24, 30), "bb144": (55, 62, 70, 80, 90, 105)}
SAMPLED_AT = 0.003
SEED = 2030
CHUNK = 256


class StratumRow(SpectrumRow, Circumstances):
    """What a decoder did on sets of w faults; its time is that of the CPU."""

    seconds: float


def subject_of(decoder: Decoder, code: str) -> Subject:
    """A decoder over d rounds in basis Z, prepared for the noise at which the faults are drawn."""
    return make_subject(
        decoder,
        code,
        [SAMPLED_AT],
        rounds=None,
        basis="Z",
        noise="uniform",
        seed=SEED,
        parameters=settings(decoder),
    )


def sets_of_faults(subject: Subject, faults: int, shots: int) -> Iterator[NDArray[np.int64]]:
    """The first so many sets of w faults [at most CHUNK, w], drawn so that all decoders get the same."""
    for start in range(0, shots, CHUNK):
        rng = np.random.default_rng([subject.run.seed, faults, start])
        yield subject.model.sample(faults, CHUNK, rng)[: shots - start]


def failing(subject: Subject, sets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which sets of faults [shots, w] the decoder gets wrong."""
    events, observables = subject.model.faults.outcomes(sets)
    return np.any(decode_chosen(subject.bound, events).observables != observables, axis=1)


def measured(subject: Subject, faults: int, shots: int) -> StratumRow:
    """A stratum: sets of exactly w faults."""
    known: dict[str, Any] = subject.run.model_dump() | circumstances()
    failures, seconds = 0, 0.0
    for sets in sets_of_faults(subject, faults, shots):
        began = time.process_time()
        failures += int(failing(subject, sets).sum())
        seconds += time.process_time() - began
    return StratumRow(
        **known,
        faults=faults,
        shots=shots,
        failures=failures,
        fraction=wilson(failures, shots),
        exact=False,
        seconds=round(seconds, 3),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("code", choices=FAULTS)
    parser.add_argument("decoders", nargs="+")
    parser.add_argument("--shots", type=int, required=True, help="of the fewest faults")
    arguments = parser.parse_args()
    for name in arguments.decoders:
        decoder = decoders.get(name, device="cpu")
        subject = subject_of(decoder, arguments.code)
        strata = FAULTS[arguments.code]
        with progress(f"{name}, strata") as report:
            for done, faults in enumerate(strata):
                row = measured(subject, faults, round(arguments.shots * strata[0] / faults))
                put_rows(TABLE, [row], place=lambda each: (each.decoder, each.code, each.faults))
                report(done + 1, len(strata))


if __name__ == "__main__":
    main()
