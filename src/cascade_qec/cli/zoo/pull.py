"""``cascade zoo pull``: fetch models beforehand, so that later nothing needs a network."""

from typing import Annotated

import typer

from cascade_qec.errors import CascadeError


def pull(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Released models, or hf:owner/name[/MODEL][@revision].", metavar="NAME..."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every released model.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Fetch also what is at hand, in place of it.")] = False,
) -> None:
    """Fetch models into CASCADE_HOME, and those of Hugging Face into its own cache.

    The index of released models is read anew. Without a name or --all nothing else is done.
    """
    from cascade_qec.cli.card_view import sources_view
    from cascade_qec.zoo import index, registry
    from cascade_qec.zoo.home import offline

    if every and names:
        raise CascadeError(f"expected names or --all, got both: {', '.join(names)}")
    if not names:
        names = list(index.releases(anew=not offline()))
        if not every:
            print(sources_view())
            return
    for name in names:
        print(f"{name}: {registry.pull(name, force=force)}")
