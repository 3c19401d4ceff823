import sys

import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.components import BeliefPropagation, Components, OrderedStatistics, PosteriorMatching
from cascade_qec.decoders import classical
from cascade_qec.decoders.classical import ClassicalDecoder, LowestBPOSD
from cascade_qec.decoders.classical.lowest import LowestSearch
from cascade_qec.decoders.projection import basis_detectors
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import memory_lattice

# All but the decoder of colour codes.
NAMES = [name for name in classical.names() if not name.startswith("chromobius")]


def _experiment(basis: str, p: float = 0.005) -> stim.Circuit:
    noise = circuits.UniformDepolarizing(p)
    return circuits.memory(codes.get("surface_d3"), rounds=3, basis=basis, noise=noise)


def _predictions(decoder: ClassicalDecoder, circuit: stim.Circuit, dets: np.ndarray) -> np.ndarray:
    return decoder.bind(circuit).decode_batch(dets).observables


def _failures(decoder: ClassicalDecoder, circuit: stim.Circuit, shots: int) -> int:
    dets, obs = circuit.compile_detector_sampler(seed=5).sample(shots, separate_observables=True)
    predictions = _predictions(decoder, circuit, dets)
    assert predictions.shape == obs.shape
    assert predictions.dtype == np.bool_
    return int((predictions != obs).any(axis=1).sum())


def test_binds_text_and_refuses_what_is_no_experiment():
    circuit = _experiment("Z")
    decoder = classical.get("pymatching")
    assert decoder.bind(str(circuit)).num_detectors == decoder.bind(circuit).num_detectors
    for wrong, told in (
        ("text", "text: expected a file of a Stim circuit, found none"),
        (3, "expected .* a path, got int"),
    ):
        with pytest.raises(CascadeError, match=told):
            decoder.bind(wrong)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("basis", ["X", "Z"])
def test_every_decoder_corrects(name, basis):
    circuit = _experiment(basis)
    # About 1.5 to 2 % of these shots fail, and 12 % without any decoding.
    assert _failures(classical.get(name), circuit, 1000) < 45
    _, obs = circuit.compile_detector_sampler(seed=5).sample(1000, separate_observables=True)
    assert obs.sum() > 90


# Not correlated matching, whose second pass goes astray on a few of these in so small a code, nor joint BP+LSD,
# whose propagation settles on less likely explanations of a few.
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("pymatching-correlated", "bplsd")])
def test_single_mechanisms_are_corrected(name):
    decoder = classical.get(name)
    circuit = _experiment("Z", p=0.001)
    dem = circuit.detector_error_model()
    sampler = dem.compile_sampler(seed=0)
    _, _, errors = sampler.sample(1, return_errors=True)
    each_once = np.eye(errors.shape[1], dtype=np.bool_)
    dets, obs, _ = sampler.sample(len(each_once), recorded_errors_to_replay=each_once)
    np.testing.assert_array_equal(_predictions(decoder, circuit, dets), obs)


def test_matching_gains_from_correlations_and_not_from_the_other_plane():
    circuit = _experiment("Z", p=0.01)
    shots = 20_000
    plain = _failures(classical.PyMatching(), circuit, shots)
    correlated = _failures(classical.PyMatching(enable_correlations=True), circuit, shots)
    filtered = _failures(classical.Filtered(classical.PyMatching()), circuit, shots)
    assert correlated < plain
    # Matching without correlations sees the planes apart, so the filter changes next to nothing.
    assert abs(filtered - plain) < 0.1 * plain


def test_filtered_decoder_ignores_the_other_plane():
    circuit = _experiment("X")
    dem = circuit.detector_error_model()
    dets = circuit.compile_detector_sampler(seed=3).sample(200)
    decoder = classical.get("bposd-filtered").bind(dem)
    scrambled = ~dets  # pyright: ignore[reportOperatorIssue]
    kept = basis_detectors(dem)
    scrambled[:, kept] = dets[:, kept]  # pyright: ignore[reportCallIssue]
    np.testing.assert_array_equal(decoder.decode_batch(scrambled).observables, decoder.decode_batch(dets).observables)


