"""``cascade bench``: what is measured of speed, and of accuracy for time."""

import typer

from cascade_qec.cli.bench.escalation import escalation
from cascade_qec.cli.bench.latency import latency
from cascade_qec.cli.bench.stream import stream

bench = typer.Typer(help="Measure speed, and accuracy for time.", no_args_is_help=True, rich_markup_mode=None)
bench.command()(latency)
bench.command()(escalation)
bench.command()(stream)
