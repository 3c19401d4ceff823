"""What a person sees of a run: a bar on a terminal, one plain line per logged step elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from cascade_qec.guards import Verdict
from cascade_qec.training.recipe import Recipe

_LOG_SECONDS = 10.0
"""Logging reads the losses back from the device, so it is done by the clock and not at every step."""

_NAMES = 4
"""So many names are enough of what may be hundreds."""


def first_names(names: Sequence[str]) -> str:
    """Names as text, but for the first few only their number.

    >>> first_names(["Z0", "Z1"]), first_names(["Z0", "Z1", "Z2", "Z3", "X0", "X1"])
    ('Z0, Z1', 'Z0, Z1, Z2, Z3 and 2 more')
    """
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")


class Progress:
    """Collects losses between log lines, and shows them."""

    def __init__(self, recipe: Recipe, step: int, *, main: bool) -> None:
        self._recipe = recipe
        self._losses: torch.Tensor | None = None
        self._not_finite: torch.Tensor | None = None
        self._steps = 0
        self._since = time.monotonic()
        self._block_error = ""
        self._console = Console(file=sys.stdout, quiet=not main, highlight=False)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}"),
            console=self._console,
            disable=not (main and self._console.is_terminal),
        )
        self._task = self._bar.add_task(recipe.name, total=recipe.optimizer.steps, completed=step, text="")

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def step(self, step: int, losses: torch.Tensor) -> None:
        self._losses = losses if self._losses is None else self._losses + losses
        self._steps += 1
        bad = ~torch.isfinite(losses)
        # kept from the first step that had any: after it no loss is finite
        self._not_finite = (
            bad if self._not_finite is None else torch.where(self._not_finite.any(), self._not_finite, bad)
        )
        self._bar.update(self._task, completed=step)

    @property
    def log_due(self) -> bool:
        return time.monotonic() - self._since > _LOG_SECONDS

    def mean_losses(self) -> list[float]:
        """Mean loss of each observable since the last log line."""
        assert self._losses is not None
        return (self._losses / self._steps).tolist()

    def not_finite(self) -> list[bool]:
        """Whether each observable was among the first whose loss was not finite."""
        assert self._not_finite is not None
        return self._not_finite.tolist()

    def logged(self, row: dict[str, Any]) -> dict[str, Any]:
        """Show a log row, completed by the rate of shots, and start a new interval."""
        now = time.monotonic()
        rate = self._steps * self._recipe.shots_per_step / (now - self._since)
        row = row | {"shots_per_second": round(rate, 1)}
        text = f"loss {row['loss']:.4f}  {row['shots_per_second']:.0f} shots/s"
        if row["dead"]:
            text += f"  heads at ln 2: {row['dead']}, worst {row['worst']} at {row['highest']:.3f}"
        self._bar.update(self._task, text=f"{text}  {self._block_error}")
        self._line(row["step"], text)
        self._losses, self._steps, self._since = None, 0, now
        return row

    def validated(self, step: int, errors: dict[str, float], broken: Sequence[Verdict]) -> None:
        """Show block errors by noise rate, and the guards that do not hold."""
        self._block_error = "block error " + "  ".join(f"{p}: {error:.4g}" for p, error in errors.items())
        self._line(step, self._block_error)
        for verdict in broken:
            self._block_error += f"  {verdict.guard}: does not hold"
            self._line(step, f"guard does not hold: {verdict.guard}: {verdict.figures}")
        self._since = time.monotonic()  # the time of a validation is none of training
        self._losses, self._steps = None, 0

    def _line(self, step: int, text: str) -> None:
        if not self._console.is_terminal:
            self._console.print(f"{self._recipe.name} step {step}  {text}", soft_wrap=True)
