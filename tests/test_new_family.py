"""A family of codes is one file: the toric code, registered here, goes from its checks to a table of rates."""

# Stim's annotations have loops even in flattened circuits.
# pyright: reportAttributeAccessIssue=false

import re
from collections.abc import Iterator

import numpy as np
import pytest
import stim
from numpy.typing import NDArray

import cascade_qec
from cascade_qec import circuits, codes
from cascade_qec.circuits import UniformDepolarizing
from cascade_qec.cli.rate_table import print_rates
from cascade_qec.codes import BASES, Basis, CSSCode, Family, Frame, Schedule, SpaceRelations, family, opposite
from cascade_qec.decoders import classical
from cascade_qec.error_models import Mechanisms
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation import Experiment, compare
from cascade_qec.lattice import ABSENT, memory_lattice
from cascade_qec.recognition import recognise, recognise_any
from cascade_qec.training import Recipe, Trainer

# Steps on the lattice to the north, west, east and south, in the order of the slots.
NORTH, WEST, EAST, SOUTH = STEPS = np.array([(-1, 0), (0, -1), (0, 1), (1, 0)])


class ToricCode(CSSCode):
    """The toric code [[2 l m, 2, min(l, m)]].

    On the grid of 2 l x 2 m places, wrapped around, X checks sit where row and column are even, Z checks where both are
    odd, data qubits elsewhere; a check touches the four next to it. A step along both axes exchanges X with Z.
    """

    def __init__(self, l: int, m: int) -> None:  # noqa: E741
        self.size = np.array([2 * l, 2 * m])
        cells = 2 * np.stack(np.divmod(np.arange(l * m), m), axis=1)
        checks: dict[Basis, NDArray[np.int64]] = {"X": cells, "Z": cells + 1}
        qubits = np.concatenate([cells + EAST, cells + SOUTH])
        super().__init__(
            name=f"toric_{l}x{m}",
            family="toric",
            d=min(l, m),
            neighbours={basis: self._at(checks[basis][:, None] + STEPS, qubits) for basis in BASES},
            check_coords=checks,
            qubit_coords=np.column_stack([np.repeat([0, 1], len(cells)), qubits]),
        )

    @property
    def schedule(self) -> Schedule:
        # All checks touch their neighbours in one order, which a step along both axes leaves as it is.
        return Schedule(x=(0, 1, 2, 3), z=(0, 1, 2, 3))

    def _at(self, wanted: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Index of each wanted place, int64 [..., 2], among others; -1 where it is none of them."""
        index = np.full(self.size, -1)
        index[tuple((places % self.size).T)] = np.arange(len(places))
        return index[tuple(np.moveaxis(wanted % self.size, -1, 0))]

    def _find_logicals(self, basis: Basis) -> NDArray[np.uint8]:
        row, column = self.qubit_coords[:, 1:].T
        # Z along the even lines, X along the odd ones; the first of Z crosses the first of X.
        lines = [(row == 0) & (column % 2 == 1), (column == 0) & (row % 2 == 1)]
        if basis == "X":
            lines = [(column == 1) & (row % 2 == 0), (row == 1) & (column % 2 == 0)]
        return np.array(lines, dtype=np.uint8)

    def _shifted(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        return self._at(places + self.check_coords("X")[:, None], places)

    @property
    def translations(self) -> NDArray[np.int64]:
        return self._shifted(self.qubit_coords[:, 1:])

    def check_translations(self, basis: Basis) -> NDArray[np.int64]:
        return self._shifted(self.check_coords(basis))

    def _frame(self, basis: Basis) -> Frame:
        # Primary checks where Z checks are, secondary ones where X checks are.
        step = 1 if basis == "X" else 0
        cells = self.check_coords("X")
        checks, data = np.concatenate([cells + 1, cells]), np.concatenate([cells + EAST, cells + SOUTH])
        own = self._at(self.check_coords(basis) + step, checks)
        around = np.concatenate([[(0, 0)], STEPS * 2, [(-1, -1), (-1, 1), (1, -1), (1, 1)]])
        places = len(cells)
        return Frame(
            plane_sizes=(places, places),
            data_plane_sizes=(places, places),
            coords=checks,
            check_place={basis: own, opposite(basis): self._at(self.check_coords(opposite(basis)) + step, checks)},
            place_kind=np.repeat([0, 1], places),
            kinds=2,
            data_qubit=self._at(data - step, self.qubit_coords[:, 1:]),
            convolutions={
                "direct": (
                    SpaceRelations(self._at(checks[:, None] + around, checks), (-1, 0, 1), read="checks", out="checks"),
                )
            },
            to_data=SpaceRelations(self._at(data[:, None] + STEPS, checks), (0, 1), read="checks", out="data"),
            period=(int(self.size[0]), int(self.size[1])),
        )


def find(name: str) -> CSSCode | None:
    found = re.fullmatch(r"toric_(\d+)x(\d+)", name)
    return ToricCode(int(found[1]), int(found[2])) if found else None


TORIC = Family(
    name="toric",
    title="Toric codes",
    find=find,
    names=("toric_3x3", "toric_3x4", "toric_5x5"),
    expected="toric_<l>x<m>",
    recognised=("toric_3x3", "toric_3x4", "toric_5x5"),
)
NAMES = pytest.mark.parametrize("name", TORIC.names)
EACH_BASIS = pytest.mark.parametrize("basis", BASES)


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(family, "_families", {known.name: known for known in codes.families()})
        codes.register(TORIC)
        yield
    codes.get.cache_clear()


def memory(name: str, basis: Basis, p: float = 0.003, rounds: int = 3) -> stim.Circuit:
    return circuits.memory(codes.get(name), rounds=rounds, basis=basis, noise=UniformDepolarizing(p))


def bare(dem: stim.DetectorErrorModel, seed: int = 1) -> stim.DetectorErrorModel:
    """The mechanisms alone, in another order."""
    lines = [line for line in str(dem).splitlines() if line.startswith("error")]
    return stim.DetectorErrorModel("\n".join(np.random.default_rng(seed).permutation(lines)))


@NAMES
def test_the_code_is_known_by_its_name(name):
    code = codes.get(name)
    assert (code.family, code.k, code.n) == ("toric", 2, 2 * len(code.hx))
    assert name in codes.names()
    assert code.matchable
    for basis in BASES:
        assert not (code.logicals(basis).astype(int) @ code.checks(opposite(basis)).T % 2).any()
    assert np.array_equal(code.logicals("X").astype(int) @ code.logicals("Z").T % 2, np.eye(2))
    with pytest.raises(CascadeError, match=r"expected .* or toric_<l>x<m>"):
        codes.get("torus")


@EACH_BASIS
@NAMES
def test_its_memory_experiments_keep_the_distance(name, basis):
    circuit = memory(name, basis)
    assert circuit.num_observables == 2
    assert len(circuit.shortest_graphlike_error(ignore_ungraphlike_errors=True)) == codes.get(name).d


@EACH_BASIS
def test_its_lattice_has_a_site_for_every_detector(basis):
    code, circuit = codes.get("toric_3x4"), memory("toric_3x4", basis)
    lattice = memory_lattice(code, 3, basis)
    assert (lattice.detectors, lattice.sites) == (circuit.num_detectors, 4 * 24)
    states = lattice.scatter(circuit.compile_detector_sampler(seed=1).sample(5))
    assert (states != ABSENT).any(axis=1).sum() == lattice.detectors


def test_both_bases_are_one_problem_to_the_network():
    """By a step along both axes, the mechanisms of one basis become those of the other."""
    seen = []
    for basis in BASES:
        lattice = memory_lattice(codes.get("toric_3x4"), 3, basis)
        model = Mechanisms.of(memory("toric_3x4", basis).detector_error_model(flatten_loops=True))
        flipped = np.split(lattice.detector_sites[model.detector], model.start[1:-1])
        seen.append({frozenset(sites.tolist()) for sites in flipped})
    assert seen[0] == seen[1]


@EACH_BASIS
@NAMES
def test_its_circuits_are_recognised(name, basis):
    found = recognise_any(memory(name, basis))
    assert found.lattice.code is codes.get(name)
    assert (found.lattice.rounds, found.lattice.basis, found.basis) == (3, basis, basis)
    assert found.observables.is_identity
    assert (found.missing, found.ignored) == (0, 0)
    assert found.agreement == pytest.approx(1)
    assert np.array_equal(found.lattice.detector_sites, memory_lattice(codes.get(name), 3, basis).detector_sites)


@EACH_BASIS
@pytest.mark.parametrize("coordinates", [True, False])
def test_its_error_models_are_recognised(basis, coordinates):
    code = codes.get("toric_3x4")
    model = memory("toric_3x4", basis).detector_error_model(flatten_loops=True)
    found = recognise(model if coordinates else bare(model), code)
    assert (found.lattice.code, found.lattice.rounds, found.missing) == (code, 3, 0)
    assert found.agreement == pytest.approx(1)
    assert len(found.observables.logicals) == 2


def test_other_codes_are_not_taken_for_it():
    surface = circuits.memory(codes.get("surface_d3"), rounds=3, noise=UniformDepolarizing(0.003))
    with pytest.raises(CascadeError, match=r"expected the checks of toric_3x3, 9 of X and 9 of Z on 18 data qubits"):
        recognise(surface, codes.get("toric_3x3"))
    other = codes.LiftedProductCode(7, [["1", "x", "x^3"], ["1", "x^2", "x^5"]], name="other")
    with pytest.raises(CascadeError, match=r"or of toric_3x3, .*; got 42 checks"):
        recognise_any(circuits.memory(other, rounds=1))


RECIPE = {
    "name": "toric",
    "code": "toric_3x3",
    "rounds": 3,
    "network": {"width": 16, "depth": 1, "convolution": "direct"},
    "noise": {"p": 0.01, "start": 0.01},
    "optimizer": {"steps": 80, "muon_lr": 0.02, "lion_lr": 2e-3, "warmup_steps": 5, "ema": 0.9},
    "batch": {"shots": 64},
    "validation": {"p": [0.01], "shots": 1000, "every": 80, "statistics_batches": 4},
}


@pytest.mark.slow
def test_a_trained_model_decodes_it_and_stands_in_a_table_of_rates(tmp_path, capsys):
    assert Trainer(Recipe.model_validate(RECIPE), tmp_path / "run", workers=0).run()
    circuit = memory("toric_3x3", "Z", p=0.01)
    decoder = cascade_qec.load(tmp_path / "run" / "toric.safetensors", device="cpu")
    decoders = {"toric": decoder, "pymatching": classical.get("pymatching")}
    rows = compare(Experiment("toric_3x3", 0.01, 3, {"Z": circuit}), decoders, shots=2000, seed=1)
    print_rates(rows)
    shown = capsys.readouterr().out
    assert "toric_3x3" in shown
    assert "pymatching" in shown
    network, matching = (row.failures for row in rows)
    flipped = circuit.compile_detector_sampler(seed=1).sample(2000, separate_observables=True)[1].any(axis=1).sum()
    assert matching < network < 0.8 * flipped
