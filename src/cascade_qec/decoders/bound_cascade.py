"""A Cascade decoder that is bound to an experiment: what is worked out once, and what is done for every batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np
import stim
import torch
from numpy.typing import NDArray

from cascade_qec.codes import Basis, CSSCode
from cascade_qec.decoders import events
from cascade_qec.decoders.bound import Bound
from cascade_qec.decoders.plausibility import ShotCheck
from cascade_qec.decoders.result import NetworkResult, sigmoid
from cascade_qec.error_models import error_model, unlikely
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import logical_operators
from cascade_qec.nn import CascadeNetwork, Decision, Geometry, ModelDescription, Questions, Unpacking, together
from cascade_qec.recognition import Part, Recognition

_CHUNK_ACTIVATIONS = {"cpu": 1 << 22, "cuda": 1 << 28}
"""Activations of the residual stream decoded at a time: on a CPU what its caches hold, on a GPU a part of memory."""

_MAX_CHUNK_SHOTS = 8192


class Weights(Protocol):
    """What a bound decoder needs of the one that it was bound from, a `CascadeDecoder`."""

    code: CSSCode
    description: ModelDescription
    network: CascadeNetwork
    device: torch.device
    dtype: torch.dtype

    def mind_forks(self) -> None: ...

    def experiment(self, p: float, *, rounds: int | None = None, basis: Basis = "Z") -> stim.Circuit: ...


def chunk(decoder: Weights, sites: int) -> int:
    """Shots decoded at a time, of an experiment with so many sites."""
    per_shot = sites * decoder.network.settings.width
    return max(1, min(_MAX_CHUNK_SHOTS, _CHUNK_ACTIVATIONS[decoder.device.type] // per_shot))


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
    chunk
        Shots decoded at a time.
    """

    def __init__(
        self, decoder: Weights, found: Recognition | tuple[Part], model: stim.DetectorErrorModel | None = None
    ) -> None:
        self.found, self.model = found, model
        self.flips = None if model is None else unlikely(model)[1]
        parts = found.parts if isinstance(found, Recognition) else found
        self.parts = [_BoundPart(decoder, part) for part in parts]
        self.chunk = chunk(decoder, max(part.activations for part in self.parts))


class _BoundPart:
    """The network's tables for one memory experiment, and what its observables have in the experiment's."""

    def __init__(self, decoder: Weights, part: Part) -> None:
        operators, lattices, device = decoder.description.operators, [part.lattice], decoder.device
        asked = logical_operators(decoder.code, part.lattice.basis, operators)
        self.activations = max(part.lattice.sites, len(asked.support))
        self._observables, self._detectors = part.observables, part.lattice.detectors
        self._turns = bool(part.observables.detectors.any())
        self._geometry = Geometry(lattices, decoder.network.settings.convolution, operators).to(device)
        self._unpacking = Unpacking(lattices).to(device)
        self._questions = Questions(lattices, operators).to(device)
        self._decision = Decision(asked.logicals, part.observables.logicals).to(device)

    def decide(
        self, packed: NDArray[np.uint8], network: CascadeNetwork, dtype: torch.dtype
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32]]:
        """Observables, which of them to suspect, and log-odds of packed events, as `Decision` has them."""
        observables: NDArray[np.bool_]
        with torch.inference_mode():
            states, _ = self._unpacking(packed)
            logits = network(states, self._geometry, dtype)
            evidence = logits * (1 - 2 * self._questions.parities(states))
            finite = torch.isfinite(logits).all()
            observables, suspects, log_odds = (x.cpu().numpy() for x in self._decision(evidence))
        if not finite:
            raise CascadeError("expected finite numbers from the network, got infinite ones or none at all (NaN)")
        if self._turns:
            observables = observables ^ self._observables.turned(events.unpacked(packed, self._detectors))
        return observables, suspects, log_odds


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
    device, dtype
        Where and in what precision the network runs.
    """

    def __init__(self, decoder: Weights, binding: Binding) -> None:
        self.decoder, self._binding, self.flips = decoder, binding, binding.flips
        self.recognition = binding.found if isinstance(binding.found, Recognition) else None
        parts = binding.found.parts if isinstance(binding.found, Recognition) else binding.found
        self.lattice, self.observables = parts[0].lattice, parts[0].observables
        self.num_detectors, self.num_observables = self.lattice.detectors, len(self.observables.logicals)
        basis = " and ".join(part.lattice.basis for part in parts)
        self.device, self.dtype = decoder.device, decoder.dtype
        made = decoder.description
        self._calibration = made.calibration if made.measured_at(self.lattice.rounds) else None
        self.name = f"model {decoder.description.name} ({self.lattice.rounds} rounds, basis {basis})"
        own = partial(_own_model, decoder, self.lattice.rounds, self.lattice.basis)
        self.check = ShotCheck(
            own if binding.model is None else binding.model, self.name, strength_known=binding.model is not None
        )

    @property
    def tells_confidence(self) -> bool:
        """Whether results have log-odds and probabilities: of a calibrated model at its own number of rounds."""
        return self._calibration is not None

    def _decode(self, detection_events: NDArray[Any], bit_packed: bool) -> NetworkResult:
        self.decoder.mind_forks()  # pyright: ignore[reportPrivateUsage]
        packed = detection_events if bit_packed else events.packed(detection_events)
        packed = np.require(packed, requirements="W")  # PyTorch warns of arrays that cannot be written, such as files'
        calibration = self._calibration
        observables = np.zeros((len(packed), self.num_observables), dtype=np.bool_)
        probabilities = np.zeros((len(packed), self.num_observables), dtype=np.float32)
        log_odds = np.zeros(len(packed), dtype=np.float32)
        network = self.decoder.network
        for start in range(0, len(packed), self._binding.chunk):
            shots = slice(start, start + self._binding.chunk)
            parts = [part.decide(packed[shots], network, self.decoder.dtype) for part in self._binding.parts]
            for decided, _, _ in parts:
                observables[shots] ^= decided
            if calibration is None:
                continue
            worth = [calibration(of_part) for _, _, of_part in parts]
            log_odds[shots] = together(torch.as_tensor(np.stack(worth)), dim=0).numpy()
            for (decided, suspects, _), of_part in zip(parts, worth, strict=True):
                wrong = suspects * sigmoid(-of_part)[:, None]
                # a sum of independent flips
                probable = np.where(decided, 1 - wrong, wrong)
                probabilities[shots] += probable - 2 * probabilities[shots] * probable
        return (
            NetworkResult(observables) if calibration is None else NetworkResult(observables, probabilities, log_odds)
        )

    def __reduce__(self) -> tuple[Callable[..., BoundCascade], tuple[object, ...]]:
        return _bound_anew, (self.decoder, self._binding.found, self._binding.model)


def _bound_anew(
    decoder: Weights, found: Recognition | tuple[Part], model: stim.DetectorErrorModel | None
) -> BoundCascade:
    return BoundCascade(decoder, Binding(decoder, found, model))


def _own_model(decoder: Weights, rounds: int, basis: Basis) -> stim.DetectorErrorModel:
    return error_model(decoder.experiment(decoder.description.noise_p, rounds=rounds, basis=basis))
