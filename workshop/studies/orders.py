"""What the order of its columns makes of BP+OSD: that of the last iteration, or of the lowest log-likelihood ratio.

    python -m workshop.studies.orders --shots 1000 --seconds 40

All decode the same shots of bb72, both bases, all detectors or the basis' own; those by ldpc for so many seconds.
Writes results/orders.csv and the table in docs/results.md.
"""

import argparse

from cascade_qec.codes import BASES
from cascade_qec.decoders import classical
from cascade_qec.decoders.classical import ClassicalDecoder, Filtered, LowestBPOSD
from cascade_qec.evaluation.comparison import Experiment, compare
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import Circumstances, circumstances, read_rows, write_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.collections import duration
from workshop.pages.text import filled, table

TABLE = RESULTS / "orders.csv"
PAGE = CHECKOUT / "docs" / "results.md"
RATES = (0.003, 0.005)

BY_LDPC: dict[str, ClassicalDecoder] = {
    "BP+OSD (ldpc)": classical.get("bposd"),
    "BP+OSD (ldpc), basis' own": classical.get("bposd-filtered"),
}
OURS: dict[str, ClassicalDecoder] = {
    "lowest, 20 iterations, basis' own": Filtered(LowestBPOSD()),
    "lowest, 20 iterations, no damping": LowestBPOSD(damping=0),
    "lowest, 20 iterations, no damping, scaled by 0.4": LowestBPOSD(damping=0, scaling=0.4),
    **{f"lowest, {count} iterations": LowestBPOSD(iterations=count) for count in (5, 10, 20, 40)},
}


class OrderRow(Row, Circumstances):
    """What one way to decode did on the first of the shots."""


def rows(p: float, shots: int, seconds: float, seed: int) -> list[OrderRow]:
    """Every way on the same shots."""
    experiment = Experiment.memory("bb72", p, 6, BASES, "uniform")
    found = compare(experiment, BY_LDPC | OURS, shots=shots, seed=seed, seconds=dict.fromkeys(BY_LDPC, seconds))
    stored = ({name: getattr(row, name) for name in Row.model_fields} for row in found)
    return [OrderRow.model_validate(one | circumstances()) for one in stored]


def lines(rows: list[OrderRow]) -> list[str]:
    """A row for each way, and two columns for each noise rate."""
    rates = sorted({row.p for row in rows})
    cells = []
    for name in dict.fromkeys(row.decoder for row in rows):
        own = [next(row for row in rows if (row.decoder, row.p) == (name, p)) for p in rates]
        cells.append([name, *(cell for row in own for cell in _cells(row))])
    return table(
        ["columns ordered by", *(f"{100 * p:g} %{what}" for p in rates for what in ("", ", a shot"))], cells, left=1
    )


def _cells(row: OrderRow) -> tuple[str, str]:
    rate = row.block_error
    counts = f"{row.failures:,} / {row.shots:,} = {rate.value:.1e} [{rate.low:.1e}, {rate.high:.1e}]"
    return counts, duration(row.seconds / row.shots)


def with_tables(text: str) -> str:
    """The page with the table as the results have it."""
    return filled(text, "orders", lines(read_rows(TABLE, OrderRow)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shots", type=int, default=1000, help="at each noise rate")
    parser.add_argument("--seconds", type=float, default=40.0, help="of each decoder by ldpc")
    parser.add_argument("--seed", type=int, default=2027)
    arguments = parser.parse_args()
    found: list[OrderRow] = []
    for p in RATES:
        found += rows(p, arguments.shots, arguments.seconds, arguments.seed)
        write_rows(TABLE, found)
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