@pytest.mark.parametrize("name", ["bposd-filtered", "bposd-lowest"])
def test_bicycle_code_by_bposd(name):
    code = codes.get("bb72")
    circuit = circuits.memory(code, rounds=2, basis="Z", noise=circuits.UniformDepolarizing(0.001))
    assert _failures(classical.get(name), circuit, 200) <= 2


def test_bposd_lowest_takes_the_likeliest_set_of_all_orders_with_and_without_advice():
    circuit = circuits.memory(codes.get("bb72"), rounds=2, basis="Z", noise=circuits.UniformDepolarizing(0.01))
    errors = Mechanisms.of(error_model(circuit))
    prior = (np.log(errors.probability) - np.log1p(-errors.probability)).astype(np.float32)
    events = circuit.compile_detector_sampler(seed=3).sample(40)
    orders = list(BeliefPropagation(errors, prior, iterations=6, orders=3).orders(events))
    beliefs = np.random.default_rng(4).normal(0, 1, orders[0].shape).astype(np.float32)
    orders += [order + beliefs for order in orders]
    statistics = OrderedStatistics(errors, weights=prior, unlikely=1e-3)
    flips, costs = zip(*(statistics.decode_with_costs(order, events) for order in orders), strict=True)
    decoder, each = LowestBPOSD(iterations=6, orders=3).bind(circuit), np.arange(len(events))
    likeliest = np.argmin(costs[:3], axis=0)
    assert len(set(likeliest.tolist())) == 3
    np.testing.assert_array_equal(decoder.decode_batch(events).observables, np.array(flips)[likeliest, each])
    likeliest = np.argmin(costs, axis=0)
    assert (likeliest >= 3).any()
    assert isinstance(decoder.predict, LowestSearch)
    told = decoder.predict(events, lambda some: beliefs[some])
    np.testing.assert_array_equal(told.observables, np.array(flips)[likeliest, each])


def test_an_ensemble_of_searches_fails_less_often_than_one():
    circuit = circuits.memory(codes.get("gb48"), rounds=2, basis="Z", noise=circuits.UniformDepolarizing(0.01))
    # 72 and 62 of 200: the same in every run
    assert _failures(LowestBPOSD(members=5), circuit, 200) < _failures(LowestBPOSD(), circuit, 200)


def test_bposd_lowest_weighs_both_values_of_one_observable():
    code = codes.get("surface_d7")
    circuit = circuits.memory(code, rounds=4, basis="Z", noise=circuits.UniformDepolarizing(0.012))
    events = circuit.compile_detector_sampler(seed=3).sample(200)
    components = Components.of(Mechanisms.of(error_model(circuit)), memory_lattice(code, 4, "Z"))
    prior = np.log(components.prior / (1 - components.prior)).astype(np.float32)
    exact, _, gaps = PosteriorMatching(components).decode_with_gaps(np.tile(prior, (len(events), 1)), events)
    found = classical.get("bposd-lowest-filtered").bind(circuit).decode_batch(events)
    # of errors that can be matched, the lightest sets are known
    sure = gaps > 1
    assert sure.mean() > 0.8
    assert (found.observables != exact)[sure].sum() <= 2
    assert (np.abs(found.log_odds - gaps) < 0.01)[sure].mean() > 0.8


def test_bposd_lowest_is_no_surer_than_an_error_that_no_detector_sees_allows():
    dem = stim.DetectorErrorModel("error(0.1) D0\nerror(0.001) D0 L0\nerror(0.3) L0")
    found = classical.get("bposd-lowest").bind(dem).decode_batch([[False], [True]])
    np.testing.assert_array_equal(found.observables, [[False], [False]])
    assert found.log_odds == pytest.approx(np.log(0.7 / 0.3), rel=1e-4)


