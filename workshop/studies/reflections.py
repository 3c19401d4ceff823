"""What averaging over operators and over a symmetry of the experiment is worth at inference, on the same shots.

    python -m workshop.studies.reflections surface_d5 --threads 1
    python -m workshop.studies.reflections bb72 --rates 0.003 0.005 --shots 5000 --threads 1 --out bb72.csv
    python -m workshop.studies.reflections --list bb72 bb144

A code's symmetries are the automorphisms of its Tanner graph, which may exchange X with Z, each with time as it runs or
reversed. The circuit has an order of its own, so that few of them, if any, keep its noise: `--list` says what share.
Turning a rotated surface code by 180 degrees and reversing time maps an experiment of ours to itself, noise included.
That of a bicycle code has its translations, which the network has too, and no other once its gates are noisy.

Decided are shots by the code's own operators, by all that the network is asked about, and by each of these together
with its value in the experiment turned by the symmetry that keeps most of the noise.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import cascade_qec as cascade
from cascade_qec import circuits, codes
from cascade_qec.circuits import NoiseModel
from cascade_qec.cli.progress import progress
from cascade_qec.codes import BASES, Basis, BivariateBicycleCode, CSSCode
from cascade_qec.codes.gf2 import Bits
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.engine import votes
from cascade_qec.error_models import Mechanisms, error_model, random_words
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.two_samples import paired_difference
from cascade_qec.lattice import Lattice, LogicalOperators, logical_operators, memory_lattice
from cascade_qec.nn import Geometry
from cascade_qec.recognition.tanner import TannerGraph, isomorphisms
from cascade_qec.statistics import Interval, wilson
from cascade_qec.tables import Circumstances, circumstances, write_rows
from workshop import RESULTS

RATES = (0.002, 0.003, 0.005)
TABLE = RESULTS / "reflections.csv"
CHUNK = 2000
SAME = 1e-4
"""Relative difference up to which probabilities of mechanisms are the same: Stim prints six digits."""


@dataclass(frozen=True, eq=False)
class Turn:
    """One experiment seen as another, or itself, through a symmetry of its code.

    Attributes
    ----------
    source, target : Lattice
    checks : int64 [checks]
        The check of the target for each one of the source, both numbered with those of the experiment's basis first.
    reverses : bool
        Whether time runs backwards in the target.
    """

    source: Lattice
    target: Lattice
    checks: NDArray[np.int64]
    reverses: bool

    @property
    def exchanges(self) -> bool:
        return self.source.basis != self.target.basis

    @property
    def is_identity(self) -> bool:
        return not (self.exchanges or self.reverses) and np.array_equal(self.checks, np.arange(len(self.checks)))

    @property
    def name(self) -> str:
        """Where the first three checks go, on a torus as x^i y^j, and what becomes of bases and time."""
        code = self.source.code
        if isinstance(code, BivariateBicycleCode):
            (i, j), (ix, jx), (iy, jy) = (divmod(int(self.checks[check]), code.m) for check in (0, code.m, 1))
            images = [((a - i) % code.l, (b - j) % code.m) for a, b in ((ix, jx), (iy, jy))]
            where = "x -> x^{} y^{}, y -> x^{} y^{}".format(*images[0], *images[1])
        else:
            where = f"check 0 -> {self.checks[0]}"
        return where + ", X <-> Z" * self.exchanges + ", time reversed" * self.reverses

    @cached_property
    def sites(self) -> NDArray[np.int64]:
        """The site of the source that each site of the target shows, int64 [sites]."""
        sites = np.empty(self.source.sites, dtype=np.int64)
        shown = _check_sites(self.target)[:, self.checks]
        sites[shown[::-1] if self.reverses else shown] = _check_sites(self.source)
        return sites

    @property
    def operators(self) -> NDArray[np.int64]:
        """The operator of the target that each operator of the source becomes, int64 [operators]."""
        code, columns = self.source.code, _supports(self.target)[self.checks].T
        qubit = {column.tobytes(): number for number, column in enumerate(columns)}
        image = np.array([qubit[column.tobytes()] for column in _supports(self.source).T])
        moved = np.empty((len(logical_operators(code, self.source.basis).support), code.n), dtype=bool)
        moved[:, image[self.source.frame.data_qubit]] = logical_operators(code, self.source.basis).support
        asked = logical_operators(code, self.target.basis).support
        number = {row.tobytes(): i for i, row in enumerate(asked)}
        found = [number.get(row.tobytes()) for row in moved[:, self.target.frame.data_qubit]]
        if None in found:
            raise CascadeError(f"{code.name}: expected its operators to be each other's images, not so by {self.name}")
        return np.array(found, dtype=np.int64)

    def kept(self, noise: NoiseModel) -> float:
        """Share of the source's noise in mechanisms that are as likely in the target.

        Mechanisms with the same detectors are one, whatever observables they flip.
        """
        words = random_words(self.source.sites)
        shown_at = np.argsort(self.sites)[self.source.detector_sites]
        here = _by_symptoms(_mechanisms(self.source, noise), words[shown_at])
        there = _by_symptoms(_mechanisms(self.target, noise), words[self.target.detector_sites])
        _, ours, theirs = np.intersect1d(here[0], there[0], assume_unique=True, return_indices=True)
        same = np.isclose(here[1][ours], there[1][theirs], rtol=SAME, atol=0)
        return float(here[1][ours[same]].sum() / here[1].sum())


def turns(code: CSSCode, basis: Basis, rounds: int) -> Iterator[Turn]:
    """All symmetries of the code, the first one none; on a torus those that leave one check in its place."""
    images = np.arange(1 if isinstance(code, BivariateBicycleCode) else len(code.hx))
    source = memory_lattice(code, rounds, basis)
    for other in sorted(BASES, key=lambda other: other != basis):
        target = memory_lattice(code, rounds, other)
        graphs = [TannerGraph.of(_supports(lattice), _own(lattice)) for lattice in (source, target)]
        found = isomorphisms(*graphs, root=0, images=images)
        for checks in sorted(found, key=lambda checks: checks.tolist()):
            yield from (Turn(source, target, checks, reverses) for reverses in (False, True))


def nearest(code: CSSCode, basis: Basis, rounds: int, noise: NoiseModel) -> Turn:
    """The symmetry that keeps most of the noise, other than none."""
    return max((turn for turn in turns(code, basis, rounds) if not turn.is_identity), key=lambda turn: turn.kept(noise))


def _check_sites(lattice: Lattice) -> NDArray[np.int64]:
    return np.concatenate([lattice.check_sites(kind) for kind in _own_first(lattice)], axis=1)


def _supports(lattice: Lattice) -> Bits:
    return np.vstack([lattice.code.hx if kind == "X" else lattice.code.hz for kind in _own_first(lattice)])


def _own(lattice: Lattice) -> NDArray[np.bool_]:
    return np.arange(len(_supports(lattice))) < len(lattice.code.hx)  # equally many of both kinds


def _own_first(lattice: Lattice) -> list[Basis]:
    return sorted(BASES, key=lambda kind: kind != lattice.basis)


@lru_cache(maxsize=4)
def _mechanisms(lattice: Lattice, noise: NoiseModel) -> Mechanisms:
    circuit = circuits.memory(lattice.code, rounds=lattice.rounds, basis=lattice.basis, noise=noise)
    return Mechanisms.of(error_model(circuit))


def _by_symptoms(mechanisms: Mechanisms, words: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Every set of detectors that mechanisms flip, by the XOR of their words, and how likely an odd number of them."""
    symptoms, number = np.unique(mechanisms.xor(words), return_inverse=True)
    no_parity = np.zeros(len(symptoms))
    np.add.at(no_parity, number, np.log1p(-2 * mechanisms.probability))
    return symptoms, -np.expm1(no_parity) / 2


