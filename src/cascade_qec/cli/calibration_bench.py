"""``cascade calibration bench``: what analysers, and models, are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cascade_qec import limits
from cascade_qec.cli.options import ModelAddress, there
from cascade_qec.errors import CascadeError

bench = typer.Typer(help="Measure analysers and models.", no_args_is_help=True, rich_markup_mode=None)


@bench.command()
def simulated(
    family: Annotated[str, typer.Argument(help="A family, see `cascade calibration families`, or `all`.")],
    shots: Annotated[int, typer.Option(min=1, max=limits.KEPT, help="Measurements of each mode.")] = 100,
    snr: Annotated[
        list[float] | None,
        typer.Option(
            min=0.01, max=1e6, help="Signal to noise: contrast over a point's noise; repeat.  [default: 10, 4]"
        ),
    ] = None,
    seeds: Annotated[
        Literal["building", "final"], typer.Option(help="Seeds to build analysers with, or those kept apart.")
    ] = "building",
    out: Annotated[Path, typer.Option(help="Table of results.")] = Path("benchmarks/results/calibration.csv"),
) -> None:
    """Count on simulated measurements how often verdicts are right, in every way to go wrong.

    The table has the statuses by mode, how often 95 % intervals hold the truth, how often the next measurement, over
    the suggested range, succeeds, and CPU times. Each family is written as soon as it is counted; what this checkout
    counted before with as many measurements is not counted again.
    """
    from cascade_calibration import analysis
    from cascade_calibration import bench as benching
    from cascade_qec.cli.progress import interruptible, progress
    from cascade_qec.cli.table import Column, show
    from cascade_qec.files import check_folder

    families = analysis.names() if family == "all" else (analysis.get(family).name,)
    check_folder(out.parent)
    wanted = [(one, level) for one in families for level in dict.fromkeys(snr or (10.0, 4.0))]
    rows: list[benching.BenchRow] = []
    with interruptible(f"finished families are in {out}; the same command goes on"), progress("Families") as report:
        for i, (one, level) in enumerate(wanted):
            found = benching.rows_of(out, one, level, seeds, shots)
            if not found:
                report(i, len(wanted), f"{one} at {level:g}")
                counted = benching.run(one, level, shots, seeds)
                benching.put(out, counted)
                found = list(counted.rows())
            rows += found
        report(len(wanted), len(wanted))
    columns = [
        Column[benching.BenchRow]("family", lambda row: row.family),
        Column[benching.BenchRow]("snr", lambda row: f"{row.snr:g}"),
        Column[benching.BenchRow]("kind", lambda row: row.kind),
        Column[benching.BenchRow]("name", lambda row: row.name),
        Column[benching.BenchRow]("status", lambda row: row.status, spare=1),
        Column[benching.BenchRow]("count", lambda row: str(row.count), right=True),
        Column[benching.BenchRow]("of", lambda row: str(row.of), right=True),
        Column[benching.BenchRow]("share", lambda row: f"{row.share:.3f}", right=True),
        Column[benching.BenchRow]("low", lambda row: f"{row.low:.3f}", right=True, spare=2),
        Column[benching.BenchRow]("high", lambda row: f"{row.high:.3f}", right=True, spare=2),
    ]
    show([row for row in rows if row.kind not in ("confusion", "time")], columns)
    for one, level in wanted:
        right = benching.balanced(row for row in rows if (row.family, row.snr) == (one, level))
        print(f"{one}: status right at signal to noise {level:g}, balanced over modes: {right:.1%}")
    print(f"Table: {out}")


@bench.command()
def questions(
    folder: Annotated[Path, typer.Argument(help="To write them to.")],
    families: Annotated[
        str, typer.Option(help="Separated by commas, see `cascade calibration families`, or `all`.")
    ] = "all",
    shots: Annotated[int, typer.Option(min=1, max=limits.KEPT, help="Measurements of each mode.")] = 1,
    snr: Annotated[float, typer.Option(min=0.01, max=1e6, help="Contrast over a point's noise.")] = 10.0,
) -> None:
    """Draw simulated measurements with questions for `bench qcaleval`: pictures for models, data for analysers."""
    from cascade_calibration import analysis
    from cascade_calibration.assistant import qcaleval
    from cascade_qec.files import check_folder

    check_folder(folder)
    names = analysis.names() if families == "all" else tuple(filter(None, families.split(",")))
    print(f"Samples: {qcaleval.draw(folder, names, shots, snr)} in {folder}")


@bench.command(name="qcaleval")
def qcaleval_(
    folder: Annotated[Path, typer.Argument(help="Of the samples: metadata.json, and pictures.", callback=there)],
    model: Annotated[
        str, typer.Option(help="PROVIDER:MODEL, or `analysers`: ours, for samples with their data beside them.")
    ],
    out: Annotated[Path, typer.Option(help="Answers, JSON lines; the table of scores has the suffix .csv.")],
    address: ModelAddress = None,
    judge: Annotated[
        str | None, typer.Option(help="A model that marks key points of questions 1 and 3.  [default: not scored]")
    ] = None,
    judge_address: Annotated[
        str | None, typer.Option("--judge_address", help="Of the judge's server.  [default: the provider's]")
    ] = None,
    temperature: Annotated[float, typer.Option(min=0, max=2, help="Of models' answers: 0 draws least.")] = 0.0,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Questions asked at a time.")] = 4,
) -> None:
    """Ask a model the questions of QCalEval, and score its answers as the data set's authors do.

    Every answer is kept as soon as it is there; the same command goes on with those that are missing.
    """
    from cascade_calibration import assistant
    from cascade_calibration.assistant import qcaleval
    from cascade_qec.cli.progress import interruptible, progress
    from cascade_qec.cli.table import Column, show
    from cascade_qec.files import check_folder
    from cascade_qec.tables import write_rows

    if out.suffix == ".csv":
        raise CascadeError(f"--out: expected a file for answers, such as {out.with_suffix('.jsonl')}, got a table")
    settings = assistant.Settings(temperature=temperature)
    samples = qcaleval.load(folder)
    about = qcaleval.about(folder, model, judge or "")
    answers = (
        qcaleval.analysers
        if model == qcaleval.ANALYSERS
        else qcaleval.asking(assistant.connect(model, address=address, settings=settings))
    )
    marks = assistant.connect(judge, address=judge_address, settings=settings) if judge else None
    check_folder(out.parent)
    with interruptible(f"answers are in {out}; the same command goes on"), progress("Questions") as report:
        done = qcaleval.run(samples, answers, out, about, judge=marks, workers=workers, report=report)
    rows = qcaleval.scores(samples, done, about)
    write_rows(out.with_suffix(".csv"), rows)
    columns = [
        Column[qcaleval.ScoreRow]("question", lambda row: row.question),
        Column[qcaleval.ScoreRow]("score", lambda row: f"{row.score.value:.1f}", right=True),
        Column[qcaleval.ScoreRow]("low", lambda row: f"{row.score.low:.1f}", right=True),
        Column[qcaleval.ScoreRow]("high", lambda row: f"{row.score.high:.1f}", right=True),
        Column[qcaleval.ScoreRow]("of", lambda row: str(row.of), right=True),
        Column[qcaleval.ScoreRow]("unanswered", lambda row: str(row.unanswered), right=True),
    ]
    show([row for row in rows if row.family == "all"], columns)
    print(f"Table: {out.with_suffix('.csv')}")
