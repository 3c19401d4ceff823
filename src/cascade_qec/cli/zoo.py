"""``cascade zoo``: the models that come with the package."""

import typer

from cascade_qec.cli.zoo_card import card

zoo = typer.Typer(help="The pretrained models.", no_args_is_help=True, rich_markup_mode=None)
zoo.command()(card)


@zoo.command("list")
def list_models() -> None:
    """List the models that come with the package."""
    from cascade_qec.cli.card_view import console, models_table

    console().print(models_table())
