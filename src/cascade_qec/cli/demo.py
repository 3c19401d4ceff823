"""``cascade demo``: the shipped models beside the decoders in use today, on the same shots."""

from pathlib import Path
from typing import Annotated

import typer

from cascade_qec import limits
from cascade_qec.cli.progress import NOTHING_KEPT, interruptible, percent, tell
from cascade_qec.errors import CascadeError


def demo(
    out: Annotated[Path, typer.Option(help="Directory for picture and table.")] = Path("cascade-demo"),
    seconds: Annotated[
        float, typer.Option(help="Decoding time over all decoders and noise rates.", min=1.0, max=limits.SECONDS)
    ] = 130.0,
    seed: Annotated[int, typer.Option(help="Seed of the shots.", min=0, max=limits.SEED)] = 0,
) -> None:
    """Decode memory experiments with the shipped models and with the decoders in use today."""
    from cascade_qec import load
    from cascade_qec.cli.rate_table import print_rates
    from cascade_qec.evaluation.demonstration import SHARES, demonstrate
    from cascade_qec.plotting import block_error_figure, save
    from cascade_qec.tables import write_rows

    if out.exists() and not out.is_dir():
        raise CascadeError(f"--out: expected a directory, {out} is a file")
    models = {code: load(code) for code in SHARES}
    out.mkdir(parents=True, exist_ok=True)
    with interruptible(NOTHING_KEPT), percent("demo") as report:
        rows = demonstrate(models, seconds=seconds, seed=seed, report=report, skipped=tell)
    table, curves = out / "rates.csv", out / "rates.png"
    write_rows(table, rows)
    save(block_error_figure(rows), curves)
    print_rates(rows)
    print(f"Table: {table}")
    print(f"Curves: {curves}")
