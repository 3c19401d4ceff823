"""``cascade fit``: laws behind the counts of a collection."""

from pathlib import Path
from typing import Annotated

import typer

from cascade_qec import limits
from cascade_qec.cli.options import Fields, printed_beside, there
from cascade_qec.cli.progress import NOTHING_KEPT, interruptible, progress
from cascade_qec.errors import CascadeError
from cascade_qec.files import check_distinct


def fit(
    tables: Annotated[
        list[Path], typer.Argument(metavar="CSV...", help="sinter's CSVs, or tables of rates.", callback=there)
    ],
    out: Annotated[Path | None, typer.Option(help="Write the fits here, as CSV; - is standard output.")] = None,
    target: Annotated[
        float, typer.Option(help="Error per logical per cycle whose cost in qubits is estimated.")
    ] = 1e-12,
    at: Annotated[
        list[float] | None, typer.Option(help="Noise rate of fitted rates and qubits; may be repeated.")
    ] = None,
    bases: Annotated[str, typer.Option(help="pooled: both bases as one; apart: each by itself.")] = "pooled",
    p_max: Annotated[float, typer.Option("--p_max", help="Leave out higher noise rates.", min=0.0, max=1.0)] = 1.0,
    field: Fields = None,
    simulations: Annotated[
        int, typer.Option(help="Simulated data sets behind a p-value.", min=19, max=limits.KEPT)
    ] = 999,
    seed: Annotated[int, typer.Option(help="Seed of the simulations.", min=0, max=limits.SEED)] = 0,
) -> None:
    """Fit measured error rates: waterfall, suppression by distance, thresholds, qubits for a target.

    All fits are by maximum likelihood of the failures counted, of rates per logical per cycle, with 95 %
    profile-likelihood intervals. Two terms are used where a simulated likelihood-ratio test rejects one.
    """
    from cascade_qec.cli.fit_tables import print_fits
    from cascade_qec.evaluation.fits.analysis import analyse
    from cascade_qec.evaluation.fits.metadata import fields_from
    from cascade_qec.evaluation.fits.points import curves
    from cascade_qec.evaluation.fits.reading import read_points
    from cascade_qec.tables import write_rows

    rates = at or [0.001]
    if not all(0 < p <= 1 for p in rates):
        raise CascadeError(f"--at: expected noise rates 0 < p <= 1, got {', '.join(map(str, rates))}")
    if not 0 < target < 0.5:
        raise CascadeError(f"--target: expected an error rate between 0 and 0.5, got {target}")
    if bases not in ("pooled", "apart"):
        raise CascadeError(f"--bases: expected pooled or apart, got {bases!r}")
    check_distinct(tables, [out])
    measured = curves(read_points(tables, fields_from(field or [])), pooled=bases == "pooled", p_max=p_max)
    if not measured:
        raise CascadeError(f"expected shots at noise rates up to {p_max:g} in {', '.join(map(str, tables))}, got none")
    with interruptible(NOTHING_KEPT), progress("fit, curves") as report:
        rows, left_out = analyse(measured, at=rates, target=target, simulations=simulations, seed=seed, report=report)
    if not rows:
        raise CascadeError(f"expected failures at two noise rates or of two distances: {'; '.join(left_out)}")
    if out is not None:
        write_rows(out, rows)
    with printed_beside(out):
        print_fits(measured, rows, left_out, simulations=simulations)
        if out is not None:
            print(f"Table: {out}")
