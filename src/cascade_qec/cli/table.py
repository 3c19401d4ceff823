"""Tables and figures for the terminal, drawn in one way."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from cascade_qec.statistics import Interval

Row = TypeVar("Row")

# A pipe or a log has no width of its own.
_WIDE = 1000
# Around a text of the first column.
_PADDING = 3


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column of a table.

    Attributes
    ----------
    title
        May have line breaks, and so may the texts.
    text
        What stands there for a row.
    right
        Texts end at the right, as numbers do.
    spare
        Columns with the largest number are left out first where the terminal is too narrow for all, of equals the one
        farthest to the right; those with 0 never.
    most
        Characters of a line, also where there is no terminal; longer texts are folded. 0: any.
    """

    title: str
    text: Callable[[Row], str]
    right: bool = False
    spare: int = 0
    most: int = 0


def show(
    rows: Iterable[Row],
    columns: Sequence[Column[Row]],
    title: str = "",
    notes: Sequence[str] = (),
    *,
    section: Callable[[Row], Hashable] | None = None,
) -> None:
    """Print a table.

    On a terminal that is too narrow whole columns are left out, and named below. What then still does not fit is
    folded, not cut.

    The title stands above and the notes below. Rows that follow each other and have the same section stand together,
    with a line below.
    """
    terminal, rows = console(), list(rows)
    shown, left_out = list(columns), []
    table = _table(rows, shown, title, section)
    while _width(table, terminal) > terminal.width and any(column.spare for column in shown):
        last = max(range(len(shown)), key=lambda i: (shown[i].spare, i))
        left_out.insert(0, " ".join(shown.pop(last).title.split()))
        table = _table(rows, shown, title, section)
    # names, which stand first, stay in one piece if half of the terminal is enough for them
    names = [shown[0].title, *(shown[0].text(row) for row in rows)]
    table.columns[0].no_wrap = (
        2 * (_PADDING + max(len(line) for text in names for line in text.split("\n"))) <= terminal.width
    )
    terminal.print(table)
    if left_out:
        terminal.print(f"Not shown on a terminal of this width: {', '.join(left_out)}.")
    for note in notes:
        terminal.print(note, soft_wrap=not terminal.is_terminal)


def show_facts(facts: Iterable[tuple[str, RenderableType]]) -> None:
    """Print titles, each with what is to say of it beside it; those of which nothing is to say are left out."""
    grid = Table.grid(padding=(0, 2))
    for title, value in facts:
        if value:
            grid.add_row(Text(title, style="bold"), value)
    console().print(grid)


def console() -> Console:
    """The terminal, or a plain stream as wide as need be."""
    # Without markup: a name such as "tesseract [beam 15]" is text.
    found = Console(markup=False, highlight=False)
    return found if found.is_terminal else Console(markup=False, highlight=False, width=_WIDE)


def percent(share: float) -> str:
    """Like 0.3 %."""
    return f"{100 * share:.3g} %"


def number(value: float | None) -> str:
    """Three digits, or all before the point; nothing for None."""
    if value is None:
        return ""
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def short(value: float, digits: int = 2) -> str:
    """Like 1.06e-2: exponents here have one digit, and columns are narrow."""
    return f"{value:.{digits}e}".replace("e-0", "e-").replace("e+00", "")


def with_interval(figure: Interval) -> str:
    """Like 1.06e-2 [9.9e-3, 1.1e-2]."""
    return f"{short(figure.value)} [{short(figure.low, 1)}, {short(figure.high, 1)}]"


def counted(failures: int, shots: int) -> str:
    """Like 1,060 / 100,000."""
    return f"{failures:,} / {shots:,}"


def _table(
    rows: Sequence[Row],
    columns: Sequence[Column[Row]],
    title: str,
    section: Callable[[Row], Hashable] | None,
) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), title=title or None, title_justify="left")
    for column in columns:
        justify = "right" if column.right else "left"
        table.add_column(column.title, justify=justify, overflow="fold", max_width=column.most or None)
    sections = [section(row) if section else None for row in rows]
    for row, own, following in zip(rows, sections, [*sections[1:], *sections[-1:]], strict=True):
        table.add_row(*(column.text(row) for column in columns), end_section=own != following)
    return table


def _width(table: Table, terminal: Console) -> int:
    return terminal.measure(table, options=terminal.options.update(width=_WIDE)).maximum
