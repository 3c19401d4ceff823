"""`python -m workshop guards`: what no decoder may do, tried on a model."""

from typing import Annotated

import typer

from cascade_qec.cli.options import Device, Precision
from cascade_qec.errors import CascadeError


def guards(
    model: Annotated[str, typer.Argument(help="Name of a model, or path of a .safetensors file with its card.")],
    write: Annotated[bool, typer.Option("--write", help="Put what is found into the card.")] = False,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Try the guards of a model: live heads, no floor, bases alike, silence decoded as no flip.

    Heads, bases and silence are tried on a few thousand shots; the floor is looked for in the measurements of the card,
    which stay as they are. Exit status 1 where a guard does not hold.
    """
    from cascade_qec import zoo
    from cascade_qec.cli.card_view import guards_text
    from cascade_qec.cli.table import console
    from cascade_qec.decoders.loading import load
    from cascade_qec.evaluation.model_guards import see_guards, with_floor
    from cascade_qec.zoo import hub
    from cascade_qec.zoo.home import home

    card, file = zoo.card(model), zoo.path(model).with_suffix(".json")
    if write and (model.startswith(hub.PREFIX) or file.is_relative_to(home())):
        raise CascadeError(f"--write: expected a model of one's own, got {model}, whose card is that of its release")
    decoder = load(model, device=device, precision=precision)
    found = with_floor(see_guards(decoder), decoder, card.measurements)
    console().print(f"Guards of {card.name}: {guards_text(found)}")
    if write:
        card.model_copy(update={"guards": found}).write(file)
    if found.broken:
        raise typer.Exit(1)
