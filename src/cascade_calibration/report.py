"""One page for a folder of runs: a table of verdicts, and each with its figure, evidence and what to measure next."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from cascade_calibration import figures, readers
from cascade_calibration.analysis import Verdict, diagnose, get
from cascade_calibration.measurement import Measurement
from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole

_DPI = 90
_UNSURE = 0.7
"""Probability below which a status is shown as doubtful."""
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 0.5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.7rem 0.3rem 0; border-bottom: 1px solid #ddd; }
section { border-top: 2px solid #bbb; margin-top: 2rem; break-inside: avoid; }
.overview { font-size: 0.85rem; } td { overflow-wrap: break-word; }
.source { color: #666; font-size: 0.8rem; }
.facts th { font-weight: 600; white-space: nowrap; }
.both { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
.both > * { flex: 1 1 26rem; min-width: 0; }
img { max-width: 100%; height: auto; }
.status { padding: 0.05rem 0.45rem; border-radius: 0.3rem; white-space: nowrap; color: #fff; }
.good { background: #00664b; } .bad { background: #a84300; } .unsure { background: #5f5f5f; }
"""


@dataclass(frozen=True)
class Entry:
    """A measurement and what it shows; or, without a verdict, why there is none."""

    source: str
    name: str
    target: str
    verdict: Verdict | None
    problem: str = ""


def entries(folder: Path, report: Callable[[int, int], None] = lambda done, total: None) -> list[Entry]:
    """Every measurement in a folder and the folders below it, in the order of their paths.

    Parameters
    ----------
    report
        Told how many of all runs are read.

    Raises
    ------
    CascadeError
        If there is none.
    """
    paths = readers.runs(folder)
    if not paths:
        raise CascadeError(f"{folder}: expected a folder with measurements, found none in a known layout")
    found: list[Entry] = []
    for done, path in enumerate(paths):
        report(done, len(paths))
        source = str(path.relative_to(folder)) if path != folder else path.name
        try:
            measurements = readers.read(path)
        except CascadeError as error:
            found.append(Entry(source, path.stem, "", None, str(error)))
            continue
        found += [_entry(source, path.stem, one) for one in measurements]
    report(len(paths), len(paths))
    return found


def page(found: Iterable[Entry], title: str) -> str:
    """The page as HTML that needs no other file."""
    found = list(found)
    rows = "".join(_row(i, one) for i, one in enumerate(found))
    sections = "".join(_section(i, one) for i, one in enumerate(found))
    head = "".join(f"<th>{one}</th>" for one in ("measurement", "family", "status", "parameters", "measure next"))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><p>{_counted(found)}</p>"
        f'<table class="overview"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{sections}</body></html>\n'
    )


def write(path: Path, content: str) -> None:
    """Write a page.

    Raises
    ------
    CascadeError
        If it cannot be written.
    """
    with written_whole(path) as file:
        file.write(content.encode())


def _entry(source: str, stem: str, one: Measurement) -> Entry:
    name = one.name or stem
    try:
        return Entry(source, name, one.target, diagnose(one))
    except CascadeError as error:
        return Entry(source, name, one.target, None, str(error))


def _counted(found: list[Entry]) -> str:
    told = [one.verdict for one in found if one.verdict]
    good = sum(one.status == get(one.family).success for one in told)
    without = f"; without a verdict: {len(found) - len(told)}" if len(told) < len(found) else ""
    return f"Measurements: {len(found)}; as they should be: {good}{without}."


def _badge(verdict: Verdict) -> str:
    good = verdict.status == get(verdict.family).success
    kind = "unsure" if verdict.probability < _UNSURE else "good" if good else "bad"
    return f'<span class="status {kind}">{escape(verdict.status)}</span> {verdict.probability:.0%}'


def _row(i: int, one: Entry) -> str:
    title = escape(" ".join(filter(None, [one.name, one.target])))
    cells = [f'<a href="#m{i}">{title}</a><div class="source">{escape(one.source)}</div>']
    if one.verdict:
        values = (f"{name} {estimate}" for name, estimate in one.verdict.parameters.items())
        cells += [escape(one.verdict.family), _badge(one.verdict), "<br>".join(map(escape, values))]
        cells.append("<br>".join(escape(str(one)) for one in one.verdict.suggested_range))
    else:
        cells += ["", "no verdict", "", ""]  # the section says why
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _section(i: int, one: Entry) -> str:
    title = escape(" ".join(filter(None, [one.name, one.target])))
    start = f'<section id="m{i}"><h2>{title}</h2><p class="source">{escape(one.source)}</p>'
    if one.verdict is None:
        return f"{start}<p>{escape(one.problem)}</p></section>"
    facts = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in one.verdict.facts() if text
    )
    return (
        f'{start}<div class="both"><img alt="{title}: {escape(one.verdict.status)}" src="{_picture(one.verdict)}">'
        f'<table class="facts">{facts}</table></div></section>'
    )


def _picture(verdict: Verdict) -> str:
    content = io.BytesIO()
    figures.draw(verdict).savefig(content, format="png", dpi=_DPI, metadata={"Software": None})
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
