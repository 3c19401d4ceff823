"""How deep must a network be for a distance? Convolutions of several depths at several d: results/depths.csv.

python -m workshop.studies.depths --runs runs/depths --minutes 60
"""

import sys

from cascade_qec.errors import CascadeError
from workshop import RESULTS
from workshop.studies.small_runs import Run, recipe, study

TABLE = RESULTS / "depths.csv"
CODES, DEPTHS, SEEDS = ("surface_d3", "surface_d5"), (1, 2, 4), (1,)
WIDTH, STEPS = 16, 300


def runs() -> list[Run]:
    """Seed after seed, the cheapest first."""
    return [
        Run(f"depth {depth}", recipe(f"{code}_l{depth}_{seed}", code, seed, network, steps=STEPS))
        for seed in SEEDS
        for code in CODES
        for depth in DEPTHS
        for network in [{"width": WIDTH, "depth": depth}]
    ]


if __name__ == "__main__":
    try:
        study(__doc__ or "", TABLE, runs(), ["pymatching", "pymatching-correlated"])
    except CascadeError as error:
        sys.exit(f"error: {error}")
