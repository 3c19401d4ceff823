"""Figures by name, from tables to a drawing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.calibration import calibration_figure
from cascade_qec.plotting.capacity import capacity_figure
from cascade_qec.plotting.distance import distance_figure
from cascade_qec.plotting.escalation import escalation_figure
from cascade_qec.plotting.lambdas import lambda_figure
from cascade_qec.plotting.latency import latency_figure
from cascade_qec.plotting.learning_curves import learning_figure, read_validations
from cascade_qec.plotting.points import Codes, read_points
from cascade_qec.plotting.post_selection import post_selection_against_noise_figure, post_selection_figure
from cascade_qec.plotting.rates import rates_figure
from cascade_qec.plotting.roofline import LATENCY, roofline_figure
from cascade_qec.plotting.selection import Selection
from cascade_qec.plotting.spectrum import spectrum_figure
from cascade_qec.plotting.tables import (
    AnyLine,
    EscalationLine,
    FitLine,
    LatencyLine,
    PostSelectionLine,
    ReliabilityLine,
    RooflineLine,
    SpectrumLine,
)
from cascade_qec.tables import read_rows


@dataclass(frozen=True)
class Request:
    """What to draw, of what is in the tables.

    Attributes
    ----------
    codes
        From names to codes, whose k and d not all tables tell.
    selection
        Rows to draw.
    per
        "block" or "cycle"; by default what is usual for the figure.
    title
        Above all panels.
    discards
        Post-selection: against p, at these fractions discarded, in place of against the fraction.
    quantity
        Roofline: which of its quantities.
    of
        Calibration: which kind of prediction, "shot" (by default), "observable" or "flip".
    """

    codes: Codes
    selection: Selection = field(default_factory=Selection)
    per: str | None = None
    title: str | None = None
    discards: Sequence[float] = ()
    quantity: str | None = None
    of: str | None = None


def draw(name: str, paths: Sequence[Path], request: Request) -> Figure:
    """Draw a figure from tables.

    Parameters
    ----------
    name
        One of :data:`FIGURES`.
    paths
        CSV files, of learning curves JSON lines; rows of all of them are drawn together.
    request
        Which rows, and how.

    Raises
    ------
    CascadeError
        If there is no such figure, a table cannot be read or lacks a column, no row is left, or the figure has no
        use for something asked for.
    """
    if name not in FIGURES:
        raise CascadeError(f"unknown figure {name!r}: expected one of {', '.join(FIGURES)}")
    if not paths:
        raise CascadeError(f"expected at least one table to draw {name} from, got none")
    used = {"rates": ("per",), "distance": ("per",), "latency": ("per",)}
    used |= {"post-selection": ("discards",), "roofline": ("quantity",), "calibration": ("of",)}
    for option in ("per", "discards", "quantity", "of"):
        if getattr(request, option) and option not in used.get(name, ()):
            raise CascadeError(f"{name}: expected no {option}, this figure has no use for it")
    return FIGURES[name](paths, request)


def _rates(paths: Sequence[Path], request: Request) -> Figure:
    points, fits = read_points(paths, request.codes)
    chosen = request.selection.of(points)
    return rates_figure(chosen, request.selection.over(fits), per=request.per or "block", title=request.title)


def _distance(paths: Sequence[Path], request: Request) -> Figure:
    points, fits = read_points(paths, request.codes)
    if fits:
        raise CascadeError("distance: expected tables of rates, got one of fits; they are drawn over rates")
    return distance_figure(request.selection.of(points), per=request.per or "cycle", title=request.title)


def _latency(paths: Sequence[Path], request: Request) -> Figure:
    lines = _chosen(paths, LatencyLine, request)
    return latency_figure(lines, request.codes, per=request.per or "cycle", title=request.title)


def _lambda(paths: Sequence[Path], request: Request) -> Figure:
    return lambda_figure(_chosen(paths, FitLine, request), title=request.title)


def _calibration(paths: Sequence[Path], request: Request) -> Figure:
    lines = _chosen(paths, ReliabilityLine, request)
    return calibration_figure(lines, of=request.of or "shot", title=request.title)


def _post_selection(paths: Sequence[Path], request: Request) -> Figure:
    lines = _chosen(paths, PostSelectionLine, request)
    if request.discards:
        return post_selection_against_noise_figure(lines, request.discards, title=request.title)
    return post_selection_figure(lines, title=request.title)


def _spectrum(paths: Sequence[Path], request: Request) -> Figure:
    return spectrum_figure(_chosen(paths, SpectrumLine, request), title=request.title)


def _roofline(paths: Sequence[Path], request: Request) -> Figure:
    lines = _chosen(paths, RooflineLine, request)
    return roofline_figure(lines, quantity=request.quantity or LATENCY, title=request.title)


def _escalation(paths: Sequence[Path], request: Request) -> Figure:
    return escalation_figure(_chosen(paths, EscalationLine, request), title=request.title)


def _learning(paths: Sequence[Path], request: Request) -> Figure:
    validations = [validation for path in paths for validation in read_validations(path)]
    return learning_figure(request.selection.of(validations), title=request.title)


def _capacity(paths: Sequence[Path], request: Request) -> Figure:
    points, fits = read_points(paths, request.codes)
    chosen = request.selection.of(points)
    return capacity_figure(chosen, request.selection.over(fits), title=request.title)


def _chosen(paths: Sequence[Path], kind: type[AnyLine], request: Request) -> list[AnyLine]:
    return request.selection.of([line for path in paths for line in read_rows(path, kind)])


FIGURES: Mapping[str, Callable[[Sequence[Path], Request], Figure]] = {
    "rates": _rates,
    "distance": _distance,
    "latency": _latency,
    "lambda": _lambda,
    "calibration": _calibration,
    "post-selection": _post_selection,
    "spectrum": _spectrum,
    "roofline": _roofline,
    "escalation": _escalation,
    "learning": _learning,
    "capacity": _capacity,
}
"""Names of figures, and what draws them."""
