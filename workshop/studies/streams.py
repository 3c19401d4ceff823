"""Streams beside the same decoders in one piece, on the same shots of experiments ten times as long as the distance.

    python -m workshop.studies.streams --shots 2400

Writes results/streams.csv and its table in docs/streams.md. Shots are of both bases; bicycle codes get half of them.
"""

import argparse
import warnings

import cascade_qec as cascade
from cascade_qec.cli.progress import percent
from cascade_qec.codes import BASES
from cascade_qec.decoders import Decoder, classical
from cascade_qec.decoders.streams import Streamed
from cascade_qec.evaluation.comparison import Experiment, compare
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import read_rows, write_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table

TABLE, PAGE, SEED = RESULTS / "streams.csv", CHECKOUT / "docs" / "streams.md", 19
SURFACE = {"surface_d3": 3, "surface_d5": 5, "surface_d7": 7}
SIZES = {"surface_d5": [(5, 2), (5, 3), (10, 5), (10, 10)]}
"""Windows besides those that decide d rounds and look d ahead."""
SEAMS = ("surface_d3", "surface_d5")


def decoders(code: str, d: int) -> dict[str, Decoder]:
    """In one piece and in windows."""
    local = cascade.load("local_surface" if code in SURFACE else f"local_{code}", device="cpu")
    known: dict[str, Decoder] = {local.name: local}
    if code in SURFACE:
        known |= {name: classical.get(name) for name in ("pymatching", "pymatching-correlated")}
    made = [Streamed(one, d, d) for one in known.values()]
    made += [Streamed(local, *size) for size in SIZES.get(code, [])]
    if code in SEAMS:
        made.append(Streamed(local, d, d, "seam"))
    return known | {one.name: one for one in made}


def rows(code: str, d: int, p: float, shots: int) -> list[Row]:
    """Everyone on the same shots."""
    with percent(f"{code}, {100 * p:g} %") as report:
        return compare(
            Experiment.memory(code, p, 10 * d, BASES, "uniform"),
            decoders(code, d),
            shots=shots,
            seed=SEED,
            report=report,
        )


def lines(found: list[Row]) -> list[str]:
    """The table of the documentation: failures in one piece and in windows."""
    cells = []
    for code, p in dict.fromkeys((row.code, row.p) for row in found):
        own = {row.decoder: row for row in found if (row.code, row.p) == (code, p)}
        for name, row in own.items():
            whole, _, windows = name.partition("~")
            if not windows:
                continue
            one = own[whole]
            cells.append(
                [
                    f"{code}, {row.rounds}",
                    f"{100 * p:g} %",
                    whole,
                    windows.replace("seam", "seams, "),
                    f"{row.shots:,}",
                    f"{one.failures:,}",
                    f"{row.failures:,}",
                ]
            )
    head = ["code, rounds", "p", "decoder", "windows", "shots", "one piece", "stream"]
    return table(head, cells, left=4)


def with_tables(text: str) -> str:
    """The page with the table as the results have it."""
    return filled(text, "streams", lines(read_rows(TABLE, Row)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shots", type=int, default=2400)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", cascade.CascadeWarning)
    found: list[Row] = []
    cases = [(code, d, p, arguments.shots) for code, d in SURFACE.items() for p in (0.005, 0.003)]
    for case in [*cases, ("bb72", 6, 0.003, arguments.shots // 2)]:
        found += rows(*case)
        write_rows(TABLE, found)
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
