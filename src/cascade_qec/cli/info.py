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
    from cascade_qec.cli.card_view import card_view, console, models_table
    from cascade_qec.provenance import hardware, versions
    from cascade_qec.zoo import registry

    show = console().print
    if model is not None:
        show(card_view(registry.card(model)))
        return
    show(models_table())
    show("Hardware:", hardware())
    show("Versions:", ", ".join(f"{package} {version}" for package, version in versions().items()))
