"""Tables of docs/results.md: the demo, laws, rare failures, escalation, cost, figures of others."""

from collections.abc import Sequence

from cascade_qec.evaluation.escalation.table import EscalationRow
from cascade_qec.evaluation.fit_row import FitRow
from cascade_qec.evaluation.latency.table import LatencyRow
from cascade_qec.evaluation.rare_events.results import RareRow
from cascade_qec.evaluation.tables import Row
from cascade_qec.statistics import Interval, wilson
from cascade_qec.tables import read_rows
from workshop import CHECKOUT, RESULTS
from workshop.cards.collected import pooled, total
from workshop.measuring.measurements import older
from workshop.pages.collections import duration
from workshop.pages.text import filled, percent, rate, table

PAGE = CHECKOUT / "docs" / "results.md"

_NAMES = {
    "cascade": "network",
    "pymatching": "matching",
    "pymatching-correlated": "correlated matching",
    "tesseract": "Tesseract (beam 15)",
    "relay-bp": "Relay-BP, all detectors",
    "relay-bp-filtered": "Relay-BP, basis' own detectors",
    "bposd": "BP+OSD, all detectors",
    "bposd-filtered": "BP+OSD, basis' own detectors",
    "bposd-cs10-filtered": "BP+OSD (osd_cs 10)",
}
_FITTED = ("cascade", "pymatching", "pymatching-correlated", "tesseract")
_TIMED = ("cascade", "pymatching", "pymatching-correlated", "bposd-filtered", "tesseract")
_DISTANCES = (3, 5, 7)
_TIMED_CODES = ("surface_d3", "surface_d5", "surface_d7", "bb72")
_RARE = (1e-5, 1e-4, 1e-3, 2e-3)
_BATCH = 512

_PUBLISHED = {
    (0.004, "bposd-cs10-filtered"): 2.55e-2,
    (0.004, "relay-bp-filtered"): 4.9e-3,
    (0.005, "bposd-cs10-filtered"): 0.131,
    (0.005, "relay-bp-filtered"): 4.2e-2,
}
"""Block errors of bb144 that the authors of Relay-BP give: Mueller et al., arXiv:2506.01779."""


def with_tables(text: str) -> str:
    """The page with its tables as the results have them."""
    for name, lines in (
        ("older weights", of_older_weights()),
        ("demo", demo()),
        ("laws", laws()),
        ("rare failures", rare()),
        ("escalation", escalation()),
        ("cost", cost()),
        ("figures of others", published()),
    ):
        text = filled(text, name, lines)
    return text


def of_older_weights() -> list[str]:
    names = [each.name for each in older()]
    if not names:
        return ["All tables below are of the weights that are shipped."]
    return [f"Not yet measured anew since the weights changed: {'; '.join(names)}."]


def demo() -> list[str]:
    rows = read_rows(RESULTS / "demo.csv", Row)
    known = {(row.code, row.decoder, row.p): row for row in rows}
    ps = sorted({row.p for row in rows})
    cells = [
        [code, _called(decoder), *(_decoded(known[code, decoder, p]) for p in ps)]
        for code, decoder in dict.fromkeys((row.code, row.decoder) for row in rows)
    ]
    return table(["code", "decoder", *map(percent, ps)], cells, left=2)


def _decoded(row: Row) -> str:
    time = duration(row.microseconds_per_shot / 1e6)
    return f"{rate(row.block_error)}<br>{row.failures:,} of {row.shots:,} shots, {time}"


def laws() -> list[str]:
    rows = read_rows(RESULTS / "fits.csv", FitRow)

    def cell(decoder: str, digits: int, **wanted: object) -> str:
        for row in rows:
            if row.decoder == decoder and all(getattr(row, name) == value for name, value in wanted.items()):
                factor = 100 if row.parameter == "threshold" else 1
                figures = [None if end is None else factor * end for end in (row.value, row.value_low, row.value_high)]
                # no end, or a noise rate of 1, is none
                texts = [
                    "-" if each is None or (factor, each) == (100, 100) else f"{each:,.{digits}f}" for each in figures
                ]
                return f"{texts[0]} [{texts[1]}, {texts[2]}]"
        return ""

    cells = [
        [
            _called(decoder),
            *(cell(decoder, 2, code=f"surface_d{d}", form="one term", parameter="m1") for d in _DISTANCES),
            cell(decoder, 1, form="distances", parameter="lambda", p=0.002),
            cell(decoder, 2, code="surface_d5+surface_d7", parameter="threshold"),
            cell(decoder, 0, parameter="distance", p=0.002),
            cell(decoder, 0, parameter="qubits_per_logical", p=0.002),
        ]
        for decoder in _FITTED
    ]
    head = [
        "decoder",
        *(f"exponent, d = {d}" for d in _DISTANCES),
        "Lambda at 0.2 %",
        "threshold, %, d = 5 and 7",
        "distance for 1e-10 at 0.2 %",
        "qubits",
    ]
    return table(head, cells, left=1)


