"""Streams: windows that fit together, whatever the decoder, the sizes of pushes and the number of rounds."""

import re
import tracemalloc

import numpy as np
import pytest
import stim

import cascade_qec as cascade
from cascade_qec import circuits, codes
from cascade_qec.decoders import get
from cascade_qec.decoders.streams import Stream, Window, Windows, windows
from cascade_qec.decoders.streams.timeline import Timeline
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.collection.plan import decoder_model

SIZES = [
    {"commit": 1, "buffer": 4},
    {"commit": 5, "buffer": 2, "method": "seam"},
    {"commit": 2, "buffer": 4, "method": "seam"},
]
DECODERS = ["pymatching", "pymatching-correlated", "cascade:local_surface"]


def circuit_of(code: str = "surface_d3", rounds: int = 12, p: float = 0.006, basis: codes.Basis = "Z") -> stim.Circuit:
    noise = circuits.UniformDepolarizing(p)
    return circuits.memory(codes.get(code), rounds=rounds, basis=basis, noise=noise)


def sampled(circuit: stim.Circuit, shots: int) -> tuple[np.ndarray, np.ndarray]:
    return circuit.compile_detector_sampler(seed=7).sample(shots, separate_observables=True)


def streamed(made: Windows, events: np.ndarray, pushes: list[int]) -> np.ndarray:
    """Rounds pushed in blocks of these sizes, again and again."""
    stream, sizes = Stream(made, len(events)), [made.timeline.size(t) for t in range(made.slices)]
    at, t, last = np.concatenate([[0], np.cumsum(sizes)]), 0, made.slices - 1
    while t < last:
        stop = min(last, t + pushes[0])
        pushes = [*pushes[1:], pushes[0]]
        stream.push(events[:, at[t] : at[stop]])
        t = stop
    return stream.finish(events[:, at[last] :]).observables


@pytest.mark.parametrize("name", [*DECODERS, "cascade:surface_d3"])
@pytest.mark.parametrize("basis", codes.BASES)
def test_window_longer_than_the_experiment_is_the_decoder_in_one_piece(name: str, basis: codes.Basis) -> None:
    circuit = circuit_of(rounds=3, basis=basis)
    events, _ = sampled(circuit, 500)
    result = get(name).bind(circuit).decode_batch(events)
    made = windows(get(name), circuit, commit=4, buffer=1)
    stream = Stream(made, len(events))
    stream.push(events[:, :20])
    last = stream.finish(events[:, 20:])
    assert (last.observables == result.observables).all()
    if result.log_odds is not None:
        np.testing.assert_array_equal(last.log_odds, result.log_odds)
        np.testing.assert_array_equal(last.probabilities, result.probabilities)


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pushes_of_any_size_give_the_same_answer(name: str, size: dict) -> None:
    circuit = circuit_of()
    events, _ = sampled(circuit, 100)
    made = windows(get(name), circuit, **size)
    expected = streamed(made, events, [1])
    assert expected.any()
    for pushes in ([2], [12], [5, 1, 3]):
        assert (streamed(made, events, pushes) == expected).all()
    batch = get(f"{name}~{'seam' * ('method' in size)}{size['commit']}+{size['buffer']}").bind(circuit)
    assert (batch.decode_batch(events).observables == expected).all()


@pytest.mark.parametrize("name", ["pymatching", "cascade:local_surface"])
@pytest.mark.parametrize("windowed", ["~1+4", "~seam3+2"])
@pytest.mark.parametrize("basis", codes.BASES)
def test_every_single_error_is_corrected(name: str, windowed: str, basis: codes.Basis) -> None:
    """Wherever it lies: within a window, across its end, on either side of a seam."""
    circuit = circuit_of(rounds=7, basis=basis)
    errors = Mechanisms.of(error_model(circuit))
    events = np.zeros((len(errors.probability), errors.detectors), dtype=np.bool_)
    events[errors.owner, errors.detector] = True
    found = get(f"{name}{windowed}").bind(circuit).decode_batch(events).observables
    assert (found == errors.observables).all()


