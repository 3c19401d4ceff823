"""How models fare in other numbers of rounds than they are made for, beside classical decoders: results/rounds.csv.

    python -m workshop.studies.rounds colour_d3

Rows of models that are not named stay.
"""

import argparse
import warnings

import cascade_qec as cascade
from cascade_qec import codes
from cascade_qec.cli.progress import percent
from cascade_qec.decoders import classical
from cascade_qec.evaluation.comparison import CASCADE, Experiment, compare
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import read_rows, write_rows
from workshop import RESULTS

TABLE, SEED = RESULTS / "rounds.csv", 7
P = 0.003
HIGHER_P = {"bb108": 0.004, "bb144_small": 0.004, "local_bb108": 0.004, "local_bb144": 0.004, "local_toric": 0.005}
"""Of models that seldom fail at the other rate."""
ROUNDS = {
    "surface_d3": (1, 2, 3, 4, 6, 9, 12),
    "surface_d5": (1, 3, 5, 7, 10, 15, 20),
    "surface_d7": (1, 4, 7, 14, 21, 28),
    "colour_d3": (1, 2, 3, 4, 6, 9, 12),
    "local_colour": (1, 3, 5, 7, 10, 15),
    "bb72": (1, 2, 4, 6, 9, 13, 18),
    "bb108": (1, 5, 10, 15, 20, 25, 30),
    "bb144_small": (1, 6, 12, 18, 24, 30, 36),
    "local_bb72": (1, 2, 4, 6, 9, 13, 18),
    "local_bb108": (10, 20, 30),
    "local_bb144": (12, 24, 36),
    "local_gb48": (8, 16, 24),
    "local_toric": (6, 12, 18),
}
RIVALS = {
    "surface": ("pymatching", "pymatching-correlated"),
    "colour": ("chromobius", "bposd-lowest"),
    "toric": ("pymatching", "pymatching-correlated"),
    "bb": ("bposd-lowest",),
    "gb": ("bposd-ensemble",),
}


def rows(name: str, shots: int, *, alone: bool) -> list[Row]:
    """A model and, unless it is alone, its rivals on the same shots of each number of rounds."""
    decoder = cascade.load(name, allow_unmeasured=True)
    rivals = () if alone else RIVALS[decoder.description.code.partition("_")[0].rstrip("0123456789")]
    decoders = {CASCADE: decoder} | {rival: classical.get(rival) for rival in rivals}
    found: list[Row] = []
    p = HIGHER_P.get(name, P)
    for rounds in ROUNDS[name]:
        circuits = {basis: decoder.experiment(p, rounds=rounds, basis=basis) for basis in codes.BASES}
        with percent(f"{name}, {rounds} rounds") as report:
            found += compare(
                Experiment(name, p, rounds, circuits),
                decoders,
                shots=shots,
                seed=SEED,
                report=report,
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="+", choices=list(ROUNDS))
    parser.add_argument("--shots", type=int, default=30_000, help="of each number of rounds")
    parser.add_argument("--alone", action="store_true", help="without rivals, which are slow on bb144")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", cascade.CascadeWarning)  # other rounds are what this is about
    for name in arguments.names:
        kept = [row for row in read_rows(TABLE, Row) if row.code != name]
        write_rows(TABLE, [*kept, *rows(name, arguments.shots, alone=arguments.alone)])


if __name__ == "__main__":
    main()
