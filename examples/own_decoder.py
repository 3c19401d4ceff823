"""A decoder of your own, measured beside others on the same shots.

All it takes is `bind` and `decode_batch`: comparisons, collections, latencies, escalation and sinter do the rest.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np
import stim
from numpy.typing import NDArray

import cascade_qec as cascade
from cascade_qec.decoders import DecodeResult
from cascade_qec.evaluation.comparison import Experiment, compare

SHOTS = 20_000
P = 0.005


class Lookup:
    """Remembers for each syndrome of many simulated shots which observables flipped most often."""

    name = "lookup"

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> "BoundLookup":
        dem = experiment.detector_error_model() if isinstance(experiment, stim.Circuit) else experiment
        events, flips, _ = dem.compile_sampler(seed=1).sample(200_000, bit_packed=True)
        seen: dict[bytes, Counter[bytes]] = defaultdict(Counter)
        for (shot, flipped), times in Counter(zip(_rows(events), _rows(flips), strict=True)).items():
            seen[shot][flipped] += times
        return BoundLookup({shot: votes.most_common(1)[0][0] for shot, votes in seen.items()}, dem.num_observables)


class BoundLookup:
    """The table for one experiment; no flip for syndromes that it has not seen."""

    def __init__(self, table: Mapping[bytes, bytes], observables: int) -> None:
        self.table, self.observables = table, observables

    def decode_batch(self, detection_events: NDArray, *, bit_packed: bool = False) -> DecodeResult:
        shots = detection_events if bit_packed else np.packbits(detection_events, axis=1, bitorder="little")
        none = bytes(-(-self.observables // 8))
        found = b"".join(self.table.get(shot, none) for shot in _rows(shots))
        packed = np.frombuffer(found, np.uint8).reshape(len(shots), len(none))
        return DecodeResult(np.unpackbits(packed, axis=1, count=self.observables, bitorder="little").view(np.bool_))


def _rows(packed: NDArray) -> list[bytes]:
    return np.ascontiguousarray(packed).view(f"V{packed.shape[1]}")[:, 0].tolist()


def main() -> None:
    """Print failures and times of three decoders of the distance-3 surface code."""
    model = cascade.load("surface_d3", device="cpu")
    circuits = {basis: model.experiment(P, basis=basis) for basis in ("Z", "X")}
    experiment = Experiment("surface_d3", P, model.description.rounds, circuits)
    decoders = {decoder.name: decoder for decoder in (Lookup(), model, cascade.decoders.get("pymatching"))}
    for row in compare(experiment, decoders, shots=SHOTS, seed=1):
        print(
            f"{row.decoder:20} {row.failures:5} of {row.shots} shots failed, {row.microseconds_per_shot:.1f} µs a shot"
        )


if __name__ == "__main__":
    main()