@pytest.mark.parametrize("name", DECODERS)
def test_windows_lose_next_to_nothing(name: str) -> None:
    """Of 1,000 shots 110 fail, and 15 at most are decoded otherwise in windows; with a faulty seam half are."""
    circuit = circuit_of(rounds=20, p=0.004)
    events, flips = sampled(circuit, 1000)
    whole = get(name).bind(circuit).decode_batch(events).observables
    for windowed in ("~4+4", "~seam4+4"):
        found = get(f"{name}{windowed}").bind(circuit).decode_batch(events).observables
        assert (found != whole).sum() <= 40
        assert (found != flips).sum() <= 1.2 * (whole != flips).sum()


@pytest.mark.parametrize("name", ["pymatching~3+3", "cascade:local_surface~3+3"])
def test_streams_are_collected_as_they_decode(name: str) -> None:
    circuit, decoder = circuit_of(rounds=9), get(name)
    events, _ = sampled(circuit, 50)
    found = [decoder.bind(each).decode_batch(events).observables for each in (circuit, decoder_model(decoder, circuit))]
    assert (found[0] == found[1]).all()


def test_bicycle_codes_stream() -> None:
    """Ordered statistics carry what is left: of 60 shots at 0.1 % hardly any fails (a seam at fault fails them all)."""
    circuit = circuit_of("bb72", rounds=8, p=0.001)
    events, flips = sampled(circuit, 60)
    found = get("cascade:local_bb72~3+3").bind(circuit).decode_batch(events).observables
    assert (found != flips).any(axis=1).sum() <= 2


@pytest.mark.parametrize(("name", "method"), [("pymatching", "seam"), ("cascade:local_surface", "")])
def test_loop_is_known_by_a_few_turns(name: str, method: str) -> None:
    """Of the same circuit with its loop unrolled no turn is left out."""
    looped = circuit_of(rounds=50)
    flat = looped.flattened()
    events, _ = sampled(looped, 40)
    assert windows(get(name), looped, commit=3, buffer=3).timeline.experiment.num_detectors < looped.num_detectors
    assert windows(get(name), flat, commit=3, buffer=3).timeline.experiment.num_detectors == flat.num_detectors
    found = [get(f"{name}~{method}3+3").bind(each).decode_batch(events).observables for each in (looped, flat)]
    assert (found[0] == found[1]).all()


def generated(rounds: int, task: str = "surface_code:rotated_memory_z") -> stim.Circuit:
    """A circuit of Stim's own."""
    return stim.Circuit.generated(
        task, distance=3, rounds=rounds, after_clifford_depolarization=0.004, before_measure_flip_probability=0.004
    )


def looped(case: str) -> stim.Circuit:
    """A circuit with loops that turn so often that not every turn has to be looked at."""
    if case.startswith("X, Y and Z"):  # the readout is of another one after every round
        return generated(int(case.split()[-2]), "color_code:memory_xyz")
    before, _, rest = str(generated(40)).partition("REPEAT 39 {")
    body, _, after = rest.partition("}")
    fewer, none = (
        "\n".join(line for line in body.splitlines() if left_out not in line) for left_out in ("OR(2", "DETECTOR")
    )
    middle = {
        "two rounds a turn": f"REPEAT 30 {{{body}{body}}}",
        "two unlike rounds a turn": f"REPEAT 30 {{{body}{fewer}\n}}",
        "two loops": f"REPEAT 40 {{{body}}}\nREPEAT 20 {{{fewer}\n}}\n{none}",
    }[case]
    return stim.Circuit(f"{before}\n{middle}\n{after}")


@pytest.mark.parametrize(
    ("case", "slices"),
    [
        ("two rounds a turn", 62),
        ("two unlike rounds a turn", 62),
        ("two loops", 62),
        ("X, Y and Z in turn, 45 rounds", 45),
        ("X, Y and Z in turn, 46 rounds", 46),
    ],
)
def test_loops_of_all_kinds_are_decoded_as_if_unrolled(case: str, slices: int) -> None:
    circuit = looped(case)
    timeline, flat = Timeline.of(circuit, 6), circuit.flattened()
    assert len(timeline.detectors) < timeline.slices == slices
    assert [timeline.size(t) for t in range(slices)] == list(map(len, Timeline.of(flat, 6).detectors))
    events, flips = sampled(circuit, 40)
    name = "bposd~3+3" if case.startswith("X") else "pymatching~3+3"
    found = [get(name).bind(each).decode_batch(events).observables for each in (circuit, flat)]
    assert (found[0] == found[1]).all()
    assert 0 < (found[0] != flips).sum() < 40


