"""How a model fares on other numbers of rounds than it was trained on, beside matching: results/rounds.csv."""

import warnings

import cascade_qec as cascade
from cascade_qec.decoders import classical
from cascade_qec.evaluation.comparison import CASCADE, Experiment, compare
from cascade_qec.tables import write_rows
from workshop import RESULTS

P, SHOTS, SEED = 0.003, 30_000, 7
ROUNDS = {
    "surface_d3": (1, 2, 3, 4, 6, 9, 12),
    "surface_d5": (1, 3, 5, 7, 10, 15, 20),
    "surface_d7": (1, 4, 7, 14, 21, 28),
}


def main() -> None:
    warnings.simplefilter("ignore", cascade.CascadeWarning)  # other rounds are what this is about
    rows = []
    for name, counts in ROUNDS.items():
        decoder = cascade.load(name, allow_unmeasured=True)
        decoders = {CASCADE: decoder} | {
            rival: classical.get(rival) for rival in ("pymatching", "pymatching-correlated")
        }
        for rounds in counts:
            circuits = {basis: decoder.experiment(P, rounds=rounds, basis=basis) for basis in ("Z", "X")}
            rows += compare(Experiment(name, P, rounds, circuits), decoders, shots=SHOTS, seed=SEED)
    write_rows(RESULTS / "rounds.csv", rows)


if __name__ == "__main__":
    main()
