"""Figures by name, from tables to a drawing."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from pydantic import BaseModel

from cascade_qec.errors import CascadeError, unknown
from cascade_qec.evaluation.escalation.table import EscalationRow
from cascade_qec.evaluation.fit_row import FitRow
from cascade_qec.evaluation.latency.table import LatencyRow
from cascade_qec.evaluation.rare_events.results import SpectrumRow
from cascade_qec.evaluation.reliability.tables import PostSelectionRow, ReliabilityRow
from cascade_qec.evaluation.replay import ReplayRow
from cascade_qec.plotting.distance import distance_figure
from cascade_qec.plotting.escalation import escalation_figure
from cascade_qec.plotting.lambdas import lambda_figure
from cascade_qec.plotting.latency import latency_figure
from cascade_qec.plotting.learning import learning_figure, read_validations
from cascade_qec.plotting.points import PER_LABELS, read_points
from cascade_qec.plotting.post_selection import post_selection_figure
from cascade_qec.plotting.rates import rates_figure
from cascade_qec.plotting.reliability import reliability_figure
from cascade_qec.plotting.replay import replay_figure
from cascade_qec.plotting.selection import Selection
from cascade_qec.plotting.spectrum import spectrum_figure
from cascade_qec.tables import read_rows


def draw(
    name: str,
    paths: Sequence[Path],
    selection: Selection | None = None,
    *,
    fields: Mapping[str, str] | None = None,
    **options: object,
) -> Figure:
    """Draw a figure from tables.

    Parameters
    ----------
    name
        One of :data:`FIGURES`.
    paths
        CSV files, of learning curves JSON lines; rows of all of them are drawn together.
    selection
        Which rows; all of them by default.
    fields
        Of rates and distance: what the metadata of sinter's tasks lack, as `read_points` takes it.
    **options
        The figure's own: `title` of all, `per` ("block" or "cycle") of rates, distance and latency, `discards` of
        post-selection, `of` (a kind of prediction) of reliability. Those that are None are left to the figure.

    Raises
    ------
    CascadeError
        If there is no such figure or convention of rates, a table cannot be read or lacks a column, no row is left, or
        the figure has no use for something asked for.
    """
    if name not in FIGURES:
        raise unknown("figure", name, FIGURES)
    if not paths:
        raise CascadeError(f"expected at least one table to draw {name} from, got none")
    read, figure = FIGURES[name]
    if fields and read not in (_rates, _counts):
        raise CascadeError(f"{name}: expected no field, this figure does not read sinter's tables")
    asked = {option: value for option, value in options.items() if value is not None}
    for option in asked:
        if option not in inspect.signature(figure).parameters:
            raise CascadeError(f"{name}: expected no {option}, this figure has no use for it")
    if asked.get("per", "block") not in PER_LABELS:
        raise CascadeError(f"expected a rate per {' or '.join(PER_LABELS)}, got per {asked['per']!r}")
    return figure(*read(paths, selection or Selection(), **({"fields": fields} if fields else {})), **asked)


def _rates(paths: Sequence[Path], selection: Selection, fields: Mapping[str, str] | None = None) -> tuple[list, list]:
    points, fits = read_points(paths, fields)
    return selection.of(points), selection.over(fits)


def _counts(paths: Sequence[Path], selection: Selection, fields: Mapping[str, str] | None = None) -> tuple[list]:
    points, fits = read_points(paths, fields)
    if fits:
        raise CascadeError("expected tables of rates, got one of fits; they are drawn over rates")
    return (selection.of(points),)


def _validations(paths: Sequence[Path], selection: Selection) -> tuple[list]:
    return (selection.of([validation for path in paths for validation in read_validations(path)]),)


def _rows(kind: type[BaseModel]) -> Callable[[Sequence[Path], Selection], tuple[list]]:
    return lambda paths, selection: (selection.of([row for path in paths for row in read_rows(path, kind)]),)


FIGURES: Mapping[str, tuple[Callable[..., tuple], Callable[..., Figure]]] = {
    "rates": (_rates, rates_figure),
    "distance": (_counts, distance_figure),
    "latency": (_rows(LatencyRow), latency_figure),
    "lambda": (_rows(FitRow), lambda_figure),
    "reliability": (_rows(ReliabilityRow), reliability_figure),
    "post-selection": (_rows(PostSelectionRow), post_selection_figure),
    "spectrum": (_rows(SpectrumRow), spectrum_figure),
    "escalation": (_rows(EscalationRow), escalation_figure),
    "replay": (_rows(ReplayRow), replay_figure),
    "learning": (_validations, learning_figure),
}
"""Names of figures: what reads their tables, and what draws them."""