def test_loops_without_coordinates_or_in_which_time_does_not_go_on() -> None:
    circuit = str(generated(40))
    bare = stim.Circuit(re.sub(r"\(\d, \d, \d\)", "", circuit).replace("SHIFT_COORDS", ""))
    timeline = Timeline.of(bare, 6)
    assert (len(timeline.detectors) < 30, timeline.slices) == (True, 41)
    assert Timeline.of(stim.Circuit(circuit.replace("SHIFT_COORDS(0, 0, 1)", "")), 6).slices == 2
    backwards = Timeline.of(stim.Circuit(circuit.replace("SHIFT_COORDS(0, 0, 1)", "SHIFT_COORDS(0, 0, -1)")), 6)
    assert len(backwards.detectors) == backwards.slices == 40


def test_million_rounds_need_little_memory() -> None:
    """A stream keeps the rounds of a window, however long it runs: less than 100 kB in 4,000 rounds of 10^6."""
    made = windows(get("pymatching"), circuit_of(rounds=1_000_000))
    assert made.slices == 1_000_001
    events, _ = sampled(circuit_of(rounds=402), 1)
    stream = Stream(made)
    stream.push(events[:, :4])
    stream.push(events[:, 4:-4])
    tracemalloc.start()
    for _ in range(9):
        stream.push(events[:, 4:-4])
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert stream.rounds == 1 + 10 * 401
    assert stream.committed > stream.rounds - 7
    assert grown < 100_000


def test_circuits_that_others_made() -> None:
    for task, rounds in (("surface_code:rotated_memory_x", 12), ("repetition_code:memory", 20)):
        circuit = stim.Circuit.generated(
            task, distance=3, rounds=rounds, after_clifford_depolarization=0.004, before_measure_flip_probability=0.004
        )
        events, flips = sampled(circuit, 500)
        found = get("pymatching~3+3").bind(circuit).decode_batch(events).observables
        whole = get("pymatching").bind(circuit).decode_batch(events).observables
        assert (found != flips).sum() <= (whole != flips).sum() + 5
    circuit = stim.Circuit.generated(
        "surface_code:rotated_memory_x", distance=3, rounds=9, after_reset_flip_probability=0.01
    )
    assert (cascade.load("local_surface").stream(circuit, shots=3).push(np.zeros((3, 4), bool)) == 0).all()


def test_without_coordinates_the_code_tells_the_rounds() -> None:
    circuit = circuit_of(rounds=9)
    bare = stim.Circuit("\n".join(line for line in str(circuit.flattened()).splitlines() if "COORDS" not in line))
    bare = stim.Circuit(re.sub(r"DETECTOR\([^)]*\)", "DETECTOR", str(bare)))
    events, _ = sampled(circuit, 50)
    found = [get("pymatching~3+3").bind(each).decode_batch(events).observables for each in (circuit, bare)]
    assert (found[0] == found[1]).all()
    with pytest.raises(CascadeError, match=r"expected detectors with coordinates \(x, y, t\)"):
        windows(get("pymatching"), stim.DetectorErrorModel("error(0.1) D0 L0\ndetector D1"))
    more = stim.DetectorErrorModel(f"{bare.detector_error_model(decompose_errors=True)}\ndetector D{len(events[0])}")
    with pytest.raises(CascadeError, match=rf"to know when they arrive, got none for D{len(events[0])}"):
        windows(get("pymatching"), more)


