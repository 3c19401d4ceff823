"""``cascade demo``: the shipped models beside the decoders in use today, on the same shots."""

from pathlib import Path
from typing import Annotated

import typer

from cascade_qec.cli.progress import progress
from cascade_qec.errors import CascadeError


def demo(
    out: Annotated[Path, typer.Option(help="Directory for picture and table.")] = Path("cascade-demo"),
    seconds: Annotated[float, typer.Option(help="Decoding time, over all decoders and noise rates.")] = 130.0,
    seed: Annotated[int, typer.Option(help="Seed of the shots.")] = 0,
) -> None:
    """Decode memory experiments with the shipped models and with the decoders in use today."""
    from cascade_qec import load
    from cascade_qec.cli.rate_table import print_rates
    from cascade_qec.evaluation.demonstration import demonstrate
    from cascade_qec.evaluation.tables import write_csv
    from cascade_qec.plotting import block_error_figure, save

    if out.exists() and not out.is_dir():
        raise CascadeError(f"--out: expected a directory, {out} is a file")
    with progress("demo, percent") as report:
        results = demonstrate(
            load, seconds=seconds, seed=seed, report=lambda done: report(int(100 * done), 100)
        )
        rows = [row for cell in results for row in cell]
    out.mkdir(parents=True, exist_ok=True)
    write_csv(rows, out / "rates.csv")
    save(block_error_figure(rows), out / "rates.png")
    print_rates(rows)
    print(f"Table: {out / 'rates.csv'}")
    print(f"Curves: {out / 'rates.png'}")
