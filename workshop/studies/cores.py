"""Fewest faults that defeat a decoder, found within larger sets that do: benchmarks/results/waterfall/cores.csv.

    python -m workshop.studies.cores

Among sets of w faults are binomial(w, j) sets of j of them for each that was drawn, and all of these of the sets that
fail are decoded too. Those that fail, over all that there were, are a lower bound of f(j) on average, as sets of j
faults that fail also lie in sets of w that do not. They show failures of so few faults that none would be drawn.
"""

import argparse
from itertools import combinations
from math import comb

import numpy as np
from pydantic import BaseModel

from cascade_qec import decoders
from cascade_qec.evaluation.rare_events.subjects import Subject
from cascade_qec.tables import put_rows
from workshop import RESULTS
from workshop.studies.spectra import failing, sets_of_faults, subject_of

TABLE = RESULTS / "waterfall" / "cores.csv"
SETS = {6: 12_000, 8: 9_000, 10: 7_200}
"""Sets of w faults; the spectra have the same."""
SIZES = (2, 3, 4)


class CoreRow(BaseModel):
    """Sets of ``size`` faults within drawn sets: how many there were, how many fail within sets that fail.

    Attributes
    ----------
    minimal
        Those that have no smaller set among them that fails.
    """

    decoder: str
    code: str
    size: int
    subsets: int
    failures: int
    minimal: int
    parameters: str


def cores(subject: Subject, faults: int, shots: int) -> dict[int, tuple[int, int]]:
    """How many subsets of each size fail within the failing ones of so many sets, and how many of them are minimal."""
    found: dict[int, tuple[int, int]] = dict.fromkeys(SIZES, (0, 0))
    for sets in sets_of_faults(subject, faults, shots):
        for whole in sets[failing(subject, sets)]:
            smaller: list[set[int]] = []
            for size in SIZES:
                subsets = np.array(list(combinations(whole.tolist(), size)), dtype=np.int64)
                failed = [set(subset) for subset in subsets[failing(subject, subsets)].tolist()]
                minimal = [subset for subset in failed if not any(core <= subset for core in smaller)]
                smaller += minimal
                all_failed, all_minimal = found[size]
                found[size] = (all_failed + len(failed), all_minimal + len(minimal))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--code", default="bb72")
    parser.add_argument("--decoder", default="cascade:local_bb72")
    arguments = parser.parse_args()
    decoder = decoders.get(arguments.decoder, device="cpu")
    subject = subject_of(decoder, arguments.code)
    total = {size: np.zeros(2, np.int64) for size in SIZES}
    for faults, shots in SETS.items():
        for size, counts in cores(subject, faults, shots).items():
            total[size] += counts
    rows = [
        CoreRow(
            decoder=subject.run.decoder,
            code=subject.run.code,
            size=size,
            subsets=sum(shots * comb(faults, size) for faults, shots in SETS.items()),
            failures=int(failures),
            minimal=int(minimal),
            parameters=subject.run.parameters,
        )
        for size, (failures, minimal) in total.items()
    ]
    put_rows(TABLE, rows, place=lambda row: (row.decoder, row.code, row.size))


if __name__ == "__main__":
    main()
