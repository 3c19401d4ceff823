"""What a network that learned one number of rounds makes of others, by sums over time and in segments of as many.

    python -m workshop.studies.lengthening bb108.safetensors --rounds 10 15 20 30

No weight is trained, and nothing changes in the model's own number of rounds.
"""

import argparse
import warnings
from pathlib import Path

import cascade_qec as cascade
from cascade_qec.cli.progress import percent
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.evaluation.comparison import Experiment, compare
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import write_rows
from workshop import RESULTS

TABLE, SEED = RESULTS / "trials" / "lengthening.csv", 8


def readings(decoder: CascadeDecoder, rounds: int) -> dict[str, CascadeDecoder]:
    """The network for so many rounds, by both ways of reading it."""
    segments = decoder.description.lengthened([rounds])
    sums = segments.model_copy(update={"network": decoder.description.network})
    read = {"sums": sums, "segments": segments}
    return {name: CascadeDecoder(decoder.state, one, allow_unmeasured=True) for name, one in read.items()}


def rows(decoder: CascadeDecoder, p: float, rounds: int, shots: int) -> list[Row]:
    """Both readings on the same shots of each basis."""
    found: list[Row] = []
    for basis in decoder.description.bases:
        circuit = decoder.experiment(p, rounds=rounds, basis=basis)
        experiment = Experiment(decoder.description.name, p, rounds, {basis: circuit})
        with percent(f"{rounds} rounds, {basis}") as report:
            found += compare(experiment, readings(decoder, rounds), shots=shots, seed=SEED, report=report)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", help="path or name of a model that learned one number of rounds")
    parser.add_argument("--rounds", nargs="+", type=int, required=True)
    parser.add_argument("--p", type=float, default=0.004)
    parser.add_argument("--shots", type=int, default=2000, help="of each number of rounds and basis")
    parser.add_argument("--out", type=Path, default=TABLE)
    asked = parser.parse_args()
    warnings.simplefilter("ignore", cascade.CascadeWarning)  # other rounds are what this is about
    decoder = cascade.load(asked.model, allow_unmeasured=True)
    write_rows(asked.out, [row for rounds in asked.rounds for row in rows(decoder, asked.p, rounds, asked.shots)])


if __name__ == "__main__":
    main()
