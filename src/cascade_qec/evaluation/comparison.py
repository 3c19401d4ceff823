"""Several decoders on the same shots of an experiment."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec import circuits, codes
from cascade_qec.codes import Basis
from cascade_qec.decoders.bound import decode_chosen
from cascade_qec.decoders.protocol import BoundDecoder, Decoder, settings
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.tables import Row
from cascade_qec.statistics import failures
from cascade_qec.tables import as_html

CASCADE = "cascade"
"""What tables call the model itself."""


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

    @classmethod
    def memory(cls, code: str, p: float, rounds: int, bases: Iterable[Basis], noise_model: str) -> Experiment:
        """A code's memory experiment under a noise model."""
        noise = circuits.noise_model(noise_model, p)
        made = {basis: circuits.memory(codes.get(code), rounds=rounds, basis=basis, noise=noise) for basis in bases}
        return cls(code, p, rounds, made)

    @property
    def k(self) -> int:
        """Observables, one for each logical qubit."""
        return next(iter(self.circuits.values())).num_observables


class Comparison(list[Row]):
    """Rows of several decoders, which notebooks show as a table."""

    def _repr_html_(self) -> str:
        head = ("decoder", "code", "p", "rounds", "failures", "block error", "95 %", "µs a shot")
        rows = [
            (
                row.decoder,
                row.code,
                f"{row.p:g}",
                row.rounds,
                f"{row.failures:,} / {row.shots:,}",
                *row.block_error.texts(),
                f"{row.microseconds_per_shot:.3g}",
            )
            for row in self
        ]
        return as_html("decoders on the same shots", head, rows)


def compare(
    experiment: Experiment,
    decoders: Mapping[str, Decoder],
    *,
    shots: int,
    seed: int,
    seconds: Mapping[str, float] | None = None,
    report: Callable[[float], None] = lambda done: None,
) -> Comparison:
    """Decode the same shots with each decoder.

    The shots are shared out evenly among the experiment's bases, and so is a decoder's time. One that runs out of
    time has decoded the first of the shots that the others decoded, and its row tells how many.

    Parameters
    ----------
    decoders
        Who decodes it, by the names that they shall have in the table.
    shots
        Shots over all bases; rounded up to a multiple of the number of bases.
    seconds
        Decoding time of those decoders that have a limit. Shots that remain after it are left out.
    report
        Called now and then with the fraction of the comparison that is done.

    Returns
    -------
    Comparison
        A list of rows, one for each decoder, in their order.

    Raises
    ------
    CascadeError
        If there is less than one shot, no time for a decoder, or one that cannot decode the experiment.
    """
    if shots < 1:
        raise CascadeError(f"expected at least 1 shot, got {shots}")
    limits = dict.fromkeys(decoders, math.inf) | dict(seconds or {})
    for name, limit in limits.items():
        if not limit > 0:
            raise CascadeError(f"{name}: expected seconds > 0 to decode in, got {limit}")
    bases, parts = len(experiment.circuits), len(experiment.circuits) * len(decoders)
    tallies = {name: _Tally() for name in decoders}
    for b, circuit in enumerate(experiment.circuits.values()):
        sampler = circuit.compile_detector_sampler(seed=_stream(seed, b))
        dets, observables = sampler.sample(-(-shots // bases), separate_observables=True)
        for c, (name, decoder) in enumerate(decoders.items()):
            begun = b * len(decoders) + c
            tallies[name].decode(
                decoder.bind(circuit),
                dets,
                observables,
                seconds=limits[name] / bases,
                report=lambda part, begun=begun: report((begun + part) / parts),
            )
    return Comparison(
        Row(
            code=experiment.code,
            p=experiment.p,
            rounds=experiment.rounds,
            bases="".join(experiment.circuits),
            k=experiment.k,
            decoder=name,
            parameters=settings(decoders[name]),
            shots=tally.shots,
            failures=tally.failures,
            microseconds_per_shot=1e6 * tally.seconds / tally.shots,
            seed=seed,
        )
        for name, tally in tallies.items()
    )


def _stream(seed: int, index: int) -> int:
    # Stim takes seeds below 2^63.
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0] >> np.uint64(1))


@dataclass
class _Tally:
    """What a decoder has done so far."""

    shots: int = 0
    failures: int = 0
    seconds: float = 0.0

    def decode(
        self,
        decoder: BoundDecoder,
        dets: NDArray[np.bool_],
        observables: NDArray[np.bool_],
        *,
        seconds: float,
        report: Callable[[float], None],
    ) -> None:
        decoder.decode_batch(dets[:1])  # the first call may load, compile or allocate
        done, elapsed = 0, 0.0
        while done < len(dets) and elapsed < seconds:
            # Short chunks first: the speed that one is planned with was seen on a quarter as many shots.
            affordable = (seconds - elapsed) * done / elapsed if elapsed else 1
            chunk = slice(done, done + int(max(1, min(4 * done, affordable, len(dets) - done))))
            began = time.perf_counter()
            predictions = decode_chosen(decoder, dets[chunk]).observables
            elapsed += time.perf_counter() - began
            self.failures += failures(predictions, observables[chunk])
            done += len(predictions)
            report(max(done / len(dets), min(1.0, elapsed / seconds)))
        self.shots += done
        self.seconds += elapsed
        report(1.0)
