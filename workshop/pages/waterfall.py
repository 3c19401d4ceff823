"""The table of docs/results.md of block errors that fitted failure spectra give at low noise."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from cascade_qec.statistics import Interval, wilson
from cascade_qec.tables import read_rows
from workshop import CHECKOUT
from workshop.pages.text import filled, percent, rate, table
from workshop.studies.waterfall import ONSETS, RATES, REJECTED, RateRow

PAGE = CHECKOUT / "docs" / "results.md"

_TARGET = 1e-9
_SHOWN = (1e-3, 3e-4, 1e-4)


def with_tables(text: str) -> str:
    """The page with its table as the results have it."""
    return filled(text, "waterfall", lines(read_rows(RATES, RateRow)))


def lines(rows: Sequence[RateRow]) -> list[str]:
    """A line for each decoder and form, at the onset that the circuit distance gives."""
    cells = []
    for code, decoder, form in dict.fromkeys((row.code, row.decoder, row.form) for row in rows):
        of_form = [row for row in rows if (row.code, row.decoder, row.form) == (code, decoder, form)]
        usual, low = ONSETS[code]
        full = {row.p: row for row in of_form if (row.onset, row.without) == (usual, None)}
        held_out = next((row for row in of_form if row.onset == usual and row.without is not None), None)
        if not full:
            continue
        some = next(iter(full.values()))
        rejected = some.goodness < REJECTED
        other = [row for row in of_form if (row.onset, row.without) == (low, None)]
        estimates = [*(rate(full[p].block_error) for p in _SHOWN), _reached(list(full.values())), _reached(other)]
        cells.append(
            [
                f"{decoder} on {code}",
                form,
                f"{some.goodness:.2g}{' (rejected)' if rejected else ''}",
                "" if held_out is None else _foretold(held_out),
                *(["", "", "", "", ""] if rejected else estimates),
            ]
        )
    head = [
        "decoder",
        "fit",
        "p-value",
        "foretold; sampled",
        *(f"at {percent(p)}" for p in _SHOWN),
        "1e-9 at p =",
        "onset 2",
    ]
    return table(head, cells, left=2)


def _foretold(row: RateRow) -> str:
    assert row.shots is not None  # only what was sampled is held out
    assert row.failures is not None
    sampled = rate(wilson(row.failures, row.shots))
    return f"at {percent(row.p)} {rate(row.block_error)};<br>{row.failures} of {row.shots:,} = {sampled}"


def _reached(rows: Sequence[RateRow]) -> str:
    """Noise rate at which the block error is the target, from both ends of its interval."""
    ends: tuple[Callable[[Interval], float], ...] = (
        lambda each: each.value,
        lambda each: each.high,
        lambda each: each.low,
    )
    found = []
    for end in ends:
        logs = [math.log(max(end(row.block_error), 1e-300)) for row in rows]
        at = math.exp(float(np.interp(math.log(_TARGET), logs, [math.log(row.p) for row in rows])))
        beyond = "below " if logs[0] > math.log(_TARGET) else "above " if logs[-1] < math.log(_TARGET) else ""
        found.append(f"{beyond}{100 * at:.2g}")
    return f"{found[0]} [{found[1]}, {found[2]}] %"
