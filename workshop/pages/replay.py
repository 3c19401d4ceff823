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
        took = of_decoder[0].us_per_round_mean
        line = [decoder, "server" if server else "here", "" if took is None else f"{took:,.0f} µs"]
        for pace in PACES_US:
            (row,) = [row for row in of_decoder if row.cadence_us == pace]
            median, slow = (quantile.value / 1000 for quantile in (row.latency_us_p50, row.latency_us_p99))
            line += [f"{median:,.2f}, {slow:,.2f} ms", f"{row.backlog[-1]:.1f}"]
        cells.append([*line, f"{of_decoder[0].failures} / {of_decoder[0].shots}", str(of_decoder[0].whole_failures)])
    paces = [head for pace in PACES_US for head in (f"{pace:g} µs a round: answer, median and 99 %", "rounds wait")]
    return table(["decoder", "where", "a round", *paces, "failures", "one piece"], cells, left=2)
