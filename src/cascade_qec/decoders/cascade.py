"""The Cascade decoder: trained weights bound to an experiment."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import overload

import numpy as np
import stim
import torch
from numpy.typing import NDArray

from cascade_qec import circuits, codes
from cascade_qec.codes.css import Basis
from cascade_qec.decoders.escalation import EscalatingDecoder, fallback_decoder
from cascade_qec.decoders.events import checked
from cascade_qec.decoders.result import NetworkResult
from cascade_qec.device import pick_device, pick_dtype
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.files import written_whole
from cascade_qec.lattice import Lattice, logical_operators, memory_lattice
from cascade_qec.nn import (
    CascadeNetwork,
    Decision,
    Geometry,
    ModelDescription,
    NetworkSettings,
    Questions,
    Unpacking,
    load_model,
    model_bytes,
)
from cascade_qec.recognition import ObservableMap, Recognition, read_experiment, recognise
from cascade_qec.zoo import registry

_CHUNK_ACTIVATIONS = {"cpu": 1 << 22, "cuda": 1 << 28}
"""Activations of the residual stream decoded at a time: on a CPU what its caches hold, on a GPU a part of memory."""

_MAX_CHUNK_SHOTS = 8192

_STRONG = 2
"""Times the noise of training from which on a circuit's noise is remarked upon."""

_FAMILIAR = 0.99
"""Share of a circuit's noise that should be of kinds that training had."""


@overload
def load(
    model: str | Path,
    *,
    circuit: stim.Circuit | stim.DetectorErrorModel | str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    fallback: None = None,
    below: None = None,
) -> CascadeDecoder: ...


@overload
def load(
    model: str | Path,
    *,
    circuit: stim.Circuit | stim.DetectorErrorModel | str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    fallback: str,
    below: float,
) -> EscalatingDecoder: ...


def load(
    model: str | Path,
    *,
    circuit: stim.Circuit | stim.DetectorErrorModel | str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    fallback: str | None = None,
    below: float | None = None,
) -> CascadeDecoder | EscalatingDecoder:
    """Load a trained decoder.

    Parameters
    ----------
    model
        A name in the zoo ("bb72"), or the path of a ``.safetensors`` file.
    circuit
        The circuit or detector error model, or the path of a file of it, whose shots will be decoded: a memory
        experiment of the model's code by any tool, see `CascadeDecoder.for_circuit`. Without it the decoder is bound to
        its own experiment with d rounds in the Z basis, until `CascadeDecoder.experiment` is asked for another.
    device
        "auto" (a CUDA device where there is one), "cpu", "cuda" or "cuda:N".
    precision
        "auto" (bfloat16 where the device multiplies it in hardware), "float32" or "bfloat16".
    fallback
        A classical decoder for the shots that the network doubts: "relay", "tesseract", "bposd",
        "pymatching-correlated" or any other of `cascade_qec.decoders.classical.names`. It is told how likely errors are
        by the circuit, or by the experiment. ``cascade bench escalation`` shows what thresholds are worth.
    below
        The confidence below which a shot goes to the fallback, above 0 and at most 1. Given with it or not at all.

    Returns
    -------
    CascadeDecoder, or EscalatingDecoder with a fallback

    Raises
    ------
    CascadeError
        For an unknown name, a damaged file, an unusable device, a circuit of another code, or a fallback that is
        unknown, not installed, or cannot decode the circuit.

    Examples
    --------
    >>> import cascade_qec as cascade
    >>> noise = cascade.circuits.UniformDepolarizing(0.003)
    >>> circuit = cascade.circuits.memory(cascade.codes.get("surface_d3"), rounds=3, noise=noise)
    >>> detection_events, flips = circuit.compile_detector_sampler().sample(100, separate_observables=True)
    >>> decoder = cascade.load("surface_d3", circuit=circuit, device="cpu")
    >>> decoder.decode_batch(detection_events).observables.shape
    (100, 1)
    """
    if (fallback is None) != (below is None):
        raise CascadeError(f"expected fallback and below together, got fallback = {fallback!r} and below = {below!r}")
    network, description = load_model(registry.path(model))
    decoder = CascadeDecoder(network, description, device=device, precision=precision)
    if fallback is None or below is None:
        return decoder if circuit is None else decoder.for_circuit(circuit)
    escalated = EscalatingDecoder(decoder, fallback_decoder(fallback, decoder.code), below)
    return escalated if circuit is None else escalated.for_circuit(circuit)