def failed(decoder: CascadeDecoder, turn: Turn, p: float, shots: int, seed: int) -> Iterator[dict[str, NDArray]]:
    """Which shots each way of deciding fails on, chunk by chunk: bool [shots]."""
    lattice, asked = turn.source, logical_operators(decoder.code, turn.source.basis)
    circuit = decoder.experiment(p, basis=lattice.basis)
    geometries = [Geometry([one], decoder.network.settings.convolution) for one in (lattice, turn.target)]
    sites, operators = torch.from_numpy(turn.sites), torch.from_numpy(turn.operators)
    checks, logicals = (torch.from_numpy(sums).float().t() for sums in (asked.checks, asked.logicals))
    seen = torch.from_numpy(lattice.check_sites(lattice.basis).copy())
    own = torch.from_numpy(_own_operators(asked))
    # The class that the votes decide for is wrong where any of them outdoes that of the shot, the first after the sign.
    vote = torch.from_numpy(votes(asked.logicals))
    sampler = circuit.compile_detector_sampler(seed=seed)
    for start in range(0, shots, CHUNK):
        events, flips = sampler.sample(min(CHUNK, shots - start), separate_observables=True)
        states = torch.from_numpy(lattice.scatter(events))
        known = (states[seen] == 1).sum(dim=0).float().t() @ checks
        sign = 1 - 2 * ((known + torch.from_numpy(flips).float() @ logicals) % 2)
        with torch.inference_mode():
            here = decoder.network(states, geometries[0]) * sign
            there = decoder.network(states[sites], geometries[1])[:, operators] * sign
        sums = {
            "own": here[:, own],
            "own, turned": (here + there)[:, own],
            "all": here @ vote,
            "all, turned": (here + there) @ vote,
        }
        yield {way: (against > 0).any(dim=1).numpy() for way, against in sums.items()}


