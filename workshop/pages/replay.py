"""The table of docs/streams.md of streams at a fixed pace, in the decoder's own process and on a server."""

from cascade_qec.evaluation.replay import ReplayRow
from cascade_qec.plotting.panels import grouped
from cascade_qec.tables import read_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table

PAGE = CHECKOUT / "docs" / "streams.md"
PACES_US = (100.0, 1000.0)


def with_tables(text: str) -> str:
    """The page with its table as the results have it."""
    return filled(text, "replay", replays(read_rows(RESULTS / "replay.csv", ReplayRow)))


def replays(rows: list[ReplayRow]) -> list[str]:
    """A row for each decoder and place: what a round takes, and the answer and the queue at two paces."""
    cells = []
    for (server, decoder), of_decoder in grouped(rows, lambda row: (row.server, row.decoder)).items():
        first = of_decoder[0]
        took = first.us_per_round_mean
        line = [decoder, "server" if server else "here", "" if took is None else f"{took:.0f} µs"]
        for pace in PACES_US:
            (row,) = [row for row in of_decoder if row.cadence_us == pace]
            line += [
                f"{row.latency_us_p50.value / 1000:.2f} ms",
                f"{row.latency_us_p99.value / 1000:.2f} ms",
                f"{row.backlog[-1]:.1f}",
            ]
        cells.append([*line, f"{first.failures} / {first.shots}", str(first.whole_failures)])
    paces = [
        f"{what}, {pace:g} µs a round"
        for pace in PACES_US
        for what in ("answer, median", "answer, 99 %", "rounds wait")
    ]
    head = ["decoder", "where", "a round", *paces, "failures", "one piece"]
    return table(head, cells, left=2)