def rare() -> list[str]:
    rows = read_rows(RESULTS / "rare" / "rare.csv", RareRow)
    subjects = list(dict.fromkeys((row.decoder, row.code) for row in rows))
    known = {(row.decoder, row.code, row.p): row for row in rows}
    cells = []
    for p in _RARE:
        found = [known.get((*subject, p)) for subject in subjects]
        cells.append([f"{100 * p:g} %", *(_rare(row) if row else "" for row in found)])
    head = ["p", *(f"{_called(who)}{'' if who.startswith('cascade:') else f' on {code}'}" for who, code in subjects)]
    return table(head, cells, left=1)


def _rare(row: RareRow) -> str:
    """Where the interval reaches far above the estimate, it comes from sets that were not decoded."""
    if row.block_error.high > 100 * row.block_error.value:
        return f"below {rate(row.block_error.high)}"
    return rate(row.block_error)


def escalation() -> list[str]:
    parts: dict[str, dict[str, EscalationRow]] = {}
    for row in read_rows(RESULTS / "escalation.csv", EscalationRow):
        parts.setdefault(row.fallback, {})[row.part] = row
    cells = []
    for fallback, rows in parts.items():
        alone, theirs, chosen = rows["network"], rows["fallback"], rows.get("chosen")  # None of too few shots
        times = [row.us_per_shot.value for row in (alone, chosen, theirs) if row is not None]
        row = [_called(fallback), f"{alone.shots:,}", rate(alone.block_error), rate(theirs.block_error)]
        if chosen is None:
            row += ["", "", "", ""]
        else:
            row += [
                f"{chosen.threshold:.3f}" if chosen.escalated else "none",
                f"{100 * chosen.escalated_fraction:.1f} %",
                rate(chosen.block_error),
                _ends(chosen.difference),
            ]
        cells.append([*row, ", ".join(f"{float(f'{time / 1000:.3g}'):,g}" for time in times)])
    head = [
        "fallback",
        "shots",
        "network alone",
        "fallback alone",
        "below",
        "escalated",
        "both, second half",
        "less the fallback's, 95 %",
        "ms a shot: network, both, fallback",
    ]
    return table(head, cells, left=1)


def cost() -> list[str]:
    rows = read_rows(RESULTS / "latency_cpu.csv", LatencyRow)
    cells = []
    for decoder in _TIMED:
        of_decoder = [row for row in rows if row.decoder == decoder or row.decoder.startswith(f"{decoder}:")]
        timed = [[row for row in of_decoder if row.code == code] for code in _TIMED_CODES]
        cells.append([_called(decoder), *(_times(each) for each in timed)])
    loads = sorted(row.load_average for row in rows if row.load_average is not None)
    return [
        *table(["", *_TIMED_CODES], cells, left=1),
        "",
        f"On {rows[0].hardware}, one thread, at p = {percent(rows[0].p)}, with {loads[0]:.1f} to {loads[-1]:.1f} "
        "processes that wanted a core.",
    ]


def _times(rows: Sequence[LatencyRow]) -> str:
    """Medians of single shots, and of the largest batch up to `_BATCH`."""
    by_batch = {row.batch: row.us_per_shot_p50.value for row in rows if row.batch <= _BATCH}
    if not by_batch:
        return ""
    most = max(by_batch)
    batch = "" if most == _BATCH else f" (of {most})"
    single = _microseconds(by_batch[1])
    return single if most == 1 else f"{single}, {_microseconds(by_batch[most])}{batch}"


def _microseconds(time: float) -> str:
    return f"{time:.2g}" if time < 10 else f"{float(f'{time:.3g}'):,.0f}"


def published() -> list[str]:
    cells = []
    collected = pooled(RESULTS / "collections" / "bb144.csv")
    for (p, decoder), theirs in _PUBLISHED.items():
        found = next(cell for (_, name, at), cell in collected.items() if (name, at) == (decoder, p))
        counts = total(found)
        here = f"{counts.errors} / {counts.shots:,} = {rate(wilson(counts.errors, counts.shots))}"
        cells.append([percent(p), _called(decoder), " and ".join(sorted(found)), here, f"{theirs:.3g}"])
    return table(["p", "decoder", "bases", "here", "published"], cells, left=3)


def _ends(figure: Interval) -> str:
    return f"[{rate(figure.low)}, {rate(figure.high)}]"


def _called(decoder: str) -> str:
    return _NAMES.get(decoder, decoder.removeprefix("cascade:"))
