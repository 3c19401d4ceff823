"""Tables in pages of the documentation: their lines, and their places in a text."""

import re
from collections.abc import Iterable, Sequence

from cascade_qec.statistics import Interval


def filled(text: str, name: str, lines: Iterable[str]) -> str:
    """The text with the lines in the place of a name, between <!-- NAME --> and <!-- end of NAME -->."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    found = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if len(found.findall(text)) != 1:
        raise ValueError(f"expected one place for {name!r}, found {len(found.findall(text))}")
    return found.sub(lambda _: "\n".join([begin, *lines, end]), text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int) -> list[str]:
    """Lines of Markdown; columns from `left` on are numbers."""
    rule = ["---" if column < left else "---:" for column in range(len(head))]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]


def percent(share: float) -> str:
    """Like 0.3 %."""
    return f"{100 * share:g} %"


def rate(figure: float | Interval) -> str:
    """Two digits, like 1.6e-3, with its interval if there is one."""
    if isinstance(figure, Interval):
        return f"{rate(figure.value)} [{rate(figure.low)}, {rate(figure.high)}]"
    return f"{figure:.1e}".replace("e-0", "e-").replace("e+00", "") if figure else "0"
