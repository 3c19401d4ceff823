"""`python -m workshop pages` and `pictures`: what the documentation shows, made anew."""

from typing import Annotated

import typer


def pages() -> None:
    """Fill the tables of docs/ and those of the page in the browser from cards, checkpoints and results.

    A table in docs/ stands between the lines <!-- NAME --> and <!-- end of NAME -->; what stood there is replaced.
    """
    from workshop.pages import browser, calibration, codes, collections, engine, local, models, performance, training
    from workshop.studies import budgets, colour_residual, foreign_circuits, orders, page_speed, streams, told_noise

    pages = (browser, calibration, codes, collections, engine, local, models, performance, training)
    studies = (budgets, colour_residual, foreign_circuits, orders, page_speed, streams, told_noise)
    for module in (*pages, *studies):
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
