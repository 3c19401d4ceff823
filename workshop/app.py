"""The command `python -m workshop`."""

from cascade_qec import cli
from workshop.commands.bench_convolution import bench_convolution
from workshop.commands.bench_training import bench_training
from workshop.commands.calibrate import calibrate
from workshop.commands.card import card
from workshop.commands.equal_predictions import equal_predictions
from workshop.commands.equal_speed import equal_speed
from workshop.commands.fuzz import fuzz
from workshop.commands.guards import guards
from workshop.commands.pages import pages, pictures
from workshop.commands.plot import plot
from workshop.commands.queue import show_queue
from workshop.commands.results import results
from workshop.commands.roofline import roofline
from workshop.commands.site import site
from workshop.commands.train import train

app = cli.application("python -m workshop", "Make the project's models and figures.")
app.command("queue")(show_queue)
app.command()(train)
app.command()(card)
app.command()(calibrate)
app.command()(guards)
app.command()(fuzz)
app.command()(bench_training)
app.command()(bench_convolution)
app.command()(roofline)
app.command()(equal_predictions)
app.command()(equal_speed)
app.add_typer(plot, name="plot")
app.command()(pictures)
app.command()(results)
app.command()(pages)
app.command()(site)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status, as `cascade_qec.cli.run` does."""
    return cli.run(app, arguments)