def test_bposd_has_the_defaults_of_stimbposd():
    import stimbposd.config as config

    assert classical.get("bposd").parameters == {
        "max_bp_iters": config.DEFAULT_MAX_BP_ITERS,
        "bp_method": config.DEFAULT_BP_METHOD,
        "osd_order": config.DEFAULT_OSD_ORDER,
        "osd_method": config.DEFAULT_OSD_METHOD,
    }


@pytest.mark.parametrize(("name", "theirs"), [("tesseract", "short"), ("tesseract-long-beam", "long")])
def test_tesseract_has_the_settings_of_its_authors(name, theirs):
    import tesseract_decoder

    config = tesseract_decoder.make_tesseract_sinter_decoders_dict()[f"tesseract-{theirs}-beam"]
    assert classical.get(name).parameters == {
        "beam": config.det_beam,
        "det_orders": config.num_det_orders,
        "pqlimit": config.pqlimit,
        "seed": config.seed,
    }
    assert config.beam_climbing
    assert config.no_revisit_dets


def test_sparse_tesseract_has_the_same_beams_and_leaves_errors_out():
    for name, whole, degree in (
        ("tesseract-sparse", "tesseract", 3),
        ("tesseract-sparse-long-beam", "tesseract-long-beam", 3),
        ("tesseract-sparse-surface", "tesseract-long-beam", 2),
    ):
        beam = classical.get(whole).parameters
        expected = {**beam, "sparsify_base_degree": degree, "sparsify_reactivate_limit": -1}
        assert classical.get(name).parameters == expected
    circuit = _experiment("Z")
    boundary_only = classical.SparseTesseract(sparsify_base_degree=1, sparsify_reactivate_limit=0)
    # without the errors that flip two detectors it fails in 10 % of the shots instead of 2 %
    assert _failures(boundary_only, circuit, 1000) > 2 * _failures(classical.TESSERACT_SPARSE_SURFACE, circuit, 1000)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("-filtered")])
def test_errors_that_cannot_happen_flip_nothing(name):
    model = stim.DetectorErrorModel("""
        repeat 2 {
            error(0.1) D0 L0
            error(0.1) D0 D1
            shift_detectors 1
        }
        error(0) D1 L1
    """)
    decoded = classical.get(name).bind(model).decode_batch(np.zeros((2, 4), np.bool_))
    np.testing.assert_array_equal(decoded.observables, np.zeros((2, 2), np.bool_))


@pytest.mark.parametrize("name", NAMES)
def test_no_shots_give_no_predictions(name):
    decoder = classical.get(name)
    circuit = _experiment("Z")
    assert _predictions(decoder, circuit, np.zeros((0, circuit.num_detectors), np.bool_)).shape == (0, 1)


def test_bplsd_has_the_settings_of_ldpc_but_for_its_iterations():
    from ldpc.sinter_decoders import SinterLsdDecoder  # pyright: ignore[reportPrivateImportUsage]

    theirs = SinterLsdDecoder()
    ours = classical.BPLSD()
    assert (theirs.ms_scaling_factor, theirs.schedule, theirs.lsd_order) == (
        ours.ms_scaling_factor,
        ours.schedule,
        ours.lsd_order,
    )
    assert theirs.max_iter == 0  # as many as there are mechanisms
    assert theirs.bp_method in ("ms", ours.bp_method)


def test_every_name_finds_its_own_decoder():
    decoders = [classical.get(name) for name in classical.names()]
    assert [decoder.name for decoder in decoders] == list(classical.names())
    assert len(set(decoders)) == len(decoders)
    assert {name.removesuffix("-filtered") for name in classical.names()} == {
        *(
            "pymatching",
            "pymatching-correlated",
            "bposd",
            "bposd-cs10",
            "bposd-lowest",
            "bposd-ensemble",
            "bplsd",
            "relay-bp",
            "relay-bp-surface",
        ),
        *("tesseract", "tesseract-long-beam", "chromobius"),
        *("tesseract-sparse", "tesseract-sparse-long-beam", "tesseract-sparse-surface"),
    }


