"""Failure spectrum: how many faults it takes to make a decoder fail."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.panels import bars_caption, draw_rates, finish, linear_axis, log_axis, make_panels
from cascade_qec.plotting.style import label_of, looks, styled
from cascade_qec.plotting.tables import SpectrumLine

_SIDESTEP = 0.08


def spectrum_figure(lines: Sequence[SpectrumLine], *, title: str | None = None) -> Figure:
    """Share of shots with w faults that fail, against w; a panel for each experiment, a curve for each decoder.

    Of a decoder's spectra at several noise rates the one at the highest is drawn: they hardly differ, but for the
    priors that a classical decoder was told, and it reaches furthest.

    Raises
    ------
    CascadeError
        If there are no lines, or two of one decoder are at one place.
    """
    if not lines:
        raise CascadeError("expected rows to plot, got 0 rows")
    panels: dict[tuple, list[SpectrumLine]] = {}
    for line in lines:
        panels.setdefault((line.code, line.rounds, "".join(sorted(line.basis))), []).append(line)
    look = looks(label_of(line.decoder, line.code) for line in lines)
    with styled():
        figure, axes = make_panels(len(panels), y_label="failure spectrum f(w)")
        for here, (key, inside) in zip(axes, panels.items(), strict=True):
            decoders = list(dict.fromkeys(line.decoder for line in inside))
            for place, decoder in enumerate(decoders):
                own = [line for line in inside if line.decoder == decoder]
                highest = max(line.sampled_at for line in own)
                curve = sorted((line for line in own if line.sampled_at == highest), key=lambda line: line.faults)
                if len({line.faults for line in curve}) != len(curve):
                    raise CascadeError(f"expected one row for each number of faults; some of {decoder} occur twice")
                label = label_of(decoder, key[0])
                draw_rates(
                    here,
                    [line.faults + _SIDESTEP * (place - (len(decoders) - 1) / 2) for line in curve],
                    [line.rate for line in curve],
                    look[label],
                    label=label,
                )
            linear_axis(here.xaxis, integers=True)
            log_axis(here.yaxis, [end for line in inside for end in (line.fraction, line.fraction_high)])
            here.set_xlabel("faults w")
            here.set_title(f"{key[0]}, {key[1]} rounds, basis {key[2]}")
        order = dict.fromkeys(label_of(line.decoder, line.code) for line in lines)
        finish(
            figure, {label: look[label] for label in order}, bars_caption([line.rate for line in lines]), title=title
        )
    return figure