def test_errors_name_both_sides() -> None:
    circuit = circuit_of(rounds=5)
    stream = cascade.load("local_surface").stream(circuit)
    events, _ = sampled(circuit, 1)
    with pytest.raises(CascadeError, match="4 detectors for round 1, got 3 detectors"):
        stream.push(events[:, :3])
    with pytest.raises(CascadeError, match=r"expects the events of rounds as \[1, detectors\], got \[4\]"):
        stream.push(events[0, :4])
    stream.push(events[:, :12])
    with pytest.raises(CascadeError, match="expected 3 more rounds before the readout"):
        stream.finish(events[:, -4:])
    stream.push(events[:, 12:-4])
    with pytest.raises(CascadeError, match="no more rounds, got 8 detectors"):
        stream.push(events[:, :8])
    with pytest.raises(CascadeError, match="whole rounds of the readout: 4 detectors"):
        stream.finish(events[:, -5:])
    assert stream.finish(events[:, -4:]).observables.shape == (1, 1)
    with pytest.raises(CascadeError, match="the readout: no more rounds, got 4 detectors"):
        stream.finish(events[:, -4:])
    with pytest.raises(CascadeError, match="commit and look ahead 1 round at least, got 0 and 3"):
        windows(get("pymatching"), circuit, commit=0, buffer=3)
    with pytest.raises(CascadeError, match="commit and look ahead 1 round at least, got 3 and 0"):
        get("pymatching~3+0")  # before any other decoder has begun
    with pytest.raises(CascadeError, match="unknown method 'seams': did you mean seam"):
        windows(get("pymatching"), circuit, method="seams")  # pyright: ignore[reportArgumentType]
    likely = stim.DetectorErrorModel(
        "error(0.9) D0 L0\nerror(0.1) D0 D1\nerror(0.1) D1\ndetector(0, 0) D0\ndetector(0, 1) D1"
    )
    with pytest.raises(CascadeError, match="probability 1/2 at most"):
        windows(get("pymatching"), likely, commit=1, buffer=1)


def test_errors_that_reach_far_need_windows_that_do() -> None:
    """Each flips the last of three rounds, too: with windows that look two ahead every answer is right."""
    model = "error(0.1) D0 D2 L0\nerror(0.1) D0\ndetector(0, 0, 0) D0\nshift_detectors(0, 0, 1) 1\n"
    dem = stim.DetectorErrorModel(model * 9 + "detector(0, 0, 0) D0\ndetector(0, 0, 1) D1")
    errors = Mechanisms.of(dem)
    events = np.zeros((len(errors.probability), errors.detectors), dtype=np.bool_)
    events[errors.owner, errors.detector] = True
    for windowed in ("1+2", "seam2+2", "1+10"):
        assert (get(f"pymatching~{windowed}").bind(dem).decode_batch(events).observables == errors.observables).all()
    for windowed, message in (
        ("2+1", r"look ahead 2 .* got 2\+1"),
        ("seam1+2", r"decide and look ahead 2 .* got 1\+2"),
    ):
        with pytest.raises(CascadeError, match=f"expected windows that {message}"):
            get(f"pymatching~{windowed}").bind(dem)


def test_fallbacks_decide_whole_shots() -> None:
    paired = get("cascade:local_surface+bposd-lowest")
    with pytest.raises(CascadeError, match="without a fallback, which decides whole shots, got cascade:local_surface"):
        windows(paired, circuit_of())
    with pytest.raises(CascadeError, match="without a fallback"):  # before any shots are taken
        get("cascade:local_surface+bposd-lowest~5+5")


def test_windows_of_both_methods() -> None:
    made = windows(get("pymatching"), circuit_of(rounds=9), commit=4, buffer=2)
    seams = windows(get("pymatching"), circuit_of(rounds=9), commit=4, buffer=2, method="seam")
    for each, expected in (
        (made, [Window("carry", 0, 0, 4, 6, 6), Window("carry", 4, 4, 10, 10, 10)]),
        (
            seams,
            [
                Window("seam", 2, 2, 4, 6, 6),
                Window("segment", 0, 0, 4, 4, 6),
                Window("segment", 4, 4, 10, 10, 10),
            ],
        ),
    ):
        found = [each.after(None)]
        while found[-1] is not None:
            found.append(each.after(found[-1]))
        assert found[:-1] == expected


def test_streams_of_a_local_model_tell_how_sure_they_are() -> None:
    """Of 600 shots 71 fail where 114 are expected to, as chains at d = 3 are shorter than where gaps were measured.

    The half that is surer has 5 of them; of failures that know nothing of the confidence it would have 36, and 24 at
    most with probability 1e-3.
    """
    circuit = circuit_of(rounds=12, p=0.006)
    events, flips = sampled(circuit, 600)
    result = get("cascade:local_surface~3+3").bind(circuit).decode_batch(events)
    confidence = result.confidence_of("the stream")
    wrong = (result.observables != flips)[:, 0]
    assert wrong.sum() == pytest.approx((1 - confidence).sum(), rel=0.6)
    surer = confidence > np.median(confidence)
    assert wrong[surer].sum() < 0.3 * wrong.sum()
    assert get("cascade:local_surface~seam3+3").bind(circuit).decode_batch(events).confidence is not None
    assert get("pymatching~3+3").bind(circuit).decode_batch(events).confidence is None