class CascadeDecoder:
    """A network and the experiment whose shots it decodes. Made by `load`.

    Attributes
    ----------
    description : ModelDescription
        What the weights' file says: name, code, rounds and noise of training, network.
    code : CSSCode
    lattice : Lattice
        Where the detectors of the bound experiment sit.
    observables : ObservableMap
        What the observables of the bound experiment are in those of the code.
    recognition : Recognition or None
        What is known of the circuit that the decoder is bound to; None where it is bound to its own experiment.
    device, dtype
        Where and in what precision the network runs.
    """

    def __init__(
        self,
        network: CascadeNetwork,
        description: ModelDescription,
        *,
        recognition: Recognition | None = None,
        device: str = "auto",
        precision: str = "auto",
    ) -> None:
        self.device = pick_device(device)
        self.dtype = pick_dtype(precision, self.device)
        self.description = description
        self.code = codes.get(description.code)
        self.network = network.to(self.device).eval()
        self._precision = precision
        if recognition is None:
            self._bind(memory_lattice(self.code, description.rounds, description.bases[0]))
        else:
            self._warn_of(recognition)
            self._bind(recognition.lattice, recognition)

    @classmethod
    def untrained(cls, code: str, *, width: int = 16, depth: int = 2, seed: int = 0) -> CascadeDecoder:
        """A decoder with random weights, for trying out formats and interfaces."""
        family = codes.get(code)
        settings = NetworkSettings(
            width=width, depth=depth, convolution="direct" if family.family == "surface" else "bipartite"
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = CascadeNetwork(family, settings).requires_grad_(False)
            torch.nn.init.normal_(network.head.output)
        description = ModelDescription(
            name=f"{code}_untrained",
            code=code,
            rounds=family.d or 3,
            bases=["Z", "X"],
            noise_p=0.005,
            network=settings,
        )
        return cls(network, description)

    def save(self, path: str | Path) -> None:
        """Write weights and description as a safetensors file that `load` reads."""
        with written_whole(Path(path)) as file:
            file.write(model_bytes(self.network, self.description))

    def experiment(self, p: float, *, rounds: int | None = None, basis: Basis = "Z") -> stim.Circuit:
        """A memory experiment of this decoder's code under its training noise model; binds the decoder to it.

        Parameters
        ----------
        p
            Noise strength.
        rounds
            Rounds of syndrome extraction; the rounds of training, which is d, by default. The network runs on any
            number, but has learnt one: others come with a `CascadeWarning`.
        basis
            "Z" or "X".
        """
        rounds = self.description.rounds if rounds is None else rounds
        noise = circuits.noise_model(self.description.noise_model, p)
        circuit = circuits.memory(self.code, rounds=rounds, basis=basis, noise=noise)
        self._check_basis(basis)
        lattice = memory_lattice(self.code, rounds, basis)
        if lattice is not self.lattice:
            self._bind(lattice)
        return circuit

    def for_circuit(self, circuit: stim.Circuit | stim.DetectorErrorModel | str | Path) -> CascadeDecoder:
        """A decoder with the same weights bound to the detectors and observables of a circuit or error model.

        Parameters
        ----------
        circuit
            A memory experiment of this decoder's code that any tool made, or the path of a file of it (an error model
            by its ending .dem). Order and coordinates of the detectors, schedule, gates, basis and logical
            representatives may be others than ours; see `cascade_qec.recognition`.

        Raises
        ------
        CascadeError
            If it is no such experiment, or of a basis that the model was not trained for.
        """
        recognition = recognise(read_experiment(circuit), self.code, self.description.bases)
        if len(recognition.parts) > 1:
            raise CascadeError("expected an experiment of one basis, got one that keeps the logical operators of both")
        return CascadeDecoder(
            self.network, self.description, recognition=recognition, device=str(self.device), precision=self._precision
        )

    bind = for_circuit

    @property
    def name(self) -> str:
        return f"cascade:{self.description.name}"

    @property
    def num_observables(self) -> int:
        """Observables of the bound experiment: columns of predictions."""
        return len(self.observables.logicals)

    def decode_batch(self, detection_events: NDArray, *, bit_packed: bool = False) -> NetworkResult:
        """Decode a batch of any size, a piece at a time; each shot's result is its own, whatever surrounds it.

        The network is asked about all logical operators that look to it like the code's observables (parallel lines, on
        a torus all that are no heavier), and the likeliest joint value of the observables is predicted.

        Parameters
        ----------
        detection_events
            bool [shots, detectors], or with `bit_packed` uint8 [shots, ceil(detectors / 8)], bit 0 of byte 0
            being detector 0 (as `stim` packs).
        bit_packed
            Whether the input is packed.

        Raises
        ------
        CascadeError
            If the array is of another shape or type; the message gives both.
        """
        whose = f"model {self.description.name} ({self.lattice.rounds} rounds, basis {self.lattice.basis})"
        events = checked(detection_events, self.lattice.detectors, bit_packed, whose=whose)
        observables = np.empty((len(events), self.num_observables), dtype=np.bool_)
        probabilities = np.empty((len(events), self.num_observables), dtype=np.float32)
        confidence = np.empty(len(events), dtype=np.float32)
        for start in range(0, len(events), self._chunk):
            chunk = events[start : start + self._chunk]
            if bit_packed:
                chunk = np.unpackbits(chunk, axis=1, count=self.lattice.detectors, bitorder="little").view(bool)
            packed = np.packbits(chunk, axis=1, bitorder="little")
            shots = slice(start, start + self._chunk)
            with torch.inference_mode():
                states, _ = self._unpacking(packed)
                logits = self.network(states, self._geometry, self.dtype)
                evidence = logits * (1 - 2 * self._questions.parities(states))
                decided, probability, sure = (x.cpu().numpy() for x in self._decision(evidence))
            turned = self.observables.turned(chunk)
            observables[shots], confidence[shots] = decided ^ turned, sure
            probabilities[shots] = np.where(turned, 1 - probability, probability)
        return NetworkResult(observables, probabilities, confidence)

    def _bind(self, lattice: Lattice, recognition: Recognition | None = None) -> None:
        if lattice.rounds != self.description.rounds:
            warnings.warn(
                f"model {self.description.name} was trained on {self.description.rounds} rounds and is bound to an "
                f"experiment with {lattice.rounds}: expect it to be less accurate than its card says",
                CascadeWarning,
                stacklevel=3,
            )
        self.lattice, self.recognition = lattice, recognition
        identity = ObservableMap.identity(self.code.k, lattice.detectors)
        self.observables = identity if recognition is None else recognition.observables
        operators = self.description.operators
        self._geometry = Geometry([lattice], self.network.settings.convolution, operators).to(self.device)
        asked = logical_operators(self.code, lattice.basis, operators)
        self._unpacking = Unpacking([lattice]).to(self.device)
        self._questions = Questions([lattice], operators).to(self.device)
        self._decision = Decision(asked.logicals, self.observables.logicals).to(self.device)
        per_shot = max(lattice.sites, len(asked.support)) * self.network.settings.width
        budget = _CHUNK_ACTIVATIONS[self.device.type]
        self._chunk = max(1, min(_MAX_CHUNK_SHOTS, budget // per_shot))

    def _warn_of(self, found: Recognition) -> None:
        """Tell in what the circuit differs from those of training."""
        name, trained = self.description.name, self.description.noise_p
        differences = []
        if found.missing:
            own = f", {found.missing_own} of them of the experiment's basis" if found.missing_own else ""
            differences.append(f"{found.missing} detectors of training are missing and taken for silent{own}")
        if found.strength > _STRONG * trained:
            differences.append(
                f"its noise is as strong as p = {found.strength:.2g}, and the model was trained up to p = {trained:.2g}"
            )
        if found.strength and found.agreement < _FAMILIAR:
            differences.append(
                f"{100 * (1 - found.agreement):.0f} % of its noise is of kinds that training had not (another order of "
                "gates, say)"
            )
        if differences:
            warnings.warn(
                f"model {name} fits the circuit, but {', and '.join(differences)}: expect it to be less accurate than "
                "its card says",
                CascadeWarning,
                stacklevel=4,
            )

    def _check_basis(self, basis: str) -> None:
        if basis not in self.description.bases:
            bases = " and ".join(self.description.bases)
            raise CascadeError(f"model {self.description.name} was trained for basis {bases}, got basis {basis}")
