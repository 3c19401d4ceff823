"""Local models: a network says how likely every component of the noise is, and a classical search decides by that.

One set of weights serves any number of rounds, and of planar and toric codes every distance.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec import codes
from cascade_qec.codes import Basis
from cascade_qec.components import UNKNOWN, Components, ComponentType, Priors, decides
from cascade_qec.decoders import events
from cascade_qec.decoders.bound import Bound
from cascade_qec.decoders.bound_cascade import program, result_of
from cascade_qec.decoders.cascade import CascadeDecoder, Source
from cascade_qec.decoders.plausibility import ShotCheck
from cascade_qec.decoders.result import NetworkResult
from cascade_qec.decoders.unlike_training import hidden
from cascade_qec.engine import Decided, LocalTables
from cascade_qec.error_models import Mechanisms, error_model, unlikely
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.lattice import Lattice, memory_lattice
from cascade_qec.recognition import Recognition, read_experiment, recognise_any

_SHOTS = 1024
"""Shots whose components' log-odds are in memory at a time."""

_UNFAMILIAR = 0.01
"""Share of the noise, by probability, that may be of types that training had not, without a warning."""


class LocalDecoder(CascadeDecoder):
    """A trained local model, for any number of rounds of codes that are locally like its own. Made by `load`."""

    def bind(
        self, experiment: Source | None = None, /, *, rounds: int | None = None, basis: Basis | None = None
    ) -> BoundLocal:
        """Make ready for the shots of an experiment. The decoder stays as it was; the network is shared.

        Parameters
        ----------
        experiment
            A memory experiment, by any tool, of a code that is locally like the model's: a circuit or error model, its
            text, or the path of a file of it. The posteriors are those of its own error model's components.
        rounds, basis
            Instead of it: those of an experiment of the code, with the noise, of training.

        Raises
        ------
        CascadeError
            If it is no such experiment.

        Warns
        -----
        CascadeWarning
            If more than a little of its noise is of types that training had not: those keep their prior probability. If
            detectors are missing, or those of heralds are ignored; if errors fit the code in several ways, or flip an
            observable and no detector.
        """
        if experiment is None:
            chosen = self.description.bases[0] if basis is None else basis
            source = self.experiment(self.description.noise_p, rounds=rounds, basis=chosen)
            own = memory_lattice(self.code, self.description.rounds if rounds is None else rounds, chosen)
            return BoundLocal(self, [own], error_model(source))
        if rounds is not None or basis is not None:
            raise CascadeError("expected an experiment, or the rounds and basis of the decoder's own, got both")
        source = read_experiment(experiment)
        found = recognise_any(source, self.code, self.description.serves)
        code = codes.get(found.lattice.code.name)
        if not self.description.serves(code):
            raise CascadeError(
                f"model {self.description.name} decodes codes that are locally like {self.code.name}, "
                f"got an experiment of {code.name}"
            )
        dem = error_model(source) if isinstance(source, stim.Circuit) else source
        bound = BoundLocal(self, [part.lattice for part in found.parts], dem, found)
        name, strange = self.description.name, max(part.unfamiliar for part in bound.parts)
        if strange > _UNFAMILIAR:
            warnings.warn(
                f"model {name} does not know {100 * strange:.0f} % of the circuit's noise by its type "
                "(another order of gates, say): the network leaves it as likely as the circuit says",
                CascadeWarning,
                stacklevel=2,
            )
        if differences := hidden(found):
            warnings.warn(
                f"model {name} fits the circuit, but {', and '.join(differences)}: expect it to be less accurate than "
                "its card says",
                CascadeWarning,
                stacklevel=2,
            )
        return bound


class BoundLocal(Bound[NetworkResult]):
    """A local model that is ready for the shots of one experiment. Made by `LocalDecoder.bind` or `load`.

    How sure it is comes from the gap between its answer and the next likely one, by the model's calibration.

    Attributes
    ----------
    decoder : LocalDecoder
    recognition : Recognition or None
        None for an experiment of the decoder's own.
    runtime : Runtime
        What runs the network, on which device and in what precision.
    mechanisms : Mechanisms
        Of the experiment's error model, as they are where none is likelier than not.
    parts : list of LocalPart
        One, or one for each basis where the experiment keeps the logical operators of both.
    """

    def __init__(
        self,
        decoder: LocalDecoder,
        lattices: Sequence[Lattice],
        dem: stim.DetectorErrorModel,
        recognition: Recognition | None = None,
    ) -> None:
        self.decoder, self.recognition, self.runtime = decoder, recognition, decoder.runtime
        self._lattices, self._dem = lattices, dem
        likely, self.flips = unlikely(dem)
        self.mechanisms, types = Mechanisms.of(likely), decoder.description.components or []
        self.parts = [
            LocalPart.of(decoder, types, lattice, mechanisms)
            for lattice, mechanisms in zip(lattices, _of_parts(self.mechanisms, recognition), strict=True)
        ]
        self.num_detectors, self.num_observables = dem.num_detectors, dem.num_observables
        basis = " and ".join(lattice.basis for lattice in lattices)
        of, rounds = lattices[0].code.name, lattices[0].rounds
        self.name = f"model {decoder.description.name} ({of}, {rounds} rounds, basis {basis})"
        self.check = ShotCheck(dem, self.name, strength_known=True)

    @property
    def tells_confidence(self) -> bool:
        """Whether results have log-odds and probabilities: of a calibrated model, where there are two answers."""
        return self.decoder.description.calibration is not None and all(part.tells_gaps for part in self.parts)

    def _decode(self, detection_events: NDArray[Any], bit_packed: bool) -> NetworkResult:
        self.decoder.mind_forks()
        packed = detection_events if bit_packed else events.packed(detection_events)
        calibration = self.decoder.description.calibration if self.tells_confidence else None
        return result_of([part.decide(packed, gaps=calibration is not None) for part in self.parts], calibration)

    def __reduce__(self) -> tuple[Callable[..., BoundLocal], tuple[object, ...]]:
        return BoundLocal, (self.decoder, self._lattices, self._dem, self.recognition)


