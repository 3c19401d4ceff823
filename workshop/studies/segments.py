"""Segments between seams decoded by a logical head, beside windows that carry the residual: results/segments.csv.

    python -m workshop.studies.segments surface_d3 --weights runs/segments --shots 20000
    python -m workshop.studies.segments surface_d5 --weights runs/segments --shots 5000

Of a stream's errors those that cross a seam, which flip detectors on both sides of it, are decided first: by a local
model, from what was measured around it. What they flip is taken out of the events. If they are right, all errors that
are left lie within one segment each. A segment is then an experiment by itself whose checks are known at both ends,
however long the stream is: a logical head sees its events and says whether the observables flip between its ends. Every
error crosses one seam or lies in one segment, so what all of them flip adds up.

The head has learnt segments of 2 d rounds at the beginning, in the middle and at the end of an experiment, beginning
with the weights of the zoo. It is trained by this command where the file of its weights is missing from the folder.
"""

import argparse
import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import stim
import torch
from numpy.typing import NDArray

import cascade_qec as cascade
from cascade_qec import circuits, codes
from cascade_qec.cli.progress import percent, progress
from cascade_qec.codes import BASES, Basis, CSSCode
from cascade_qec.decoders import Decoder, classical, events
from cascade_qec.decoders.bound_cascade import program
from cascade_qec.decoders.cascade import CascadeDecoder
from cascade_qec.decoders.local import LocalDecoder
from cascade_qec.decoders.prepared import logical_tables
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.decoders.streams import Commitment, Solver, Streamed, Window
from cascade_qec.decoders.streams.local import LocalWindows
from cascade_qec.decoders.streams.streamed import BoundStreamed
from cascade_qec.decoders.streams.timeline import Timeline, arrivals
from cascade_qec.error_models import error_model
from cascade_qec.evaluation.comparison import Experiment, compare
from cascade_qec.evaluation.tables import Row
from cascade_qec.files import written_whole
from cascade_qec.lattice import Lattice, memory_lattice
from cascade_qec.model import model_bytes
from cascade_qec.nn import Geometry, Questions, Unpacking, collect_statistics, load_network, state_of
from cascade_qec.tables import read_rows, write_rows
from cascade_qec.training import Recipe, load_recipe
from cascade_qec.training.step import Step
from cascade_qec.zoo import registry
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table

TABLE, PAGE = RESULTS / "segments.csv", CHECKOUT / "docs" / "streams.md"
SEED, STATISTICS = 19, 16
STEPS = {"surface_d3": 1200, "surface_d5": 1600}


def size_of(code: CSSCode) -> int:
    """Rounds between two seams."""
    assert code.d is not None
    return 2 * code.d


def recipe_of(code: str) -> Recipe:
    """Network, noise, rates of learning and batch."""
    read = load_recipe(CHECKOUT / "recipes" / "continued" / f"{code}_mixed.toml")
    return read.model_copy(update={"optimizer": read.optimizer.model_copy(update={"steps": STEPS[code]})})


@lru_cache(maxsize=64)
def segment(code: CSSCode, basis: Basis, p: float, first: int, stop: int) -> tuple[stim.DetectorErrorModel, Lattice]:
    """The errors that lie within some slices of an experiment of three segments, and those slices."""
    rounds = 3 * size_of(code)
    whole = memory_lattice(code, rounds, basis)
    detectors = np.flatnonzero((whole.detector_slices >= first) & (whole.detector_slices < stop))
    number: dict[str, object] = {f"L{k}": stim.target_logical_observable_id(k) for k in range(code.k)}
    number |= {f"D{detector}": stim.target_relative_detector_id(index) for index, detector in enumerate(detectors)}
    model = stim.DetectorErrorModel(f"detector D{len(detectors) - 1}\nlogical_observable L{code.k - 1}")
    noise = circuits.UniformDepolarizing(p)
    for error in error_model(circuits.memory(code, rounds=rounds, basis=basis, noise=noise)).flattened():
        assert isinstance(error, stim.DemInstruction)
        if error.type != "error":
            continue
        names = [str(target) for target in error.targets_copy()]
        if all(name in number for name in names):
            model.append("error", error.args_copy(), [number[name] for name in names])
    return model, whole.window(first, stop, detectors)[0]


def segments(code: CSSCode, p: float) -> list[tuple[stim.DetectorErrorModel, Lattice]]:
    """All kinds that there are: those of an experiment of three, the last of which has the readout's slice, too."""
    size = size_of(code)
    ends = ((0, size), (size, 2 * size), (2 * size, 3 * size + 1))
    return [segment(code, basis, p, *each) for each in ends for basis in BASES]


class _Examples:
    """Segments of all kinds side by side, as the network sees them."""

    def __init__(self, recipe: Recipe, slices: int, seed: int) -> None:
        models, self.lattices = zip(*segments(codes.get(recipe.code), recipe.noise.p), strict=True)
        self._samplers = [model.compile_sampler(seed=seed + i) for i, model in enumerate(models)]
        self.questions = Questions(self.lattices, recipe.operators)
        divisors = [slices] * len(self.lattices)
        self.geometry = Geometry(self.lattices, recipe.network.convolution, recipe.operators, divisors)
        self._unpacking = Unpacking(self.lattices, [lattice.code.k for lattice in self.lattices])
        self._shots = recipe.batch.shots

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        while True:
            parts = [each for one in self._samplers for each in one.sample(self._shots, bit_packed=True)[:2]]
            states, observables = self._unpacking(np.concatenate(parts, axis=1))
            yield states, self.questions.labels(states, observables)


