"""Sizes of windows against accuracy and time: results/window_sizes.csv and its table in docs/streams.md.

    python -m workshop.studies.window_sizes --shots 2000

All sizes decode the same shots, one at a time and round by round. Times are processor time, so that what else the
machine does counts for less.
"""

import argparse
import time

import cascade_qec as cascade
from cascade_qec import circuits, codes
from cascade_qec.cli.progress import progress
from cascade_qec.decoders import Decoder, classical
from cascade_qec.evaluation.replay import ReplayRow, play, replay_rows
from cascade_qec.native import set_threads
from cascade_qec.tables import read_rows, write_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table

TABLE, PAGE, SEED = RESULTS / "window_sizes.csv", CHECKOUT / "docs" / "streams.md", 23
CODE, ROUNDS, P, BASIS = "surface_d5", 50, 0.005, "Z"
CADENCE_US = 1000.0
SIZES = [(1, 5), (2, 5), (5, 2), (5, 3), (5, 5), (10, 5), (10, 10)]


def rows(decoders: list[Decoder], shots: int) -> list[ReplayRow]:
    """Everyone in windows of all sizes."""
    circuit = circuits.memory(codes.get(CODE), rounds=ROUNDS, basis=BASIS, noise=circuits.UniformDepolarizing(P))
    events, observables = circuit.compile_detector_sampler(seed=SEED).sample(shots, separate_observables=True)
    found: list[ReplayRow] = []
    for commit, buffer in SIZES:
        with progress(f"windows {commit}+{buffer}, shots") as report:
            played = play(
                decoders,
                circuit,
                events,
                observables,
                [CADENCE_US],
                commit=commit,
                buffer=buffer,
                clock=time.process_time_ns,
                report=report,
            )
        found += replay_rows(played, code=CODE, p=P, basis=BASIS, seed=SEED, processor_time=True)
    return found


def lines(found: list[ReplayRow]) -> list[str]:
    """The table of the documentation."""
    cells = [
        [
            row.decoder,
            f"{row.decided}+{row.ahead}",
            f"{row.shots:,}",
            f"{row.whole_failures:,}",
            f"{row.failures:,}",
            f"{row.differ:,}",
            f"{row.us_per_round_mean:.0f} µs",
            f"{row.latency_us_p50.value:,.0f} µs",
            f"{row.latency_us_p99.value:,.0f} µs",
        ]
        for row in sorted(found, key=lambda row: row.decoder)
    ]
    head = ["decoder", "windows", "shots", "one piece", "stream", "differ", "a round", "answer, median", "answer, 99 %"]
    return table(head, cells, left=2)


def with_tables(text: str) -> str:
    """The page with the table as the results have it."""
    return filled(text, "window sizes", lines(read_rows(TABLE, ReplayRow)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shots", type=int, default=2000)
    arguments = parser.parse_args()
    set_threads(1)
    found = rows([cascade.load("local_surface", device="cpu"), classical.get("pymatching")], arguments.shots)
    write_rows(TABLE, found)
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
