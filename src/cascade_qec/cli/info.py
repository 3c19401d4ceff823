"""``cascade info``: a model's card, what a circuit is recognised as, or what is installed."""

from pathlib import Path
from typing import Annotated

import typer

from cascade_qec.cli.options import known_model, there
from cascade_qec.errors import CascadeError


def info(
    model: Annotated[
        str | None,
        typer.Argument(
            help="Name of a model, or path of a .safetensors file with its card beside it.",
            metavar="MODEL",
            callback=known_model,
        ),
    ] = None,
    circuit: Annotated[
        Path | None, typer.Option("--circuit", help="A Stim circuit to recognise.", callback=there)
    ] = None,
    dem: Annotated[
        Path | None, typer.Option("--dem", help="A detector error model to recognise.", callback=there)
    ] = None,
) -> None:
    """Show a model's card: training, measured block errors, recipe. Without MODEL: what is installed.

    With --circuit or --dem: which code, rounds, basis and noise it has, and the models for it; with MODEL as well,
    whether that one fits. Exit status 2 if it is no memory experiment of a known code, or not of the model's.
    """
    if circuit is not None and dem is not None:
        raise CascadeError("expected one experiment, got --circuit and --dem")

    from cascade_qec.cli.card_view import show_card, show_models

    file = circuit or dem
    if file is not None:
        from cascade_qec.cli.circuit_view import print_circuit
        from cascade_qec.decoders.loading import load
        from cascade_qec.recognition import read_circuit, read_error_model, recognise_any
        from cascade_qec.zoo import registry

        source = read_error_model(file) if circuit is None else read_circuit(file)
        # The model itself says whether it fits, and warns where it does so badly.
        found = (
            load(model, circuit=source, device="cpu", allow_unmeasured=True).recognition
            if model
            else recognise_any(source)
        )
        if found is not None:
            print_circuit(found, [model] if model else registry.models_of(found.lattice.code))
    elif model is not None:
        from cascade_qec.zoo import registry

        show_card(registry.card(model))
    else:
        from cascade_qec.provenance import hardware, versions

        show_models()
        print("Hardware:", hardware())
        print("Versions:", ", ".join(f"{package} {version}" for package, version in versions().items()))
