"""What averaging over operators and over the code's symmetries is worth at inference, on the same shots.

    python benchmarks/reflections.py surface_d5 --threads 1

Turning a rotated surface code by 180 degrees and reversing time maps an experiment of ours to itself, noise included;
exchanging the bases is in the frame already. Decided are shots by the code's own operator, by all parallel ones, and by
each of these together with its value in the turned experiment.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import cascade_qec as cascade
from cascade_qec.cli.progress import progress
from cascade_qec.codes.css import Basis
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.evaluation.paired import paired_difference
from cascade_qec.evaluation.rates import block_error
from cascade_qec.files import write_table
from cascade_qec.lattice import Lattice, readout
from cascade_qec.lattice.relations import site_index
from cascade_qec.nn import Geometry
from cascade_qec.performance import circumstances

RATES = (0.002, 0.003, 0.005)
RESULTS = Path(__file__).parent / "results" / "reflections.csv"
CHUNK = 2000


def turned(lattice: Lattice, support: NDArray[np.bool_]) -> tuple[torch.Tensor, torch.Tensor]:
    """Sites of the turned experiment, and the number of each operator in it; places are sorted by row and column."""
    sites = np.empty(lattice.sites, dtype=np.int64)
    index = site_index(lattice.frame.plane_sizes, lattice.slices)
    sites[index] = index[::-1, ::-1]
    planes = np.split(support, np.cumsum(lattice.frame.data_plane_sizes)[:-1], axis=1)
    number = {row.tobytes(): i for i, row in enumerate(support)}
    operators = [number[row.tobytes()] for row in np.concatenate([plane[:, ::-1] for plane in planes], axis=1)]
    return torch.from_numpy(sites), torch.tensor(operators)


def failed(decoder: CascadeDecoder, p: float, basis: Basis, shots: int, seed: int) -> Iterator[dict[str, NDArray]]:
    """Which shots each way of deciding fails on, chunk by chunk: bool [shots]."""
    circuit = decoder.experiment(p, basis=basis)
    lattice, asked = decoder.lattice, readout(decoder.code, basis)
    geometry = Geometry([lattice], decoder.network.settings.convolution)
    sites, operators = turned(lattice, asked.support)
    own = int(np.flatnonzero(~asked.checks.any(axis=1))[0])
    sampler = circuit.compile_detector_sampler(seed=seed)
    for start in range(0, shots, CHUNK):
        events, flips = sampler.sample(min(CHUNK, shots - start), separate_observables=True)
        states = torch.from_numpy(lattice.scatter(events))
        known = torch.from_numpy(asked.checks).float() @ (states[lattice.check_sites(basis)] == 1).sum(dim=0).float()
        sign = 1 - 2 * ((known.t() + torch.from_numpy(flips).float()) % 2)
        with torch.inference_mode():
            here = decoder.network(states, geometry) * sign
            there = decoder.network(states[sites], geometry)[:, operators] * sign
        sums = {
            "own": here[:, own],
            "own, turned": (here + there)[:, own],
            "all": here.sum(dim=1),
            "all, turned": (here + there).sum(dim=1),
        }
        yield {way: (against > 0).numpy() for way, against in sums.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="+", help="of a surface code")
    parser.add_argument("--shots", type=int, default=50_000, help="of each basis and noise rate")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    rows = []
    cases = [(model, p) for model in arguments.model for p in RATES]
    with progress("decoding") as report:
        for number, (model, p) in enumerate(cases):
            decoder = cascade.load(model, precision="float32", device="cpu")
            chunks = [
                chunk
                for index, basis in enumerate(decoder.description.bases)
                for chunk in failed(decoder, p, basis, arguments.shots, arguments.seed + index)
            ]
            wrong = {way: np.concatenate([chunk[way] for chunk in chunks]) for way in chunks[0]}
            for way, fails in wrong.items():
                shots, rate = len(fails), block_error(int(fails.sum()), len(fails))
                apart = paired_difference(int((fails & ~wrong["all"]).sum()), int((wrong["all"] & ~fails).sum()), shots)
                row = {"model": decoder.description.name, "p": p, "decided_by": way, "shots": shots}
                row |= {"failures": int(fails.sum()), "block_error": rate.value}
                row |= {"block_error_low": rate.low, "block_error_high": rate.high}
                row |= {"less_all": apart.value, "less_all_low": apart.low, "less_all_high": apart.high}
                rows.append(row | {"seed": arguments.seed, **circumstances()})
                print(f"{row['model']} p = {p:g}  {way:<12} {rate.value:.3e} [{rate.low:.1e}, {rate.high:.1e}]")
            report(number + 1, len(cases))
    write_table(arguments.out, list(rows[0]), rows)
    print(f"Table: {arguments.out}")


if __name__ == "__main__":
    main()