def _colour_code(p: float, rounds: int = 3) -> stim.Circuit:
    """Steane's code as a colour code: its three checks of each kind, measured perfectly each round."""
    checks = {0: (0, 1, 2, 3), 1: (1, 2, 4, 5), 2: (2, 3, 5, 6)}
    circuit = stim.Circuit("R 0 1 2 3 4 5 6")
    products = " ".join("*".join(f"{pauli}{q}" for q in support) for pauli in "XZ" for support in checks.values())
    circuit.append_from_stim_program_text(f"MPP {products}")
    for t in range(rounds):
        circuit.append("DEPOLARIZE1", range(7), p)
        circuit.append_from_stim_program_text(f"MPP {products}")
        for colour in range(6):
            place = (colour, 0, t, colour)
            circuit.append("DETECTOR", [stim.target_rec(colour - 6), stim.target_rec(colour - 12)], place)
    circuit.append("M", range(7))
    circuit.append("OBSERVABLE_INCLUDE", [stim.target_rec(q - 7) for q in (0, 1, 4)], 0)
    return circuit


def test_colour_code_by_chromobius():
    circuit = _colour_code(0.01)
    # 3000 shots at seed 5. Three rounds with 2/3 % of bit flips on each of seven qubits: some 14 % of the shots
    # have a flip and 0.3 % a failure; without decoding, an odd number of flips on three qubits in 6 %.
    failed = _failures(classical.get("chromobius"), circuit, 3000)
    _, obs = circuit.compile_detector_sampler(seed=5).sample(3000, separate_observables=True)
    assert failed < 60 < 120 < obs.sum()


def test_chromobius_takes_shots_however_they_lie_in_memory():
    circuit = _colour_code(0.01)
    shots = circuit.compile_detector_sampler(seed=5).sample(100)
    bound = classical.get("chromobius").bind(circuit)
    found = [bound.decode_batch(each).observables for each in (shots, np.asfortranarray(shots))]
    np.testing.assert_array_equal(*found)


def test_colours_are_planes_of_three():
    coloured = enumerate([3, 4, 5, 0, 1, 2])
    dem = stim.DetectorErrorModel("\n".join(f"detector({i}, 0, {int(i < 3)}, {c}) D{i}" for i, c in coloured))
    assert list(basis_detectors(dem)) == [3, 4, 5]


@pytest.mark.parametrize("name", ["chromobius", "chromobius-filtered"])
def test_chromobius_refuses_codes_without_colours(name):
    decoder = classical.get(name)
    dem = _experiment("Z").detector_error_model()
    for refuse in (decoder.check, decoder.bind):
        with pytest.raises(CascadeError, match=r"chromobius decodes colour codes only.*got .*1"):
            refuse(dem)


@pytest.mark.parametrize("name", ["pymatching", "bposd-filtered"])
@pytest.mark.parametrize("dets", [np.zeros((2, 23), np.bool_), np.zeros(24, np.bool_), np.zeros((2, 24))])
def test_wrong_shots_are_refused(name, dets):
    decoder = classical.get(name)
    circuit = _experiment("Z")
    assert circuit.num_detectors == 24
    with pytest.raises(CascadeError, match=rf"{name} expects detection events .*, got "):
        _predictions(decoder, circuit, dets)


@pytest.mark.parametrize("name", ["pymatching", "pymatching-correlated"])
def test_matching_refuses_what_it_would_silently_leave_out(name):
    dem = _experiment("Z").detector_error_model(decompose_errors=False)
    with pytest.raises(CascadeError, match="at most two detectors"):
        classical.get(name).bind(dem)


def test_unknown_name_is_told_the_known_ones():
    with pytest.raises(CascadeError, match="unknown classical decoder 'mwpm': expected one of pymatching, "):
        classical.get("mwpm")


@pytest.mark.parametrize("name", ["bposd", "bplsd", "relay-bp", "tesseract-filtered"])
def test_missing_package_names_the_extra(name, monkeypatch):
    decoder = classical.get(name)
    package = getattr(decoder, "decoder", decoder).package
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CascadeError, match=rf'{package}.*pip install "cascade-qec\[classical\]"'):
        decoder.bind(_experiment("Z"))
