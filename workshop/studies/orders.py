"""What the order of its columns makes of BP+OSD: that of the last iteration, or of the lowest log-likelihood ratios.

    python -m workshop.studies.orders --shots 512 --joint 32

All decode the same shots of bb72, both bases, all detectors or the basis' own; ldpc on all detectors only the first of
them. Times are of the CPU. Writes results/orders.csv and the table in docs/results.md.
"""

import argparse

from cascade_qec import circuits, codes
from cascade_qec.codes import BASES
from cascade_qec.decoders import classical
from cascade_qec.decoders.classical import ClassicalDecoder, Filtered, LowestBPOSD
from cascade_qec.evaluation.tables import Row
from cascade_qec.tables import Circumstances, read_rows, write_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.collections import duration
from workshop.pages.text import filled, table
from workshop.studies.budgets import Tally

TABLE = RESULTS / "orders.csv"
PAGE = CHECKOUT / "docs" / "results.md"
RATES = (0.005,)

JOINT = "the last iteration (ldpc)"
WAYS: dict[str, ClassicalDecoder] = {
    JOINT: classical.get("bposd"),
    "the last iteration (ldpc), basis' own": classical.get("bposd-filtered"),
    "the lowest of 40, of 20 and of 10, basis' own": Filtered(LowestBPOSD()),
    "the lowest of 20, not damped": LowestBPOSD(iterations=20, orders=1, damping=0),
    "the lowest of 20, not damped, scaled by 0.4": LowestBPOSD(iterations=20, orders=1, damping=0, scaling=0.4),
    **{f"the lowest of {count}": LowestBPOSD(iterations=count, orders=1) for count in (5, 10, 20, 40, 80)},
    "the lowest of 40 and of 20": LowestBPOSD(orders=2),
    "the lowest of 40, of 20 and of 10": LowestBPOSD(),
}


class OrderRow(Row, Circumstances):
    """What one way to decode did on the first of the shots."""


def rows(p: float, shots: int, joint: int, seed: int) -> list[OrderRow]:
    """Every way on the same shots, half of them of each basis."""
    code, rounds, tallies = codes.get("bb72"), 6, {name: Tally() for name in WAYS}
    for basis in BASES:
        circuit = circuits.memory(code, rounds=rounds, basis=basis, noise=circuits.UniformDepolarizing(p))
        sampler = circuit.compile_detector_sampler(seed=seed)
        events, observables = sampler.sample(shots // 2, separate_observables=True)
        for name, decoder in WAYS.items():
            count = joint // 2 if name == JOINT else shots // 2
            tallies[name].decode(decoder.bind(circuit), events[:count], observables[:count])
    return [OrderRow(**tally.facts(code, rounds, p, name, WAYS[name], seed)) for name, tally in tallies.items()]


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
    parser.add_argument("--shots", type=int, default=512, help="at each noise rate")
    parser.add_argument("--joint", type=int, default=32, help="those of them that ldpc decodes on all detectors")
    parser.add_argument("--seed", type=int, default=2027)
    arguments = parser.parse_args()
    if min(arguments.shots, arguments.joint) < 2 or arguments.seed < 0:
        given = f"{arguments.shots}, {arguments.joint} and {arguments.seed}"
        parser.error(f"expected --shots and --joint >= 2, one of each basis, and --seed >= 0, got {given}")
    found: list[OrderRow] = []
    for p in RATES:
        found += rows(p, arguments.shots, arguments.joint, arguments.seed)
        write_rows(TABLE, found)
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
