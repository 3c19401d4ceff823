import sys

import numpy as np
import pytest
import stim

from cascade_qec import circuits, codes
from cascade_qec.decoders import classical
from cascade_qec.decoders.projection import basis_detectors
from cascade_qec.errors import CascadeError


def _experiment(basis: str, p: float = 0.005) -> stim.Circuit:
    noise = circuits.UniformDepolarizing(p)
    return circuits.memory(codes.get("surface_d3"), rounds=3, basis=basis, noise=noise)


def _model(decoder: classical.ClassicalDecoder, circuit: stim.Circuit) -> stim.DetectorErrorModel:
    return circuit.detector_error_model(decompose_errors=decoder.decomposed)


def _failures(decoder: classical.ClassicalDecoder, circuit: stim.Circuit, shots: int) -> int:
    dets, obs = circuit.compile_detector_sampler(seed=5).sample(shots, separate_observables=True)
    predictions = decoder.compile(_model(decoder, circuit)).predict(dets)
    assert predictions.shape == obs.shape
    assert predictions.dtype == np.bool_
    return int((predictions != obs).any(axis=1).sum())


@pytest.mark.parametrize("name", classical.names())
@pytest.mark.parametrize("basis", ["X", "Z"])
def test_every_decoder_corrects(name, basis):
    circuit = _experiment(basis)
    # About 1.5 to 2 % of these shots fail, and 12 % without any decoding.
    assert _failures(classical.get(name), circuit, 1000) < 45
    _, obs = circuit.compile_detector_sampler(seed=5).sample(1000, separate_observables=True)
    assert obs.sum() > 90


# Not correlated matching: its second pass goes astray on a few of these in so small a code.
@pytest.mark.parametrize("name", [name for name in classical.names() if name != "pymatching-correlated"])
def test_single_mechanisms_are_corrected(name):
    decoder = classical.get(name)
    circuit = _experiment("Z", p=0.001)
    dem = circuit.detector_error_model()
    sampler = dem.compile_sampler(seed=0)
    _, _, errors = sampler.sample(1, return_errors=True)
    each_once = np.eye(errors.shape[1], dtype=np.bool_)
    dets, obs, _ = sampler.sample(len(each_once), recorded_errors_to_replay=each_once)
    np.testing.assert_array_equal(decoder.compile(_model(decoder, circuit)).predict(dets), obs)


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
    decoder = classical.get("bposd-filtered").compile(dem)
    scrambled = ~dets
    kept = basis_detectors(dem)
    scrambled[:, kept] = dets[:, kept]
    np.testing.assert_array_equal(decoder.predict(scrambled), decoder.predict(dets))


def test_bicycle_code_by_bposd():
    code = codes.get("bb72")
    circuit = circuits.memory(code, rounds=2, basis="Z", noise=circuits.UniformDepolarizing(0.001))
    assert _failures(classical.get("bposd-filtered"), circuit, 200) <= 2


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


@pytest.mark.parametrize("name", classical.names())
def test_no_shots_give_no_predictions(name):
    decoder = classical.get(name)
    circuit = _experiment("Z")
    compiled = decoder.compile(_model(decoder, circuit))
    assert compiled.predict(np.zeros((0, circuit.num_detectors), np.bool_)).shape == (0, 1)


@pytest.mark.parametrize("name", ["pymatching", "bposd-filtered"])
@pytest.mark.parametrize("dets", [np.zeros((2, 23), np.bool_), np.zeros(24, np.bool_), np.zeros((2, 24), np.uint8)])
def test_wrong_shots_are_refused(name, dets):
    decoder = classical.get(name)
    circuit = _experiment("Z")
    assert circuit.num_detectors == 24
    with pytest.raises(CascadeError, match=rf"{name} .*bool \[shots, 24\], got {dets.dtype} "):
        decoder.compile(_model(decoder, circuit)).predict(dets)


@pytest.mark.parametrize("name", ["pymatching", "pymatching-correlated"])
def test_matching_refuses_what_it_would_silently_leave_out(name):
    dem = _experiment("Z").detector_error_model(decompose_errors=False)
    with pytest.raises(CascadeError, match="at most two detectors"):
        classical.get(name).compile(dem)


def test_unknown_name_is_told_the_known_ones():
    with pytest.raises(CascadeError, match="unknown classical decoder 'mwpm'; expected one of pymatching, "):
        classical.get("mwpm")


@pytest.mark.parametrize("name", ["bposd", "tesseract-filtered"])
def test_missing_package_names_the_extra(name, monkeypatch):
    decoder = classical.get(name)
    monkeypatch.setitem(sys.modules, decoder.package, None)
    with pytest.raises(CascadeError, match=rf'{decoder.package}.*pip install "cascade-qec\[classical\]"'):
        decoder.compile(_model(decoder, _experiment("Z")))
