"""``cascade zoo``: the models that come with the package."""

from pathlib import Path
from typing import Annotated

import typer

from cascade_qec.cli.progress import progress
from cascade_qec.errors import CascadeError

zoo = typer.Typer(help="The pretrained models.", no_args_is_help=True, rich_markup_mode=None)


@zoo.callback()
def _group() -> None:
    """The pretrained models."""


@zoo.command("list")
def list_models() -> None:
    """List the models that come with the package."""
    from cascade_qec.cli.card_view import console, models_table

    console().print(models_table())


@zoo.command("card")
def write_model_card(
    run: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    out: Annotated[Path, typer.Option(help="Folder for weights and card.")] = Path("src/cascade_qec/zoo/models"),
    results: Annotated[Path, typer.Option(help="Folder for the table of results.")] = Path("benchmarks/results"),
    p: Annotated[list[float] | None, typer.Option(help="Noise rate; repeat for several.")] = None,
    rival: Annotated[
        list[str] | None, typer.Option(help="NAME=SECONDS for each noise rate, such as pymatching=5; repeat.")
    ] = None,
    failures: Annotated[int, typer.Option(min=1, help="Failures at each noise rate that are enough.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of the shots.")] = 2026,
    notes: Annotated[str, typer.Option(help="Anything else that users should know.")] = "",
) -> None:
    """Measure the model of a training run beside its rivals, and put it into the zoo with its card."""
    import shutil

    from cascade_qec.decoders.cascade import load
    from cascade_qec.evaluation.model_card import measure, write_card
    from cascade_qec.evaluation.tables import write_csv

    models = sorted(run.glob("*.safetensors"))
    if len(models) != 1:
        raise CascadeError(f"{run}: expected the folder of a training run with one model, found {len(models)}")
    rivals = dict(_name_and_seconds(text) for text in rival or [])
    decoder = load(models[0])
    with progress("measuring, percent") as report:
        rows = measure(
            decoder,
            rivals,
            ps=p or [0.001, 0.002, 0.003, 0.004, 0.005, 0.006],
            failures=failures,
            seed=seed,
            report=lambda done: report(round(100 * done), 100),
        )
    for folder in (out, results):
        folder.mkdir(parents=True, exist_ok=True)
    name = decoder.description.name
    write_csv(rows, results / f"{name}.csv")
    write_card(run, decoder, rows, out / f"{name}.json", notes)
    shutil.copyfile(models[0], out / f"{name}.safetensors")
    print(f"Model and card: {out / name}.*  Table: {results / name}.csv")


def _name_and_seconds(text: str) -> tuple[str, float]:
    name, _, seconds = text.partition("=")
    try:
        return name, float(seconds)
    except ValueError as error:
        raise CascadeError(f"--rival: expected NAME=SECONDS, such as pymatching=5, got {text!r}") from error
