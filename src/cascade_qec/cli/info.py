"""``cascade info``: a model's card, or what is installed."""

from typing import Annotated

import typer


def info(
    model: Annotated[
        str | None,
        typer.Argument(
            help="Name of a model, or path of a .safetensors file with its card beside it.", metavar="MODEL"
        ),
    ] = None,
) -> None:
    """Show a model's card: training, measured block errors, recipe. Without MODEL: what is installed."""
    from rich.console import Console

    from cascade_qec.cli.card_view import card_view, models_table
    from cascade_qec.zoo import registry
    from cascade_qec.zoo.provenance import hardware, versions

    console = Console()
    if model is not None:
        console.print(card_view(registry.card(model)))
        return
    console.print(models_table())
    console.print("Hardware:", hardware())
    console.print("Versions:", ", ".join(f"{package} {version}" for package, version in versions().items()))
