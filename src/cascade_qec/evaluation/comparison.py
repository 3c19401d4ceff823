"""Several decoders on the same shots of an experiment."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.classical import require
from cascade_qec.decoders.classical_models import compile_for
from cascade_qec.decoders.classical_protocol import ClassicalDecoder
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.tables import Row
from cascade_qec.statistics import failures

CASCADE = "cascade"
"""What tables call the model itself."""


class Predictor(Protocol):
    """Anything that turns detection events into observables."""

    def predict(self, dets: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Map detection events bool [shots, detectors] to predicted flips bool [shots, k]."""
        ...


@dataclass(frozen=True)
class Contender:
    """A decoder that takes part in a comparison.

    Attributes
    ----------
    name
        As it shall stand in the table.
    bind
        Prepares the decoder for the shots of a circuit.
    parameters
        Its settings, as text.
    seconds
        Decoding time that it may use in one comparison; shots that remain after it are left out.

    Raises
    ------
    CascadeError
        If ``seconds`` is not positive.
    """

    name: str
    bind: Callable[[stim.Circuit], Predictor]
    parameters: str = ""
    seconds: float = math.inf

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise CascadeError(f"{self.name}: expected seconds > 0 to decode in, got {self.seconds}")


def classical_contender(decoder: ClassicalDecoder, *, seconds: float = math.inf) -> Contender:
    """Let a classical decoder take part, with the error model of the circuit itself.

    Raises
    ------
    CascadeError
        If the decoder's package is not installed.
    """
    require(decoder)

    def bind(circuit: stim.Circuit) -> Predictor:
        return compile_for(decoder, circuit)

    return Contender(decoder.name, bind, parameters_text(decoder.parameters), seconds)


def parameters_text(parameters: Mapping[str, object]) -> str:
    """A decoder's settings as tables have them."""
    return ", ".join(f"{name}={value}" for name, value in parameters.items())


class _Result(Protocol):
    @property
    def observables(self) -> NDArray[np.bool_]: ...


class CascadeLike(Protocol):
    """What a comparison needs of the decoder that :func:`cascade_qec.load` returns."""

    def for_circuit(self, circuit: stim.Circuit, /) -> "CascadeLike": ...
    def decode_batch(self, dets: NDArray[np.bool_], /) -> _Result: ...


@dataclass(frozen=True)
class _CascadePredictor:
    decoder: CascadeLike

    def predict(self, dets: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return self.decoder.decode_batch(dets).observables


def cascade_contender(name: str, decoder: CascadeLike, *, seconds: float = math.inf) -> Contender:
    """Let what :func:`cascade_qec.load` returned take part."""

    def bind(circuit: stim.Circuit) -> Predictor:
        return _CascadePredictor(decoder.for_circuit(circuit))

    return Contender(name, bind, seconds=seconds)


@dataclass(frozen=True)
class Experiment:
    """A memory experiment, in one or more bases whose shots are pooled.

    Attributes
    ----------
    code, p, rounds
        What it is called in the table.
    circuits
        The noisy circuit of each basis.
    """

    code: str
    p: float
    rounds: int
    circuits: Mapping[str, stim.Circuit]

    def __post_init__(self) -> None:
        counts = {circuit.num_observables for circuit in self.circuits.values()}
        if len(counts) != 1 or counts == {0}:
            raise CascadeError(
                f"{self.code}: expected circuits with one number of observables, not 0; got {sorted(counts)}"
            )

    @property
    def k(self) -> int:
        """Observables, one for each logical qubit."""
        return next(iter(self.circuits.values())).num_observables


def compare(
    experiment: Experiment,
    contenders: Sequence[Contender],
    *,
    shots: int,
    seed: int,
    report: Callable[[float], None] = lambda done: None,
) -> list[Row]:
    """Decode the same shots with each contender.

    The shots are shared out evenly among the experiment's bases, and so is a contender's time. One that runs
    out of time has decoded the first of the shots that the others decoded, and its row tells how many.

    Parameters
    ----------
    experiment, contenders
        What is decoded, and by whom.
    shots
        Shots over all bases; rounded up to a multiple of the number of bases.
    seed
        Seed of the shots.
    report
        Called now and then with the fraction of the comparison that is done.

    Returns
    -------
    list of Row
        One for each contender, in their order.

    Raises
    ------
    CascadeError
        If ``shots`` is below 1, or a contender cannot decode the experiment.
    """
    if shots < 1:
        raise CascadeError(f"expected at least 1 shot, got {shots}")
    bases = len(experiment.circuits)
    tallies = [_Tally() for _ in contenders]
    for b, circuit in enumerate(experiment.circuits.values()):
        sampler = circuit.compile_detector_sampler(seed=_stream(seed, b))
        dets, observables = sampler.sample(-(-shots // bases), separate_observables=True)
        for c, (contender, tally) in enumerate(zip(contenders, tallies, strict=True)):
            begun = b * len(contenders) + c
            tally.decode(
                contender.bind(circuit),
                dets,
                observables,
                seconds=contender.seconds / bases,
                report=lambda part, begun=begun: report((begun + part) / (bases * len(contenders))),
            )
    return [
        Row(
            code=experiment.code,
            p=experiment.p,
            rounds=experiment.rounds,
            bases="".join(experiment.circuits),
            k=experiment.k,
            decoder=contender.name,
            parameters=contender.parameters,
            shots=tally.shots,
            failures=tally.failures,
            microseconds_per_shot=1e6 * tally.seconds / tally.shots,
            seed=seed,
        )
        for contender, tally in zip(contenders, tallies, strict=True)
    ]


def _stream(seed: int, index: int) -> int:
    # Stim takes seeds below 2^63.
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0] >> np.uint64(1))


@dataclass
class _Tally:
    """What a contender has done so far."""

    shots: int = 0
    failures: int = 0
    seconds: float = 0.0

    def decode(
        self,
        predictor: Predictor,
        dets: NDArray[np.bool_],
        observables: NDArray[np.bool_],
        *,
        seconds: float,
        report: Callable[[float], None],
    ) -> None:
        predictor.predict(dets[:1])  # the first call may load, compile or allocate
        done, elapsed = 0, 0.0
        while done < len(dets) and elapsed < seconds:
            # Short chunks first: the speed that one is planned with was seen on a quarter as many shots.
            affordable = (seconds - elapsed) * done / elapsed if elapsed else 1
            chunk = slice(done, done + int(max(1, min(4 * done, affordable, len(dets) - done))))
            began = time.perf_counter()
            predictions = predictor.predict(dets[chunk])
            elapsed += time.perf_counter() - began
            self.failures += failures(predictions, observables[chunk])
            done += len(predictions)
            report(max(done / len(dets), min(1.0, elapsed / seconds)))
        self.shots += done
        self.seconds += elapsed
        report(1.0)
