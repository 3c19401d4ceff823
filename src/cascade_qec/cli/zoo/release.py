"""``cascade zoo release``: a model as a folder to upload, and its entry for an index."""

from pathlib import Path
from typing import Annotated

import typer

from cascade_qec.cli.options import known_model


def release(
    name: Annotated[str, typer.Argument(help="A model, by name or path, with its card.", callback=known_model)],
    folder: Annotated[Path, typer.Argument(help="Folder for weights, card and README.md.")],
    url: Annotated[
        str, typer.Option(help="Where the folder will be found, for the entry; may be relative to the index.")
    ] = "./",
) -> None:
    """Write a model into a folder that can be uploaded to Hugging Face or a web server as it is.

    The entry for an index of released models is printed: docs/models.md.
    """
    from cascade_qec.zoo.release import write_release

    print(write_release(name, folder, url=url).entry(), end="")
