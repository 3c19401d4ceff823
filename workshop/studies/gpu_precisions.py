"""What decoding in fewer bits loses on GPUs, emulated on a CPU where there is none: results/gpu_precisions.csv."""

import argparse
from pathlib import Path

import numpy as np
import torch

import cascade_qec as cascade
from cascade_qec.decoders.runtime import PRECISIONS, Runtime
from cascade_qec.tables import write_rows
from workshop import RESULTS
from workshop.studies.onnx_precisions import Loss, P, loss_rows

SEED, CHUNK = 31, 500


def losses(model: str, shots: int, device: str) -> list[Loss]:
    """Decode the same shots, as many of either basis, in every precision."""
    failed = {}
    for precision in PRECISIONS:
        decoder = cascade.load(model, device=device, runtime="torch")
        decoder.runtime = Runtime("torch", device, precision)  # which a CPU would be refused
        parts = []
        for number, basis in enumerate(("Z", "X")):
            bound = decoder.bind(basis=basis)
            sampler = decoder.experiment(P, basis=basis).compile_detector_sampler(seed=SEED + number)
            for start in range(0, shots // 2, CHUNK):
                events, flips = sampler.sample(min(CHUNK, shots // 2 - start), separate_observables=True)
                parts.append((bound.decode_batch(events).observables != flips).any(axis=1))
        failed[precision] = np.concatenate(parts)
    return loss_rows(model, failed, SEED)


def main() -> None:
    asked = _arguments()
    write_rows(asked.out, [row for model in asked.models for row in losses(model, asked.shots, asked.device)])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", type=int, default=4000, help="of each model, both bases together")
    parser.add_argument("--models", nargs="+", default=["surface_d5", "bb72"])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=Path, default=RESULTS / "gpu_precisions.csv")
    return parser.parse_args()


if __name__ == "__main__":
    main()
