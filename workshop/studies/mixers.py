"""Convolution or attention? Networks of one size that differ in what mixes sites: results/mixers.csv.

    python -m workshop.studies.mixers --runs runs/mixers --minutes 60

All networks have one width, depth and head, see the same shots, and have about as many parameters. They train from
three seeds, and from one of them once more at a third of the learning rate, which was chosen for convolutions.
"""

import sys
from collections.abc import Mapping
from typing import Any

from cascade_qec.errors import CascadeError
from workshop import RESULTS
from workshop.roofline.costs import Architecture
from workshop.studies.small_runs import RATE, Run, recipe, study

TABLE = RESULTS / "mixers.csv"
CODE, WIDTH, DEPTH, STEPS = "surface_d5", 16, 4, 600
MIXERS: Mapping[Architecture, dict[str, Any]] = {
    "convolution": {},
    # four products of C by C cost as many parameters at C = H / 2 as 27 do at H / 4
    "local_attention": {"mixer": "local_attention", "bottleneck": 2},
    "full_attention": {"mixer": "full_attention", "bottleneck": 2},
    "depthwise": {"depthwise": True, "bottleneck": 2},
}


def runs() -> list[Run]:
    """Seed after seed, so that mixers can be compared early on."""
    found = []
    for seed, rate, suffix in ((1, RATE, ""), (2, RATE, ""), (3, RATE, ""), (1, RATE / 3, "_slow")):
        for mixer, settings in MIXERS.items():
            network = {"width": WIDTH, "depth": DEPTH} | settings
            made = recipe(f"{mixer}_{seed}{suffix}", CODE, seed, network, steps=STEPS, rate=rate)
            found.append(Run(mixer, made, mixer))
    return found


if __name__ == "__main__":
    try:
        study(__doc__ or "", TABLE, runs(), ["pymatching", "pymatching-correlated", "tesseract"])
    except CascadeError as error:
        sys.exit(f"error: {error}")
