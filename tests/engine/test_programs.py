"""All runtimes say what the network in PyTorch says: every family, head and basis, and every model in the box."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cascade_qec import circuits, codes, load, zoo
from cascade_qec.codes import CSSCode
from cascade_qec.components import Components
from cascade_qec.engine import (
    Decision,
    LocalTables,
    LogicalHead,
    LogicalTables,
    NativeProgram,
    NumPyProgram,
    Program,
    Tables,
    Weights,
    folded,
    silence,
    with_silence,
)
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import Lattice, memory_lattice
from cascade_qec.model import ModelDescription, NetworkSettings
from cascade_qec.native import native, set_threads
from cascade_qec.nn import CascadeNetwork, Geometry, Questions, TorchProgram, Unpacking, state_of
from cascade_qec.nn.layers import BatchNorm

SETS = [] if native() is None else native().instruction_sets()
CASES = {
    "surface": ("surface_d3", {"convolution": "direct", "width": 20, "depth": 2}, "translations"),
    "surface, wide": ("surface_d3", {"convolution": "direct", "width": 64, "depth": 1}, "light"),
    "bicycle": ("bb72", {"convolution": "bipartite", "width": 16, "depth": 2}, "lightest"),
    "bicycle, direct": ("bb72", {"convolution": "direct", "width": 12, "bottleneck": 3, "depth": 1}, "observables"),
    "depthwise": ("bb72", {"convolution": "bipartite", "width": 8, "depth": 1, "depthwise": True}, "translations"),
    "planar": ("unrotated_d3", {"convolution": "direct", "width": 8, "depth": 1}, "translations"),
    "colours": ("colour_d3", {"convolution": "direct", "width": 8, "depth": 1}, "translations"),
    "cyclic": ("gb46", {"convolution": "bipartite", "width": 8, "depth": 1}, "translations"),
    "several orbits": ("lp175", {"convolution": "bipartite", "width": 8, "depth": 1}, "observables"),
    "segments": ("bb72", {"convolution": "bipartite", "width": 16, "depth": 2, "segment_rounds": 1}, "lightest"),
    "segments of two": (
        "surface_d3",
        {"convolution": "direct", "width": 24, "depth": 2, "segment_rounds": 2},
        "translations",
    ),
    "local": ("surface_d3", {"convolution": "direct", "width": 32, "depth": 2}, None),
}


class Trained(Program):
    """The network itself."""

    def __init__(self, network, lattice, asked, weights, head_tables) -> None:
        super().__init__(weights, head_tables)
        self._network, self._unpacking = network, Unpacking([lattice])
        settings, lattices = network.settings, [lattice]
        if settings.segment_rounds:
            lattices.append(memory_lattice(lattice.code, settings.segment_rounds, lattice.basis))
        self._geometry = Geometry(
            lattices,
            settings.convolution,
            asked,
            [lattice.slices] * len(lattices),
            segment_rounds=settings.segment_rounds,
        )
        self._beside = torch.cat([torch.zeros(0, 1, dtype=torch.uint8), *(silent(one) for one in lattices[1:])])
        self._questions = Questions([lattice], asked) if isinstance(asked, str) else None

    def evidence(self, packed):
        states, _ = self._unpacking(packed)
        beside = self._beside.expand(-1, states.shape[1])
        logits = self._network(torch.cat([states, beside]), self._geometry)
        if self._questions is None:
            return logits.numpy()
        return (logits[:, : self._questions.counts[0]] * (1 - 2 * self._questions.parities(states))).numpy()


def silent(lattice: Lattice) -> torch.Tensor:
    """States of a shot without events, uint8 [sites, 1]."""
    return torch.from_numpy(lattice.scatter(np.zeros((1, lattice.detectors), dtype=np.bool_)))


def made(case: str, basis: str) -> tuple[list[tuple[str, Program]], Program, np.ndarray]:
    """Programs by their names, the network itself, and packed shots with many events."""
    trained, weights, tables, head, packed = inputs(case, basis)
    programs: list[tuple[str, Program]] = [
        ("numpy", NumPyProgram(weights, tables, head)),
        ("torch", TorchProgram(weights, tables, head, torch.device("cpu"), "float32")),
    ]
    with pytest.MonkeyPatch.context() as patch:
        for instructions in SETS:
            patch.setenv("CASCADE_INSTRUCTIONS", instructions)
            programs.append((instructions, NativeProgram(native(), weights, tables, head)))
    return programs, trained, packed


def inputs(case: str, basis: str) -> tuple[Program, Weights, Tables, LogicalTables | LocalTables, np.ndarray]:
    """The network itself, what programs are made of, and packed shots with many events."""
    name, values, operators = CASES[case]
    code: CSSCode = codes.get(name)
    settings = NetworkSettings(**values)
    lattice = memory_lattice(code, 5 if settings.segment_rounds else 2, basis)
    if operators is None:
        circuit = circuits.memory(code, rounds=2, basis=basis, noise=circuits.UniformDepolarizing(0.01))
        components = Components.of(Mechanisms.of(error_model(circuit)), lattice)
        types, asked, head = len(components.types), [components], LocalTables.of(components)
    else:
        wanted = np.eye(code.k, dtype=np.uint8)
        types, asked, head = (
            None,
            operators,
            LogicalTables.of(lattice, operators, wanted, segment_rounds=settings.segment_rounds),
        )
    torch.manual_seed(3)
    network = CascadeNetwork(code, settings, types).eval().requires_grad_(False)
    torch.nn.init.normal_(network.head.output)
    for norm in (m for m in network.modules() if isinstance(m, BatchNorm)):
        for part, spread in (
            (norm.weight, (0.5, 2)),
            (norm.variance, (0.5, 2)),
            (norm.bias, (-1, 1)),
            (norm.mean, (-1, 1)),
        ):
            part.data.uniform_(*spread)
    style = settings.model_dump(include={"convolution", "depthwise"})
    rounds = settings.segment_rounds
    weights = folded(state_of(network), code, in_segments=rounds is not None, **style)
    tables = Tables.of(lattice, settings.convolution)
    if isinstance(head, LogicalTables) and rounds is not None:
        own = memory_lattice(code, rounds, basis)
        asked_of_own = LogicalTables.of(own, asked, head.wanted, lattice.slices, rounds)
        of_own = silence(weights, Tables.of(own, settings.convolution), asked_of_own)
        weights = with_silence(weights, silence(weights, tables, head) - of_own)
    trained = Trained(network, lattice, asked, weights, head)
    events = np.random.default_rng(4).random((31, lattice.detectors)) < 0.2
    return trained, weights, tables, head, np.packbits(events, axis=1, bitorder="little")


def test_weights_that_are_not_ready_for_the_experiment_are_refused():
    _, weights, tables, head, _ = inputs("segments", "Z")
    weights = replace(weights, head=replace(weights.head, in_segments=True))
    with pytest.raises(CascadeError, match="got those of any"):
        NumPyProgram(weights, tables, head)


@pytest.mark.parametrize("basis", ["Z", "X"])
@pytest.mark.parametrize("case", CASES)
def test_every_program_says_what_the_network_says(case, basis):
    programs, trained, packed = made(case, basis)
    expected = trained.evidence(packed)
    for name, program in programs:
        for shots in (31, 1, 5):
            found = program.evidence(packed[:shots])
            assert found.dtype == np.float32
            np.testing.assert_allclose(
                found, expected[:shots], rtol=1e-4, atol=1e-4 * np.abs(expected).max(), err_msg=name
            )
        assert program.evidence(packed[:0]).shape == (0, expected.shape[1])
    if CASES[case][2] is None:
        return
    decided = trained.decide(packed)
    for name, program in programs:
        found = program.decide(packed)
        sure = np.abs(decided.log_odds) > 0.01  # beside a tie rounding decides
        np.testing.assert_array_equal(found.observables[sure], decided.observables[sure], err_msg=name)
        np.testing.assert_allclose(found.log_odds, decided.log_odds, rtol=1e-3, atol=2e-3, err_msg=name)
        np.testing.assert_allclose(found.suspects[sure], decided.suspects[sure], atol=5e-3, err_msg=name)


@pytest.mark.parametrize("case", ["surface", "bicycle", "several orbits", "segments", "local"])
def test_few_events_are_decoded_as_many_are(case):
    """What is out of reach of every event is not computed but known: none of it, some and all, in batches and alone."""
    _, weights, tables, head, packed = inputs(case, "Z")
    rates = np.repeat([0, 0.003, 0.01, 0.03, 0.3], 7)[:, None]
    packed = np.packbits(
        np.random.default_rng(5).random((len(rates), 8 * packed.shape[1])) < rates, axis=1, bitorder="little"
    )
    expected = NumPyProgram(weights, tables, head).evidence(packed)
    for instructions in SETS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CASCADE_INSTRUCTIONS", instructions)
            program = NativeProgram(native(), weights, tables, head)
        found = program.evidence(packed)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
        np.testing.assert_array_equal(np.concatenate([program.evidence(shot[None]) for shot in packed]), found)


@pytest.mark.parametrize("wanted", [1, 3, 30])
def test_the_decision_in_cpp_is_that_in_numpy(wanted):
    """Fewer sums than observables, and more: several classes are one value, and some values have no class."""
    if not SETS:
        return
    _, _, packed = made("bicycle", "Z")
    sums = np.random.default_rng(wanted).integers(0, 2, (wanted, 12), dtype=np.uint8)
    code, (_, values, operators) = codes.get("bb72"), CASES["bicycle"]
    lattice = memory_lattice(code, 2, "Z")
    head = LogicalTables.of(lattice, operators, sums)
    torch.manual_seed(5)
    network = CascadeNetwork(code, NetworkSettings(**values))
    torch.nn.init.normal_(network.head.output)
    weights = folded(state_of(network), code, convolution="bipartite", depthwise=False)
    program = NativeProgram(native(), weights, Tables.of(lattice, "bipartite"), head)
    found, expected = program.decide(packed), Decision(head.logicals, sums)(program.evidence(packed))
    np.testing.assert_array_equal(found.observables, expected.observables)
    np.testing.assert_allclose(found.log_odds, expected.log_odds, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.suspects, expected.suspects, atol=1e-3)


def test_threads_share_shots():
    if not SETS:
        return
    programs, _, packed = made("bicycle", "X")
    program = dict(programs)[SETS[0]]
    many = np.tile(packed, (5, 1))
    expected = program.decide(many)
    set_threads(3)
    for one, other in zip(program.decide(many), expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("model", zoo.names())
def test_models_in_the_box_decide_alike_by_every_runtime(model):
    results = []
    for runtime in ("torch", "numpy", *(["native"] if SETS else [])):
        decoder = load(model, device="cpu", precision="float32", runtime=runtime)
        circuit = decoder.experiment(0.003, basis="X")
        events = circuit.compile_detector_sampler(seed=11).sample(12, bit_packed=True)
        results.append(decoder.bind(basis="X").decode_batch(events, bit_packed=True))
    for result in results[1:]:
        np.testing.assert_array_equal(result.observables, results[0].observables)
        if results[0].log_odds is not None:
            np.testing.assert_allclose(result.log_odds, results[0].log_odds, rtol=1e-3, atol=1e-3)
            np.testing.assert_allclose(result.probabilities, results[0].probabilities, atol=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_a_description_knows_the_shapes_of_its_weights(case):
    name, values, operators = CASES[case]
    settings = NetworkSettings(**values)
    types = None if operators else [(0, ((0, 0, 0),)), (1, ((0, 0, 0),))]
    described = ModelDescription(
        name="x", code=name, rounds=3, bases=["Z"], noise_p=0.01, network=settings, components=types
    )
    network = CascadeNetwork(codes.get(name), settings, None if types is None else len(types))
    assert described.shapes() == {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    assert described.parameters() == sum(parameter.numel() for parameter in network.parameters())


def test_evidence_so_large_that_differences_are_lost_in_it_decides_the_same():
    _, weights, tables, head, packed = inputs("surface", "Z")
    assert isinstance(weights.head, LogicalHead)
    loud = replace(weights, head=replace(weights.head, output=weights.head.output * np.float32(1e12)))
    expected = NumPyProgram(loud, tables, head).decide(packed)
    with pytest.MonkeyPatch.context() as patch:
        for instructions in SETS:
            patch.setenv("CASCADE_INSTRUCTIONS", instructions)
            found = NativeProgram(native(), loud, tables, head).decide(packed)
            assert (
                found.observables == expected.observables
            ).mean() > 0.9  # but where operators disagree within rounding
