"""``cascade zoo``: the models that come with the package."""

import typer

from cascade_qec.cli.zoo.pull import pull
from cascade_qec.cli.zoo.release import release
from cascade_qec.cli.zoo.verify import verify

zoo = typer.Typer(help="The pretrained models.", no_args_is_help=True, rich_markup_mode=None)
zoo.command()(pull)
zoo.command()(verify)
zoo.command()(release)


@zoo.command("list")
def list_models() -> None:
    """List the models at hand, and those that are released for download."""
    from cascade_qec.cli.card_view import show_models, sources_view, suppression_line
    from cascade_qec.cli.table import console

    show_models()
    console().print(suppression_line())
    console().print(sources_view(), soft_wrap=True)