def _own_operators(asked: LogicalOperators) -> NDArray[np.int64]:
    """The code's observables among the operators."""
    return np.flatnonzero(~asked.checks.any(axis=1) & (asked.logicals.sum(axis=1) == 1))


class Row(Circumstances):
    """Block error of one way to decide, and how much it is less than that of all together, on the same shots."""

    model: str
    p: float
    decided_by: str
    shots: int
    failures: int
    block_error: Interval
    less_all: Interval
    seed: int


def list_symmetries(names: list[str], rounds: int, p: float) -> None:
    noise = circuits.UniformDepolarizing(p)
    for name in names:
        print(f"{name}, Z experiment of {rounds} rounds, uniform noise of {p:g}: share of the noise that is kept")
        of_code = [(turn.kept(noise), turn.name) for turn in turns(codes.get(name), "Z", rounds)]
        for share, turn in sorted(of_code, key=lambda row: -row[0]):
            print(f"{share:9.4f}  {turn}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", nargs="+", help="one of the zoo, or a file; with --list a code")
    parser.add_argument("--list", action="store_true", help="only list each code's symmetries")
    parser.add_argument("--rounds", type=int, default=3, help="of the experiments with --list")
    parser.add_argument("--rates", type=float, nargs="+", default=RATES)
    parser.add_argument("--shots", type=int, default=50_000, help="of each basis and noise rate")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, default=TABLE)
    arguments = parser.parse_args()
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    if arguments.list:
        return list_symmetries(arguments.model, arguments.rounds, arguments.rates[0])
    rows = []
    cases = [(model, p) for model in arguments.model for p in arguments.rates]
    with progress("decoding") as report:
        for number, (model, p) in enumerate(cases):
            decoder = cascade.load(model, precision="float32", device="cpu")
            noise = circuits.noise_model(decoder.description.noise_model, p)
            chunks = []
            for index, basis in enumerate(decoder.description.bases):
                turn = nearest(decoder.code, basis, decoder.description.rounds, noise)
                print(f"{model}, basis {basis}, turned by {turn.name}: keeps {turn.kept(noise):.4f} of the noise")
                chunks += failed(decoder, turn, p, arguments.shots, arguments.seed + index)
            wrong = {way: np.concatenate([chunk[way] for chunk in chunks]) for way in chunks[0]}
            for way, fails in wrong.items():
                shots, rate = len(fails), wilson(int(fails.sum()), len(fails))
                apart = paired_difference(int((fails & ~wrong["all"]).sum()), int((wrong["all"] & ~fails).sum()), shots)
                row = Row(
                    model=decoder.description.name,
                    p=p,
                    decided_by=way,
                    shots=shots,
                    failures=int(fails.sum()),
                    block_error=rate,
                    less_all=apart,
                    seed=arguments.seed,
                    **circumstances(),
                )
                rows.append(row)
                print(f"{row.model} p = {p:g}  {way:<12} {rate.value:.3e} [{rate.low:.1e}, {rate.high:.1e}]")
            report(number + 1, len(cases))
    write_rows(arguments.out, rows)
    print(f"Table: {arguments.out}")


if __name__ == "__main__":
    main()
