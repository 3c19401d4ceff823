"""A Cascade decoder that is bound to an experiment: what is worked out once, and what is done for every batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any, Protocol

import numpy as np
import stim
from numpy.typing import ArrayLike, NDArray

from cascade_qec import engine
from cascade_qec.codes import Basis, CSSCode
from cascade_qec.decoders import events
from cascade_qec.decoders.bound import Bound
from cascade_qec.decoders.explanation import Explanation, explanation
from cascade_qec.decoders.plausibility import ShotCheck
from cascade_qec.decoders.prepared import logical_tables, prepared
from cascade_qec.decoders.result import NetworkResult, sigmoid
from cascade_qec.decoders.runtime import Runtime
from cascade_qec.engine import LocalTables, LogicalTables
from cascade_qec.error_models import error_model, unlikely
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import Lattice
from cascade_qec.model import Calibration, ModelDescription
from cascade_qec.native import native
from cascade_qec.recognition import Part, Recognition


class Weights(Protocol):
    """What a bound decoder needs of the one that it was bound from, a `CascadeDecoder`."""

    code: CSSCode
    description: ModelDescription
    runtime: Runtime

    @property
    def weights(self) -> engine.Weights: ...

    @property
    def peaks(self) -> NDArray[np.float32]: ...

    def mind_forks(self) -> None: ...

    def experiment(self, p: float, *, rounds: int | None = None, basis: Basis = "Z") -> stim.Circuit: ...


def program(
    decoder: Weights,
    lattice: Lattice,
    head_tables: LogicalTables | LocalTables,
    noise: NDArray[np.float32] | None = None,
) -> engine.Program:
    """A decoder's network for an experiment, by its runtime.

    Parameters
    ----------
    noise : float32 [sites, told], optional
        What a model is told of it, see `cascade_qec.components.Priors`.
    """
    by = decoder.runtime
    weights, tables = prepared(decoder.weights, decoder.description, lattice, head_tables, noise)
    if by.name == "torch":
        import torch

        from cascade_qec.nn import TorchProgram

        return TorchProgram(weights, tables, head_tables, torch.device(by.device), by.precision)
    if by.name == "numpy":
        return engine.NumPyProgram(weights, tables, head_tables)
    kernels = native()
    assert kernels is not None  # or it would not have been chosen
    peaks = decoder.peaks if by.precision == "int8" else None
    return engine.NativeProgram(
        kernels, weights, tables, head_tables, bfloat16=by.precision in ("bfloat16", "int8"), peaks=peaks
    )


def result_of(parts: Sequence[engine.Decided], calibration: Calibration | None) -> NetworkResult:
    """What is decided of the parts of an experiment together, and by a calibration how sure that is."""
    observables = reduce(np.bitwise_xor, (part.observables for part in parts))
    if calibration is None:
        return NetworkResult(observables)
    worth = [calibration(part.log_odds) for part in parts]
    flips = map(_probabilities, parts, worth)
    probabilities = reduce(lambda a, b: a + (b - 2 * a * b), flips)  # a sum of independent flips
    log_odds = worth[0] if len(worth) == 1 else engine.together(np.stack(worth), axis=0)
    return NetworkResult(observables, probabilities.astype(np.float32), log_odds.astype(np.float32))


def _probabilities(part: engine.Decided, worth: NDArray[np.float64]) -> NDArray[np.float64]:
    wrong = part.suspects * sigmoid(-worth)[:, None]
    return np.where(part.observables, 1 - wrong, wrong)


class Binding:
    """What a decoder works out once for an experiment.

    Attributes
    ----------
    found
        What is known of the experiment, or the one part of the decoder's own.
    parts
        The network's tables for each memory experiment in it.
    model
        The experiment's error model; None of the decoder's own.
    flips
        What its errors of probability above 1/2 flip; None where there are none.
    """

    def __init__(
        self, decoder: Weights, found: Recognition | tuple[Part], model: stim.DetectorErrorModel | None = None
    ) -> None:
        self.found, self.model = found, model
        self.flips = None if model is None else unlikely(model)[1]
        parts = found.parts if isinstance(found, Recognition) else found
        self.parts = [_BoundPart(decoder, part) for part in parts]


class _BoundPart:
    """The network for one memory experiment, and what its observables have in the experiment's."""

    def __init__(self, decoder: Weights, part: Part) -> None:
        lattice = part.lattice
        self._observables, self._detectors = part.observables, lattice.detectors
        self._turns = bool(part.observables.detectors.any())
        tables = logical_tables(decoder.description, lattice, part.observables.logicals)
        self._program = program(decoder, lattice, tables)

    def decide(self, packed: NDArray[np.uint8]) -> engine.Decided:
        """What is decided of packed events, uint8 [shots, bytes]."""
        observables, suspects, log_odds = self._program.decide(packed)
        if np.isnan(log_odds).any():
            raise CascadeError("expected finite numbers from the network, got infinite ones or none at all (NaN)")
        if self._turns:
            observables = observables ^ self._observables.turned(events.unpacked(packed, self._detectors))
        return engine.Decided(observables, suspects, log_odds)


