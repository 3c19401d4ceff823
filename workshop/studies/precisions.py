"""What decoding in fewer bits loses: on GPUs, emulated on a CPU where there is none, or by the native kernels.

Writes results/gpu_precisions.csv or results/native_precisions.csv.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

import cascade_qec as cascade
from cascade_qec.decoders.runtime import Precision, Runtime
from cascade_qec.tables import write_rows
from workshop import RESULTS
from workshop.studies.onnx_precisions import Loss, P, loss_rows

SEED, CHUNK = 31, 500
OF_RUNTIME: dict[str, tuple[Precision, ...]] = {
    "torch": ("float32", "bfloat16", "float16", "fp8"),
    "native": ("float32", "bfloat16", "int8"),
}


def losses(model: str, shots: int, runtime: str, device: str) -> list[Loss]:
    """Decode the same shots, as many of either basis, in every precision."""
    failed = {}
    for precision in OF_RUNTIME[runtime]:
        decoder = cascade.load(model, device=device, runtime=runtime)
        decoder.runtime = Runtime(runtime, device, precision)  # which a CPU would be refused
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
    out = asked.out or RESULTS / f"{'gpu' if asked.runtime == 'torch' else 'native'}_precisions.csv"
    write_rows(out, [row for model in asked.models for row in losses(model, asked.shots, asked.runtime, asked.device)])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", type=int, default=4000, help="of each model, both bases together")
    parser.add_argument("--models", nargs="+", default=["surface_d5", "bb72"])
    parser.add_argument("--runtime", choices=list(OF_RUNTIME), default="torch")
    parser.add_argument("--device", help="of PyTorch; default: cuda where there is one")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    on_gpu = asked.runtime == "torch" and torch.cuda.is_available()
    asked.device = asked.device or ("cuda" if on_gpu else "cpu")
    return asked


if __name__ == "__main__":
    main()
