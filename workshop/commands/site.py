"""`python -m workshop site`: the documentation as a site."""

from pathlib import Path
from typing import Annotated

import typer


def site(
    out: Annotated[Path, typer.Option(help="Folder of the site and of what it is made of.")] = Path("build/site"),
    external: Annotated[
        bool, typer.Option("--external", help="Check links to other sites, and build nothing.")
    ] = False,
) -> None:
    """Build the site of the documentation: pages, tutorials that are run, the API, model cards.

    Any warning is an error, and so is a link within the site that leads nowhere. Exit status 1 then.
    """
    from workshop.site.building import build

    raise typer.Exit(0 if build(out, external=external) else 1)
