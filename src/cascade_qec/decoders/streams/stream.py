"""A stream: rounds come in, the frame moves on."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cascade_qec.decoders import events
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.decoders.streams.windows import Commitment, Window, Windows
from cascade_qec.engine import together
from cascade_qec.errors import CascadeError


class Stream:
    """One run of an experiment, or several side by side, decoded while it goes on.

    It keeps no more than the rounds that are still to be decided and their context.

    Attributes
    ----------
    rounds : int
        That have arrived.
    committed : int
        Slices that are decided: round t brings slice t.
    frame : bool [shots, k]
        What the errors flip that are committed so far.
    window : Window or None
        The next one to be decided; None at the end.

    Examples
    --------
    >>> import cascade_qec as cascade
    >>> noise = cascade.circuits.UniformDepolarizing(0.003)
    >>> circuit = cascade.circuits.memory(cascade.codes.get("surface_d3"), rounds=1000, noise=noise)
    >>> stream = cascade.load("local_surface").stream(circuit)
    >>> detection_events = circuit.compile_detector_sampler(seed=1).sample(1)
    >>> frame = stream.push(detection_events[:, :4])  # the first round
    >>> frame = stream.push(detection_events[:, 4:-4])  # 999 more
    >>> stream.finish(detection_events[:, -4:]).observables.shape
    (1, 1)
    """

    def __init__(self, windows: Windows, shots: int = 1) -> None:
        self._windows, self._shots = windows, shots
        self.frame = np.zeros((shots, windows.num_observables), dtype=np.bool_)
        self._whole: DecodeResult | None = None  # where one window is all there is
        self._log_odds: NDArray[np.floating] | None = np.full(shots, np.inf)  # that all windows are right
        self.rounds = self.committed = self._oldest = 0
        self._seen: deque[NDArray[np.bool_]] = deque()
        self._left: deque[NDArray[np.bool_]] = deque()  # the same with what committed errors flip taken out
        self.window: Window | None = windows.after(None)

    def push(self, detection_events: ArrayLike) -> NDArray[np.bool_]:
        """Take the detection events of the next rounds, one or several, and decide what can be decided.

        Parameters
        ----------
        detection_events
            bool (or uint8 0 and 1) [shots, detectors of these rounds], round after round, those of each ascending.

        Returns
        -------
        bool [shots, k]
            The frame so far.

        Raises
        ------
        CascadeError
            If it is another number of detectors than whole rounds have, or all rounds but the readout were here.
        """
        self._take(detection_events, self._windows.slices - 1, "before the readout")
        self._decide()
        return self.frame.copy()

    def receive(self, detection_events: ArrayLike) -> None:
        """Take the detection events of the next rounds, the readout's too, and leave it to the caller to decide.

        As `push` and `finish` take them. While it is `ready`, the solver of `window` decides by what `take` gives, and
        `commit` enters that: streams whose next windows have one solver can be decided as one batch.
        """
        self._take(detection_events, self._windows.slices, "with the readout")

    def finish(self, detection_events: ArrayLike) -> DecodeResult:
        """Take the detection events of the readout, and decide the rest.

        Parameters
        ----------
        detection_events
            bool (or uint8 0 and 1) [shots, detectors of the last slice].

        Raises
        ------
        CascadeError
            If rounds are missing, or it is another number of detectors.
        """
        missing = self._windows.slices - 1 - self.rounds
        if missing > 0:
            raise CascadeError(f"{self._windows.name}: expected {missing} more rounds before the readout")
        self._take(detection_events, self._windows.slices, "of the readout")
        self._decide()
        return self.result

    @property
    def result(self) -> DecodeResult:
        """The frame, and how sure it is where the decoder tells that of windows.

        Of an experiment that is one window, all that the decoder says of it.
        """
        return self._whole or DecodeResult(self.frame.copy(), log_odds=self._log_odds)

    @property
    def ready(self) -> bool:
        """Whether the next window has all its events."""
        return self.window is not None and self.window.until <= self.rounds

    def take(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """What the solver of the next window is given: ``seen`` and ``left`` of `Solver`."""
        assert self.window is not None
        seen = self._slices(self._seen, self.window.context, self.window.until)
        # a seam is decided by what was measured, whatever is decided elsewhere: so all may be, at once
        source = self._seen if self.window.kind == "seam" else self._left
        return seen, self._slices(source, self.window.first, self.window.stop)

    def commit(self, decided: Commitment) -> None:
        """Enter what the next window's solver has decided, and go on to the window after it."""
        window = self.window
        assert window is not None
        self.frame ^= decided.result.observables
        if window.first == 0 and window.stop == self._windows.slices:
            self._whole = decided.result
        if window.kind != "seam" and self._log_odds is not None:
            sure = decided.result.log_odds
            self._log_odds = None if sure is None else together(np.stack([self._log_odds, sure]), axis=0)
        sizes = [self._windows.timeline.size(t) for t in range(window.first, window.stop)]
        for t, flips in enumerate(np.split(decided.flips, np.cumsum(sizes)[:-1], axis=1), start=window.first):
            if t >= self._oldest:
                self._left[t - self._oldest] = self._left[t - self._oldest] ^ flips
        if window.kind != "seam":
            self.committed = window.commit
        self.window = self._windows.after(window)
        # what no window looks at any more, also none after the next one
        back = self._windows.context + max(0, self._windows.buffer - self._windows.commit)
        while self._oldest < min(self.committed - back, self.rounds):
            self._seen.popleft()
            self._left.popleft()
            self._oldest += 1

    def _decide(self) -> None:
        while self.ready:
            assert self.window is not None
            self.commit(self._windows.solver(self.window)(*self.take()))

    def _take(self, detection_events: ArrayLike, most: int, where: str) -> None:
        whose, timeline = self._windows.name, self._windows.timeline
        given = np.asarray(detection_events)
        if given.ndim != 2 or given.shape[0] != self._shots:
            raise CascadeError(
                f"{whose} expects the events of rounds as [{self._shots}, detectors], got {list(given.shape)}"
            )
        checked = events.checked(given, given.shape[1], whose=whose)
        stop, sizes, total = self.rounds, list[int](), 0
        while stop < most and (total < given.shape[1] or not sizes):
            sizes.append(timeline.size(stop))
            total, stop = total + sizes[-1], stop + 1
        if total != given.shape[1] or not sizes:
            expected = f"{sizes[0]} detectors for round {self.rounds + 1}" if sizes else "no more rounds"
            raise CascadeError(
                f"{whose} expects the events of whole rounds {where}: {expected}, got {given.shape[1]} detectors"
            )
        for of_slice in np.split(checked, np.cumsum(sizes)[:-1], axis=1):
            self._seen.append(of_slice.copy())
            self._left.append(self._seen[-1])
        self.rounds = stop

    def _slices(self, kept: Sequence[NDArray[np.bool_]], first: int, stop: int) -> NDArray[np.bool_]:
        return np.concatenate([kept[t - self._oldest] for t in range(first, stop)], axis=1)