def _of_parts(mechanisms: Mechanisms, found: Recognition | None) -> list[Mechanisms]:
    """The mechanisms for each part, which flip the observables of that part alone.

    Raises
    ------
    CascadeError
        If an observable is of more than one part: what an error flips does not say in which.
    """
    if found is None or len(found.parts) == 1:
        return [mechanisms]
    maps = [part.observables for part in found.parts]
    of = np.array([each.logicals.any(axis=1) | each.detectors.any(axis=1) for each in maps])
    if (of.sum(axis=0) > 1).any():
        number = int(np.argmax(of.sum(axis=0) > 1))
        raise CascadeError(
            "expected each observable of an experiment of both bases to be of one of them, as local models decode each "
            f"basis by itself, got observable {number}, of both; models that are not local decode it"
        )
    return [replace(mechanisms, observables=mechanisms.observables * own) for own in of]


class LocalPart:
    """The network's tables for one memory experiment, or a window of it, and what decides by its posteriors.

    Parameters
    ----------
    components
        Of the experiment's own error model.
    noise : float32 [sites, told] or None
        What a model that is told the noise is told.

    Attributes
    ----------
    lattice : Lattice
    components : Components
    unfamiliar : float
        Share of them, by probability, of types that the model does not know.
    unknown : bool [components]
        Which are of no known type.
    prior_log_odds : float32 [components]
        Log-odds of each one before any event, which those keep.
    noise : float32 [sites, told] or None
    told_log_odds : float32 [components]
        By how much the noise makes each likelier than the model's usual noise does, if it is told so; else 0.
    tells_gaps : bool
        Whether `decide` can say by how much it decides.
    """

    def __init__(
        self, decoder: LocalDecoder, lattice: Lattice, components: Components, noise: NDArray[np.float32] | None
    ) -> None:
        self.lattice, self.components, self.noise = lattice, components, noise
        self.unknown = components.type == UNKNOWN
        prior = components.prior
        self.unfamiliar = float(prior[self.unknown].sum() / prior.sum()) if prior.any() else 0.0
        with np.errstate(divide="ignore"):
            self.prior_log_odds = np.log(prior / (1 - prior)).astype(np.float32)
        self.told_log_odds = np.zeros_like(self.prior_log_odds)
        if noise is not None:
            self.told_log_odds = np.where(self.unknown, 0, noise[components.owner, components.type])
        self._program = program(decoder, lattice, LocalTables.of(components), noise)
        self._decides = decides(components)
        self.tells_gaps = self._decides.tells_gaps

    @classmethod
    def of(
        cls, decoder: LocalDecoder, types: Sequence[ComponentType], lattice: Lattice, mechanisms: Mechanisms
    ) -> LocalPart:
        """That of a whole experiment; `types` are those that the model knows."""
        noise, usual = None, decoder.description.told
        if usual is not None:
            priors = Priors.of(mechanisms, lattice, [type for type, *_ in usual])
            noise = priors.at_sites(mechanisms.probability, usual)
        return cls(decoder, lattice, Components.of(mechanisms, lattice, types), noise)

    def log_odds(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Of each component that it is flipped, float32 [shots, components], from uint8 [shots, bytes]."""
        log_odds = self._program.evidence(packed)
        if self.noise is not None:
            log_odds = log_odds + self.told_log_odds
        if not np.isfinite(log_odds).all():
            raise CascadeError("expected finite numbers from the network, got infinite ones or none at all (NaN)")
        log_odds[:, self.unknown] = self.prior_log_odds[self.unknown]
        return log_odds

    def search(self, log_odds: NDArray[np.float32], detection_events: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The observables of the likeliest components that explain the events, bool [shots, detectors]."""
        return self._decides.decode(log_odds, detection_events)

    def decide(self, packed: NDArray[np.uint8], *, gaps: bool = False) -> Decided:
        """What is decided of packed events, uint8 [shots, bytes].

        Log-odds are the gaps to the next answer, as they are; NaN where they are not asked for, or not told.
        """
        starts = range(0, max(len(packed), 1), _SHOTS)
        parts = [self._decided(packed[start : start + _SHOTS], gaps) for start in starts]
        return Decided(*map(np.concatenate, zip(*parts, strict=True)))

    def _decided(self, packed: NDArray[np.uint8], gaps: bool) -> Decided:
        log_odds, detection_events = self.log_odds(packed), events.unpacked(packed, self.lattice.detectors)
        if gaps:
            observables, suspects, gap = self._decides.decode_with_gaps(log_odds, detection_events)
            return Decided(observables, suspects.astype(np.float32), gap)
        observables = self.search(log_odds, detection_events)
        unknown = np.full(observables.shape, np.nan, dtype=np.float32)
        return Decided(observables, unknown, np.full(len(unknown), np.nan, dtype=np.float32))
