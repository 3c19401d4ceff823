"""Train a small decoder in about a minute, and compare it with PyMatching.

python examples/train_a_model.py [STEPS]
"""

import sys
from pathlib import Path

import cascade_qec as cascade
from cascade_qec.decoders import get
from cascade_qec.evaluation import Experiment, compare
from cascade_qec.training import Recipe, Trainer


def main(steps: int) -> None:
    recipe = Recipe.model_validate(
        {
            "name": "quick",
            "code": "surface_d3",
            "rounds": 3,
            "network": {"width": 32, "depth": 2, "convolution": "direct"},
            "noise": {"p": 0.006, "start": 0.002, "hold_steps": steps // 10, "ramp_steps": steps // 5},
            "optimizer": {"steps": steps, "muon_lr": 0.02, "lion_lr": 2e-3, "warmup_steps": steps // 10, "ema": 0.99},
            "batch": {"shots": 128},
            "validation": {"p": [0.005], "shots": 2000, "every": max(100, steps // 4)},
        }
    )
    Trainer(recipe, Path("runs/quick")).run()  # into this folder, which must be new

    model = "runs/quick/quick.safetensors"
    circuit = cascade.load(model).experiment(p=0.005)
    decoders = {"quick": get(f"cascade:{model}"), "pymatching": get("pymatching")}
    for row in compare(Experiment("surface_d3", 0.005, 3, {"Z": circuit}), decoders, shots=10_000, seed=1):
        print(f"{row.decoder}: {row.failures} of {row.shots} shots wrong")


if __name__ == "__main__":  # shots are sampled in another process, which reads this file too
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 600)
