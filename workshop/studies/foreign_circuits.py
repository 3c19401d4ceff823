"""Models on circuits of other projects, beside our own circuits of the same code, rounds, basis and noise.

    python -m workshop.studies.foreign_circuits FOLDER

FOLDER holds the files of `FILES`, under these names, from the public test data of trmue/relay (tests/testdata),
oscarhiggott/stimbposd (tests/data) and quantumlib/tesseract-decoder (testdata). Writes results/foreign_circuits.csv
and the table of docs/circuits.md.
"""

import math
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import stim
from pydantic import BaseModel

import cascade_qec as cascade
from cascade_qec import circuits
from cascade_qec.codes import Basis
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.recognition import read_circuit, recognise
from cascade_qec.recognition.likeness import reference
from cascade_qec.statistics import failures, wilson
from cascade_qec.tables import read_rows, write_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table

TABLE = RESULTS / "foreign_circuits.csv"
PAGE = CHECKOUT / "docs" / "circuits.md"
SEED, OWN_SEED = 1, 2


@dataclass(frozen=True)
class File:
    """A circuit, the experiment of ours that it is like, and how many shots of each are decoded."""

    name: str
    model: str
    basis: Basis
    noise: str
    p: float
    shots: int


FILES = (
    File("relay_surface_d5_z_r5_p0.003", "surface_d5", "Z", "uniform", 0.003, 100_000),
    File("tesseract_surface_d5_x_r5_si1000_p0.001", "surface_d5", "X", "si1000", 0.001, 200_000),
    File("relay_bb72_z_r6_p0.003", "bb72", "Z", "uniform", 0.003, 10_000),
    File("relay_bb72_z_r6_p0.005", "bb72", "Z", "uniform", 0.005, 3_000),
    File("tesseract_bb72_z_r6_si1000_p0.002", "bb72", "Z", "si1000", 0.002, 10_000),
    File("stimbposd_bb72_x_r6_p0.001", "bb72", "X", "uniform", 0.001, 20_000),
)


class Row(BaseModel):
    """What a model did on one circuit; a ratio of failures needs some of both.

    Attributes
    ----------
    strength, agreement, missing_detectors
        As :class:`~cascade_qec.recognition.Recognition` has them.
    failures, own_failures
        Of the circuit's shots, and of as many of our own one's.
    recorded_shots, recorded_failures
        Of a file of shots that lies beside the circuit.
    """

    file: str
    model: str
    rounds: int
    basis: Basis
    noise: str
    p: float
    strength: float
    agreement: float
    missing_detectors: int
    shots: int
    failures: int
    own_failures: int
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    recorded_shots: int | None
    recorded_failures: int | None
    seconds_to_recognise: float
    seed: int
    own_seed: int


def main(folder: Path) -> None:
    warnings.simplefilter("ignore", cascade.CascadeWarning)  # missing detectors are among what this is about
    rows = []
    for file in FILES:
        rows.append(measured(file, folder))
        print(rows[-1], flush=True)
    write_rows(TABLE, rows)
    PAGE.write_text(with_tables(PAGE.read_text()))


def with_tables(text: str) -> str:
    """The page with the table as the results have it."""
    return filled(text, "foreign circuits", lines(read_rows(TABLE, Row)))


def measured(file: File, folder: Path) -> Row:
    """A row of the table of results."""
    decoder = cascade.load(file.model, device="cpu")
    circuit = read_circuit(folder / f"{file.name}.stim")
    reference.cache_clear()
    begin = time.perf_counter()
    found = recognise(circuit, decoder.code, decoder.description.bases)
    seconds = time.perf_counter() - begin
    noise = circuits.noise_model(file.noise, file.p)
    own = circuits.memory(decoder.code, rounds=found.lattice.rounds, basis=file.basis, noise=noise)
    failed, own_failed = (sampled(decoder, c, file.shots, s) for c, s in ((circuit, SEED), (own, OWN_SEED)))
    ratio, low, high = ratio_of(failed, own_failed, file.shots)
    recorded = recorded_shots(decoder, circuit, folder / f"{file.name}.b8")
    return Row(
        file=file.name,
        model=file.model,
        rounds=found.lattice.rounds,
        basis=file.basis,
        noise=file.noise,
        p=file.p,
        strength=round(found.strength, 6),
        agreement=round(found.agreement, 6),
        missing_detectors=found.missing,
        shots=file.shots,
        failures=failed,
        own_failures=own_failed,
        ratio=ratio,
        ratio_low=low,
        ratio_high=high,
        recorded_shots=recorded[0],
        recorded_failures=recorded[1],
        seconds_to_recognise=round(seconds, 2),
        seed=SEED,
        own_seed=OWN_SEED,
    )


def sampled(decoder: CascadeDecoder, circuit: stim.Circuit, shots: int, seed: int) -> int:
    """Failures among shots of a circuit."""
    dets, obs = circuit.compile_detector_sampler(seed=seed).sample(shots, separate_observables=True)
    return failures(decoder.bind(circuit).decode_batch(dets).observables, obs)


def recorded_shots(decoder: CascadeDecoder, circuit: stim.Circuit, path: Path) -> tuple[int | None, int | None]:
    """Shots and failures of a file that lies beside the circuit, observables appended; None where there is none."""
    if not path.is_file():
        return None, None
    detectors = circuit.num_detectors
    both = stim.read_shot_data_file(
        path=path, format="b8", num_detectors=detectors, num_observables=circuit.num_observables
    )
    predicted = decoder.bind(circuit).decode_batch(both[:, :detectors]).observables
    return len(both), failures(predicted, both[:, detectors:])


def ratio_of(failed: int, own_failed: int, shots: int) -> tuple[float | None, float | None, float | None]:
    """Ratio of two rates over equally many shots with its 95 % interval, normal in the logarithm (Katz)."""
    if not failed or not own_failed:
        return None, None, None
    ratio = failed / own_failed
    width = math.exp(1.96 * math.sqrt(1 / failed + 1 / own_failed - 2 / shots))
    return ratio, ratio / width, ratio * width


def lines(rows: list[Row]) -> list[str]:
    """The table of the documentation."""
    cells = []
    for row in rows:
        rate = wilson(row.failures, row.shots)
        ratio = "-" if row.ratio is None else f"{row.ratio:.2f} [{row.ratio_low:.2f}, {row.ratio_high:.2f}]"
        cells.append(
            [
                f"`{row.file}`",
                row.model,
                f"{row.failures:,} / {row.shots:,}",
                f"{row.own_failures:,}",
                f"{rate.value:.2e}",
                ratio,
                f"{row.seconds_to_recognise:.1f} s",
            ]
        )
    head = ["circuit", "model", "failures / shots", "our circuit", "block error", "ratio, 95 %", "recognised in"]
    return table(head, cells, left=2)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
