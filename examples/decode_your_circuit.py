"""Decode shots of a circuit that Cascade did not make, beside PyMatching.

python examples/decode_your_circuit.py [SHOTS]
"""

import sys

import numpy as np
import pymatching
import stim

import cascade_qec as cascade

shots = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000

# Yours: any memory experiment of a surface code or a bivariate bicycle code, from any tool.
circuit = stim.Circuit.generated(
    "surface_code:rotated_memory_z",
    distance=5,
    rounds=5,
    after_clifford_depolarization=0.003,
    before_round_data_depolarization=0.003,
    before_measure_flip_probability=0.003,
    after_reset_flip_probability=0.003,
)
events, flips = circuit.compile_detector_sampler(seed=1).sample(shots, separate_observables=True)

result = cascade.load("surface_d5", circuit=circuit).decode_batch(events)
matching = pymatching.Matching.from_detector_error_model(circuit.detector_error_model(decompose_errors=True))

wrong = np.any(result.observables != flips, axis=1)
sure = result.confidence > 0.99
print(f"cascade: {wrong.mean():.2%} of {shots} shots wrong; of the {sure.mean():.1%} surest, {wrong[sure].mean():.2%}")
print(f"pymatching: {np.any(matching.decode_batch(events) != flips, axis=1).mean():.2%} wrong")