class BoundCascade(Bound[NetworkResult]):
    """A Cascade decoder that is ready for the shots of one experiment. Made by `CascadeDecoder.bind` or `load`.

    The network is asked about all logical operators that look to it like the code's observables (parallel lines, on a
    torus all that are no heavier), and the likeliest joint value of the observables is predicted. Where an experiment
    keeps the logical operators of both bases, each basis is decoded on its own.

    How sure it is comes by the model's calibration, fitted to its decisions about all observables of the code.

    Attributes
    ----------
    decoder : CascadeDecoder
    lattice : Lattice
        Where the detectors of the experiment sit; of an experiment of both bases those of the first.
    observables : ObservableMap
        What the observables of the experiment are in those of the code; of both bases those of the first.
    recognition : Recognition or None
        What is known of the circuit; None of the decoder's own experiment.
    runtime : Runtime
        What runs the network, on which device and in what precision.
    """

    def __init__(self, decoder: Weights, binding: Binding) -> None:
        self.decoder, self._binding, self.flips = decoder, binding, binding.flips
        self.recognition = binding.found if isinstance(binding.found, Recognition) else None
        parts = binding.found.parts if isinstance(binding.found, Recognition) else binding.found
        self.lattice, self.observables = parts[0].lattice, parts[0].observables
        self.num_detectors, self.num_observables = self.lattice.detectors, len(self.observables.logicals)
        basis = " and ".join(part.lattice.basis for part in parts)
        self.runtime = decoder.runtime
        made = decoder.description
        self._calibration = made.calibration if made.measured_at(self.lattice.rounds) else None
        self.name = f"model {decoder.description.name} ({self.lattice.rounds} rounds, basis {basis})"
        own = partial(_own_model, decoder, self.lattice.rounds, self.lattice.basis)
        self.check = ShotCheck(
            own if binding.model is None else binding.model, self.name, strength_known=binding.model is not None
        )

    @property
    def tells_confidence(self) -> bool:
        """Whether results have log-odds and probabilities: of a calibrated model at numbers of rounds like its own."""
        return self._calibration is not None

    def _decode(self, detection_events: NDArray[Any], bit_packed: bool) -> NetworkResult:
        self.decoder.mind_forks()  # pyright: ignore[reportPrivateUsage]
        packed = detection_events if bit_packed else events.packed(detection_events)
        return result_of([part.decide(packed) for part in self._binding.parts], self._calibration)

    def explain(self, detection_events: ArrayLike) -> Explanation:
        """What the network makes of shots on its way to a decision: what `cascade page` draws.

        It is computed by NumPy in float32, whatever runs the decoder, and takes memory for every layer of every shot.

        Parameters
        ----------
        detection_events
            bool (or uint8 0 and 1) [shots, detectors].

        Returns
        -------
        Explanation
            Features of all layers [layers, sites, shots, width], votes of operators [shots, operators, classes], and
            what a site depends on.

        Raises
        ------
        CascadeError
            If the array is of another shape or type, or the experiment keeps the logical operators of both bases.

        Examples
        --------
        >>> import cascade_qec as cascade
        >>> bound = cascade.load("surface_d3", device="cpu").bind(basis="Z")
        >>> told = bound.explain([[False] * 24])
        >>> told.features.shape, told.votes.shape
        ((6, 32, 1, 64), (1, 3, 2))
        """
        if len(self._binding.parts) > 1:
            raise CascadeError(f"{self.name}: expected an experiment of one basis to explain, got one of both")
        shots = events.checked(detection_events, self.num_detectors, whose=self.name)
        if self.flips is not None:
            shots = shots ^ self.flips.detectors
        return explanation(self.decoder.weights, self.decoder.description, self.lattice, events.packed(shots))

    def __reduce__(self) -> tuple[Callable[..., BoundCascade], tuple[object, ...]]:
        return _bound_anew, (self.decoder, self._binding.found, self._binding.model)


def _bound_anew(
    decoder: Weights, found: Recognition | tuple[Part], model: stim.DetectorErrorModel | None
) -> BoundCascade:
    return BoundCascade(decoder, Binding(decoder, found, model))


def _own_model(decoder: Weights, rounds: int, basis: Basis) -> stim.DetectorErrorModel:
    return error_model(decoder.experiment(decoder.description.noise_p, rounds=rounds, basis=basis))