def train(code: str, out: Path) -> None:
    """Go on from the weights of the zoo, on segments."""
    recipe, steps = recipe_of(code), STEPS[code]
    network, description = load_network(registry.path(code))
    network.requires_grad_()
    average = copy.deepcopy(network).requires_grad_(False)
    slices = description.slices_summed(description.rounds)
    learnt, normed = (_Examples(recipe, slices, seed) for seed in (SEED, SEED + 100))
    asked = {"device": torch.device("cpu"), "dtype": torch.float32, "micros": range(1)}
    step = Step(network, average, learnt.geometry, learnt.questions, recipe, **asked)
    batches = iter(learnt)
    with progress("training, steps") as report:
        for number in range(steps):
            losses = step(batches, number)
            report(number, steps)
            if number % 50 == 0 or number == steps - 1:
                print(f"step {number} loss {losses.mean():.4f}", flush=True)
    with torch.no_grad(), collect_statistics(average):
        for _, (states, _) in zip(range(STATISTICS), normed, strict=False):
            average(states, normed.geometry)
    out.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(out) as file:
        file.write(model_bytes(state_of(average), description.model_copy(update={"calibration": None})))


@dataclass(frozen=True)
class Segmented:
    """A local model that decides seams, and a logical head that decodes the segments between them."""

    seams: LocalDecoder
    head: CascadeDecoder
    commit: int
    buffer: int

    @property
    def name(self) -> str:
        return f"{self.head.name} between seams of {self.seams.name}~{self.commit}+{self.buffer}"

    def bind(self, experiment: stim.Circuit | stim.DetectorErrorModel, /) -> BoundStreamed:
        return BoundStreamed(_Windows(self, experiment), np.argsort(arrivals(experiment), kind="stable"), self.name)


class _Windows(LocalWindows):
    """Seams as a local model decides them, segments by the logical head."""

    def __init__(self, decoder: Segmented, experiment: stim.Circuit | stim.DetectorErrorModel) -> None:
        context = decoder.seams.description.network.depth
        sizes = {"commit": decoder.commit, "buffer": decoder.buffer, "context": context}
        super().__init__(decoder.seams, Timeline.whole(experiment), method="seam", **sizes)
        self._head = decoder.head

    def _made(self, window: Window) -> Solver:
        if window.kind == "seam":
            return super()._made(window)
        shown = np.concatenate(self.timeline.detectors[window.first : window.stop])
        return _Segment(self._head, self._bound.parts[0].lattice.window(window.first, window.stop, shown)[0])


class _Segment(Solver):
    def __init__(self, head: CascadeDecoder, lattice: Lattice) -> None:
        self._program = program(head, lattice, logical_tables(head.description, lattice))

    def __call__(self, seen: NDArray[np.bool_], left: NDArray[np.bool_]) -> Commitment:
        observables = self._program.decide(events.packed(left))[0]
        return Commitment(DecodeResult(observables), np.zeros_like(left))


def decoders(weights: Path) -> dict[str, Decoder]:
    """In one piece, and in windows."""
    local = cascade.load("local_surface", device="cpu")
    assert isinstance(local, LocalDecoder)
    head = cascade.load(weights, device="cpu", allow_unmeasured=True)
    size = size_of(head.code)
    d = size // 2
    found: list[Decoder] = [local, classical.get("pymatching")]
    found += [Streamed(local, d, d), Streamed(local, size, d, "seam"), Segmented(local, head, size, d)]
    return {one.name: one for one in found}


def lines(found: list[Row]) -> list[str]:
    """The table of the documentation: failures of everyone on the same shots."""
    cells = [
        [f"{row.code}, {row.rounds}", f"{100 * row.p:g} %", row.decoder, f"{row.shots:,}", f"{row.failures:,}"]
        for row in found
    ]
    return table(["code, rounds", "p", "decoder", "shots", "failures"], cells, left=3)


def with_tables(text: str) -> str:
    """The page with the table as the results have it."""
    return filled(text, "segments", lines(read_rows(TABLE, Row)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("code", choices=list(STEPS), help="rows of others stay in the table")
    parser.add_argument("--weights", type=Path, required=True, help="folder of heads, which are trained if missing")
    parser.add_argument("--shots", type=int, required=True, help="at each noise rate")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", cascade.CascadeWarning)
    torch.set_num_threads(1)
    code, weights = arguments.code, arguments.weights / f"{arguments.code}.safetensors"
    rows = [row for row in read_rows(TABLE, Row) if row.code != code] if TABLE.exists() else []
    if not weights.exists():
        train(code, weights)
    for p in (0.005, 0.003):
        with percent(f"{code}, {100 * p:g} %") as report:
            rows += compare(
                Experiment.memory(code, p, 5 * size_of(codes.get(code)), BASES, "uniform"),
                decoders(weights),
                shots=arguments.shots,
                seed=SEED,
                report=report,
            )
    write_rows(TABLE, rows)
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
