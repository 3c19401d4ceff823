"""Direct sampling beside the rates of `cascade spectrum`: benchmarks/results/rare/direct.csv.

Matching is told the true p each time. Run from the root of the repository:

    python -m workshop.studies.rare_direct
"""

from cascade_qec import circuits, codes
from cascade_qec.decoders import classical
from cascade_qec.evaluation import Experiment, compare
from cascade_qec.evaluation.tables import pool
from cascade_qec.tables import write_rows
from workshop import RESULTS

CODE, ROUNDS, BASIS, SEED = "surface_d5", 5, "Z", 2027
SHOTS = {0.0003: 6_000_000, 0.001: 3_000_000, 0.002: 1_000_000, 0.003: 500_000, 0.005: 200_000}
CHUNK = 500_000
TABLE = RESULTS / "rare" / "direct.csv"


def main() -> None:
    decoders = {"pymatching": classical.get("pymatching")}
    code = codes.get(CODE)
    rows = []
    for p, shots in SHOTS.items():
        noise = circuits.UniformDepolarizing(p)
        circuit = circuits.memory(code, rounds=ROUNDS, basis=BASIS, noise=noise)
        experiment = Experiment(CODE, p, ROUNDS, {BASIS: circuit})
        pieces = [
            row
            for i in range(-(-shots // CHUNK))
            for row in compare(experiment, decoders, shots=min(CHUNK, shots - i * CHUNK), seed=SEED + i)
        ]
        rows += pool(pieces)
        write_rows(TABLE, rows)
        print(p, rows[-1].failures, rows[-1].shots, rows[-1].block_error, flush=True)


if __name__ == "__main__":
    main()
