"""Failure spectrum: how many faults it takes to make a decoder fail."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from cascade_qec.evaluation.rare_events.results import SpectrumRow
from cascade_qec.plotting.curves import Dot, curves_figure
from cascade_qec.plotting.panels import grouped, linear_axis
from cascade_qec.plotting.style import label_of

_SIDESTEP = 0.08


def spectrum_figure(rows: Sequence[SpectrumRow], *, title: str | None = None) -> Figure:
    """Share of shots with w faults that fail, against w; a panel for each experiment, a curve for each decoder.

    Of a decoder's spectra at several noise rates the one at the highest is drawn: they hardly differ, but for the
    priors that a classical decoder was told, and it reaches furthest.

    Raises
    ------
    CascadeError
        If there are no rows, or two of one decoder are at one place.
    """
    spectra = grouped(rows, lambda row: (row.decoder, row.code, row.rounds, row.basis)).values()
    rows = [row for own in spectra for row in own if row.sampled_at == max(other.sampled_at for other in own)]
    dots = [
        Dot(
            f"{row.code}, {row.rounds} rounds, basis {''.join(sorted(row.basis))}",
            label_of(row.decoder, row.code),
            row.faults,
            row.fraction,
        )
        for row in rows
    ]
    return curves_figure(
        dots,
        lambda axis, _: linear_axis(axis, integers=True),
        y_label="failure spectrum f(w)",
        x_label="faults w",
        beside=lambda faults, places: faults + _SIDESTEP * places,
        title=title,
    )
