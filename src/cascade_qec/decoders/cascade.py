"""The Cascade decoder: trained weights, and what they become when they are bound to an experiment."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import warnings
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec import circuits, codes
from cascade_qec.codes import Basis
from cascade_qec.decoders.bound_cascade import Binding, BoundCascade
from cascade_qec.decoders.peaks import measured_peaks
from cascade_qec.decoders.runtime import choose
from cascade_qec.decoders.unlike_training import unlike_training
from cascade_qec.engine import Weights, folded
from cascade_qec.error_models import error_model
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.files import written_whole
from cascade_qec.lattice import memory_lattice
from cascade_qec.model import UNCHECKED, ModelDescription, NetworkSettings, State, check, model_bytes
from cascade_qec.recognition import ObservableMap, Part, read_experiment, recognise

if TYPE_CHECKING:
    from cascade_qec.decoders.streams import Method, Stream
    from cascade_qec.nn import CascadeNetwork

Source = stim.Circuit | stim.DetectorErrorModel | str | Path
"""A circuit or error model, its text (of several lines), or the path of a file of it."""

_BINDINGS = 8
"""Experiments whose tables a decoder keeps, the latest ones."""


class CascadeDecoder:
    """Trained weights, for any experiment of their code. Made by `load`; `bind` gives what decodes.

    Several threads may share one. It can be pickled; where it arrives, device and precision are chosen anew from what
    `load` was given.

    Attributes
    ----------
    description : ModelDescription
        What the weights' file says: name, code, rounds and noise of training, network.
    code : CSSCode
    state : mapping of float32 [...]
        The weights, by the names of `cascade_qec.nn.CascadeNetwork`.
    runtime : Runtime
        What runs the network, on which device and in what precision.
    allow_unmeasured : bool
        Whether it is bound to numbers of rounds that it was not measured at.
    """

    def __init__(
        self,
        state: State,
        description: ModelDescription,
        *,
        device: str = "auto",
        precision: str = "auto",
        runtime: str = "auto",
        allow_unmeasured: bool = False,
    ) -> None:
        check(state, description)
        if description.network.mixer != "convolution":
            raise CascadeError(
                f"expected a model that convolves, got {description.name} with mixer {description.network.mixer!r}: "
                "attention is there to be trained and validated, and no runtime decodes with it"
            )
        self.runtime = choose(runtime, device, precision)
        self.state, self.description = state, description
        self.code = codes.get(description.code)
        self.allow_unmeasured = allow_unmeasured
        self._asked = device, precision, runtime, allow_unmeasured
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._weights: Weights | None = None
        self._peaks: NDArray[np.float32] | None = None
        self._network: CascadeNetwork | None = None
        self._bindings: dict[Hashable, Binding] = {}

    @property
    def weights(self) -> Weights:
        """The weights folded for inference; made once."""
        with self._lock:
            if self._weights is None:
                made = self.description.network
                self._weights = folded(
                    self.state,
                    self.code,
                    convolution=made.convolution,
                    depthwise=made.depthwise,
                    in_segments=made.segment_rounds is not None,
                )
            return self._weights

    @property
    def peaks(self) -> NDArray[np.float32]:
        """What products in eight bits span, float32 [convolutions, channels]; measured once."""
        with self._lock:
            if self._peaks is None:
                self._peaks = measured_peaks(self)
            return self._peaks

    @property
    def network(self) -> CascadeNetwork:
        """The network in PyTorch, on the runtime's device; made once."""
        from cascade_qec.nn import rebuilt

        with self._lock:
            if self._network is None:
                self._network = rebuilt(self.description, self.state).to(self.runtime.device)
            return self._network

    @classmethod
    def untrained(cls, code: str, *, width: int = 16, depth: int = 2, seed: int = 0) -> CascadeDecoder:
        """A decoder with random weights, for trying out formats and interfaces at any rounds: it knows nothing."""
        family = codes.get(code)
        settings = NetworkSettings.model_validate({"width": width, "depth": depth, "convolution": family.convolution})
        description = ModelDescription(
            name=f"{code}_untrained",
            code=code,
            rounds=family.d or 3,
            bases=["Z", "X"],
            noise_p=0.008,
            network=settings,
            calibration=UNCHECKED,
        )
        random = np.random.default_rng(seed)
        state = {name: _initial(name, shape, random) for name, shape in sorted(description.shapes().items())}
        return cls(state, description)

    @property
    def name(self) -> str:
        """The model's name among decoders."""
        return f"cascade:{self.description.name}"

    def save(self, path: str | Path) -> None:
        """Write weights and description as a safetensors file that `load` reads."""
        with written_whole(Path(path)) as file:
            file.write(model_bytes(self.state, self.description))

    def experiment(self, p: float, *, rounds: int | None = None, basis: Basis = "Z") -> stim.Circuit:
        """A memory experiment of this decoder's code under its training noise model. The decoder stays as it was.

        Parameters
        ----------
        p
            Noise strength.
        rounds
            Rounds of syndrome extraction; the rounds of training, which is d, by default.
        basis
            "Z" or "X".
        """
        self._check_basis(basis)
        rounds = self.description.rounds if rounds is None else rounds
        noise = circuits.noise_model(self.description.noise_model, p)
        return circuits.memory(self.code, rounds=rounds, basis=basis, noise=noise)

    def bind(
        self, experiment: Source | None = None, /, *, rounds: int | None = None, basis: Basis | None = None
    ) -> BoundCascade:
        """Make ready for the shots of an experiment. The decoder stays as it was; the network is shared.

        What is worked out here (which detector is which, the network's tables) is kept for the latest experiments.

        Parameters
        ----------
        experiment
            A memory experiment of this decoder's code that any tool made: a circuit or error model, its text, or the
            path of a file of it (an error model by its ending .dem). Order and coordinates of the detectors, schedule,
            gates, basis and logical representatives may be others than ours; see `cascade_qec.recognition`.
        rounds, basis
            Instead of it: those of the decoder's own experiment, by default the rounds of training and the first basis
            of training.

        Raises
        ------
        CascadeError
            If it is no such experiment, or of a basis that the model was not trained for, or of a number of rounds that
            it was not measured at (unless `allow_unmeasured`).

        Warns
        -----
        CascadeWarning
            If the experiment is unlike those of training: of other rounds, with more noise or of other kinds.
        """
        if experiment is None:
            rounds = self.description.rounds if rounds is None else rounds
            basis = self.description.bases[0] if basis is None else basis
            self._check_basis(basis)
            self._check_rounds(rounds)
            lattice = memory_lattice(self.code, rounds, basis)
            part = Part(lattice, ObservableMap.identity(self.code.k, lattice.detectors))
            bound = self._bound((rounds, basis), lambda: Binding(self, (part,)))
        elif rounds is not None or basis is not None:
            raise CascadeError("expected an experiment, or the rounds and basis of the decoder's own, got both")
        else:
            source = read_experiment(experiment)
            key = type(source), hashlib.sha256(str(source).encode()).digest()
            bound = self._bound(key, lambda: self._recognised(source))
            self._check_rounds(bound.lattice.rounds)
        self._warn_of(bound)
        return bound

    def stream(
        self,
        experiment: Source,
        /,
        *,
        shots: int = 1,
        commit: int | None = None,
        buffer: int | None = None,
        method: Method = "carry",
    ) -> Stream:
        """Decode an experiment of any number of rounds while it goes on; of a logical model, when it is over.

        Many streams of one experiment share what is worked out here if it is done by
        `cascade_qec.decoders.streams.windows`.

        Parameters
        ----------
        experiment, commit, buffer, method
            See `cascade_qec.decoders.streams.windows`.
        shots
            Runs side by side.

        Raises
        ------
        CascadeError
            As `bind` does, or if the experiment does not say when its detectors arrive.
        """
        from cascade_qec.decoders.streams import Stream, windows  # here: they build on this module

        return Stream(windows(self, experiment, commit=commit, buffer=buffer, method=method), shots)

    def _recognised(self, source: stim.Circuit | stim.DetectorErrorModel) -> Binding:
        found = recognise(source, self.code, self.description.bases)
        return Binding(self, found, error_model(source) if isinstance(source, stim.Circuit) else source)

    def _bound(self, key: Hashable, made: Callable[[], Binding]) -> BoundCascade:
        self.mind_forks()
        with self._lock:
            binding = self._bindings.pop(key, None) or made()
            self._bindings[key] = binding
            for oldest in list(self._bindings)[:-_BINDINGS]:
                del self._bindings[oldest]
        return BoundCascade(self, binding)

    def _warn_of(self, bound: BoundCascade) -> None:
        made, found = self.description, bound.recognition
        if not made.trained_at(bound.lattice.rounds):
            warnings.warn(
                f"model {made.name} is made for {made.span_of_rounds} and is bound to an experiment "
                f"with {bound.lattice.rounds}: expect it to be less accurate than its card says",
                CascadeWarning,
                stacklevel=3,
            )
        if found is not None and (differences := unlike_training(found, made.noise_p)):
            warnings.warn(
                f"model {made.name} fits the circuit, but {', and '.join(differences)}: expect it to be less "
                "accurate than its card says",
                CascadeWarning,
                stacklevel=3,
            )

    def _check_basis(self, basis: str) -> None:
        if basis not in self.description.bases:
            bases = " and ".join(self.description.bases)
            raise CascadeError(f"model {self.description.name} was trained for basis {bases}, got basis {basis}")

    def _check_rounds(self, rounds: int) -> None:
        made = self.description
        if not (self.allow_unmeasured or made.measured_at(rounds)):
            raise CascadeError(
                f"model {made.name} was measured at {made.span_of_rounds}, got an experiment of {rounds}: local models "
                "decode any number, and with allow_unmeasured (--allow_unmeasured) this one does, without a confidence"
            )

    def mind_forks(self) -> None:
        """Do what a process that was forked off can still do: neither PyTorch's threads nor CUDA come with it."""
        if os.getpid() == self._process or self.runtime.name != "torch":
            return
        if self.runtime.device != "cpu":
            raise CascadeError(
                f"model {self.description.name} was loaded onto {self.runtime.device} before this process was forked "
                'off, which CUDA does not survive: start processes by "spawn", or load it in each of them'
            )
        if os.getpid() not in _one_thread:
            sys.modules["torch"].set_num_threads(1)  # with more, the first product would wait for threads for ever
            _one_thread.add(os.getpid())

    def __repr__(self) -> str:
        trained, by = self.description, self.runtime
        return f"<{self.name}: {self.code.name}, {trained.rounds} rounds, {by.name}, {by.device}, {by.precision}>"

    def _repr_html_(self) -> str:
        from cascade_qec.tables import as_html  # here: it is only for notebooks

        made, by = self.description, self.runtime
        facts = [
            ("code", self.code.name),
            ("made for", f"{made.span_of_rounds}, basis {' and '.join(made.bases)}, p = {made.noise_p:g}"),
            ("network", f"{made.head} head, width {made.network.width}, depth {made.network.depth}"),
            ("weights", f"{made.parameters():,}"),
            ("runs on", f"{by.name}, {by.device}, {by.precision}"),
        ]
        return as_html(self.name, (), facts)

    def __reduce__(self) -> tuple[Callable[..., CascadeDecoder], tuple[object, ...]]:
        return _unpickled, (type(self), self.state, self.description, *self._asked)


_one_thread: set[int] = set()
"""Processes that were forked off the one that loaded a model, and are held to one thread."""


def _initial(name: str, shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float32]:
    """Weights of a network that knows nothing and says much."""
    if len(shape) == 1:
        of_norm = name.endswith(("weight", "variance"))
        return np.full(shape, 1.0 if of_norm else 0.0, np.float32)
    spread = 1.0 if name in ("trunk.embedding", "head.output") else shape[-1] ** -0.5
    return random.normal(scale=spread, size=shape).astype(np.float32)


def _unpickled(
    kind: type[CascadeDecoder],
    state: State,
    description: ModelDescription,
    device: str,
    precision: str,
    runtime: str,
    allow_unmeasured: bool,
) -> CascadeDecoder:
    return kind(
        state, description, device=device, precision=precision, runtime=runtime, allow_unmeasured=allow_unmeasured
    )
