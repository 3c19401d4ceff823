"""Tables of docs/results.md: what confidence is worth, and shots that are discarded for lack of it."""

import csv
from collections.abc import Callable

from cascade_qec.evaluation.reliability.tables import CalibrationRow, PostSelectionRow
from cascade_qec.tables import read_rows
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, percent, rate, table

PAGE = CHECKOUT / "docs" / "results.md"

MODELS = ("surface_d3", "surface_d5", "surface_d7", "bb72", "bb108", "bb144_small")

_DISCARD = 0.05
_TOLD = 0.005
"""Of claims, the noise that is shown."""

_RIVALS = {
    ("pymatching-filtered", "gap"): "gap of matching",
    ("pymatching-correlated-gap", "gap"): "gap of correlated matching",
    ("bplsd-clusters-filtered", "cluster size"): "cluster size, BP+LSD",
}


def with_tables(text: str) -> str:
    """The page with its tables as the results have them."""
    for name, lines in (("claims", claims()), ("reliability", reliability()), ("post-selection", post_selection())):
        text = filled(text, name, lines)
    return text


def claims() -> list[str]:
    with (RESULTS / "claims.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if float(row["p"]) == _TOLD and row["model"] in MODELS]
    cells = [
        [
            row["model"],
            f"{int(row['shots']):,}",
            f"{int(row['failures_raw'])} of {int(row['sure_raw']):,}, claimed {float(row['claimed_raw']):.2g}",
            f"{int(row['failures_sure'])} of {int(row['sure']):,}, claimed {float(row['claimed']):.2g}",
        ]
        for row in sorted(rows, key=lambda row: MODELS.index(row["model"]))
    ]
    return table(["model", "shots", "sure shots that fail, before", "calibrated"], cells, left=1)


def reliability() -> list[str]:
    """Calibration error and Brier score of whole shots."""
    rivals = list(_RIVALS.items())[:2]  # clusters say no probability

    def cell(row: CalibrationRow | None) -> str:
        return "" if row is None else f"{rate(row.ece)}; {rate(row.brier.value)}"

    cells = []
    for model in MODELS:
        rows = [row for row in _rows(model, "calibration.csv", CalibrationRow) if row.of == "shot"]
        known = {(row.decoder, row.p): row for row in rows}
        for p in sorted({row.p for row in rows}):
            own = known[f"cascade:{model}", p]
            theirs = [cell(known.get((name, p))) for (name, _), _ in rivals]
            cells.append([model, percent(p), f"{own.failures:,} / {own.shots:,}", cell(own), *theirs])
    head = ["model", "p", "failures / shots", "error; Brier score", *(title for _, title in rivals)]
    return table(head, cells, left=2)


def post_selection() -> list[str]:
    """Block error of the shots that are kept."""

    def cell(row: PostSelectionRow | None) -> str:
        if row is None or row.block_error is None:
            return ""
        discarded = 1 - row.accepted_fraction.value
        near = abs(discarded - _DISCARD) < _DISCARD / 4
        return rate(row.block_error) + ("" if near else f" (at {100 * discarded:.1f} %)")

    cells = []
    for model in MODELS:
        rows = [row for row in _rows(model, "post_selection.csv", PostSelectionRow) if row.discard == _DISCARD]
        known = {(row.decoder, row.method, row.p): row for row in rows}
        for p in sorted({row.p for row in rows}):
            own = known[f"cascade:{model}", "confidence", p]
            theirs = [cell(known.get((*rival, p))) for rival in _RIVALS]
            cells.append([model, percent(p), f"{own.shots:,}", cell(own), *theirs])
    return table(["model", "p", "shots", "network", *_RIVALS.values()], cells, left=2)


def _rows(model: str, name: str, kind: Callable[..., object]) -> list:
    path = RESULTS / "confidence" / model / name
    return read_rows(path, kind) if path.exists() else []  # pyright: ignore[reportArgumentType]
