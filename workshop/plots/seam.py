"""What a window leaves to the next one: a repetition code, whose events fill a plane."""

import numpy as np
import stim
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from cascade_qec.decoders import get
from cascade_qec.decoders.streams import Windows, windows
from cascade_qec.plotting.style import styled

DISTANCE, ROUNDS, DECIDED, AHEAD = 13, 11, 4, 4
P, SEED = 0.045, 95
_EVENT, _MADE, _GONE = "#000000", "#D55E00", "0.75"


def seam_figure() -> Figure:
    """Three moments of a stream: the first window, what it leaves, and the second."""
    circuit = stim.Circuit.generated(
        "repetition_code:memory",
        distance=DISTANCE,
        rounds=ROUNDS,
        before_round_data_depolarization=P,
        before_measure_flip_probability=P,
    )
    events = circuit.compile_detector_sampler(seed=SEED).sample(1)[0]
    made = windows(get("pymatching"), circuit, commit=DECIDED, buffer=AHEAD)
    seen = events.reshape(made.slices, -1)
    left = _left_by_first(made, events).reshape(seen.shape)
    with styled():
        figure = Figure(figsize=(9.6, 4.2), layout="constrained")
        panels = figure.subplots(1, 3, sharey=True)
        known = DECIDED + AHEAD
        _draw(panels[0], seen[:known], seen[:known], 0, "Window 1 explains its events")
        _draw(panels[1], left[:known], seen[:known], 0, "Decided errors are taken out")
        _draw(panels[2], left, seen, DECIDED, "Window 2 explains what is left")
        panels[0].set_ylabel("round")
        marks = [
            Line2D([], [], color=_EVENT, marker="o", linestyle="none", label="event to be explained"),
            Line2D(
                [], [], color=_MADE, marker="o", linestyle="none", label="event that a decided error makes at the seam"
            ),
            Line2D([], [], color=_GONE, marker="o", fillstyle="none", linestyle="none", label="explained"),
        ]
        figure.legend(handles=marks, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _left_by_first(made: Windows, events: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The events when the first window has decided."""
    window = made.after(None)
    assert window is not None
    inside = slice(0, sum(made.timeline.size(t) for t in range(window.stop)))
    decided = made.solver(window)(events[None, inside], events[None, inside])
    left = events.copy()
    left[inside] ^= decided.flips[0]
    left[: sum(made.timeline.size(t) for t in range(window.commit))] = False
    return left


def _draw(axes: Axes, left: NDArray[np.bool_], seen: NDArray[np.bool_], first: int, title: str) -> None:
    """Events of checks along a line over the rounds, and the window from `first` on."""
    end = min(first + DECIDED + AHEAD, ROUNDS + 1)
    last = end == ROUNDS + 1
    axes.axhspan(first - 0.5, (end if last else first + DECIDED) - 0.5, color="#0072B2", alpha=0.18, linewidth=0)
    if not last:
        axes.axhspan(first + DECIDED - 0.5, end - 0.5, color="#56B4E9", alpha=0.12, linewidth=0)
    for at in np.argwhere(seen & ~left):
        axes.plot(at[1], at[0], "o", color=_GONE, fillstyle="none")
    for at in np.argwhere(left):
        axes.plot(at[1], at[0], "o", color=_EVENT if seen[tuple(at)] else _MADE)
    axes.set_xlim(-0.7, DISTANCE - 1.3)
    axes.set_ylim(ROUNDS + 0.6, -0.6)
    axes.set_xticks(range(0, DISTANCE - 1, 2))
    axes.set_xlabel("check")
    axes.set_title(title)
