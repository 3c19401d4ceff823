"""`python -m workshop pages` and `pictures`: what the documentation shows, made anew."""

from importlib import import_module
from typing import Annotated

import typer

_PAGES = (
    *("accuracy", "browser", "calibration", "codes", "collections", "confidence", "engine", "learning_curves", "local"),
    *("models", "performance", "replay", "trials", "waterfall"),
)
_STUDIES = (
    *("budgets", "colour_residual", "foreign_circuits", "local_first", "one_device", "orders", "page_speed"),
    *("second_opinions", "segments", "streams", "told_noise", "window_sizes"),
)

WRITERS = (*(f"workshop.pages.{name}" for name in _PAGES), *(f"workshop.studies.{name}" for name in _STUDIES))
"""Modules that fill tables: each has a `PAGE`, and `with_tables` makes its new text of the old."""


def pages() -> None:
    """Fill the tables of docs/ and those of the page in the browser from cards, checkpoints and results.

    A table in docs/ stands between the lines <!-- NAME --> and <!-- end of NAME -->; what stood there is replaced.
    """
    for writer in WRITERS:
        module = import_module(writer)
        page = module.PAGE
        page.write_text(module.with_tables(page.read_text()))
        print(f"Page: {page}")


def pictures(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="As rates.png.  [default: all]")
    ] = None,
) -> None:
    """Draw the pictures of the documentation, each by the command that stands in a page."""
    from workshop.pages.pictures import draw

    draw(names or [])
