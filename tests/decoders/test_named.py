"""Decoders by their names."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import stim

import cascade_qec
from cascade_qec import decoders
from cascade_qec.decoders import classical
from cascade_qec.decoders.discarding import Discarding
from cascade_qec.decoders.escalation import EscalatingDecoder
from cascade_qec.decoders.named import NamedModel
from cascade_qec.errors import CascadeError

BPOSD = classical.get("bposd-lowest")


@pytest.mark.parametrize(
    ("name", "model", "whose"),
    [
        ("cascade:bb72", "bb72", lambda named: named),
        ("cascade:bb72@0.99", "bb72", lambda named: Discarding(named, 0.99)),
        ("cascade:bb72@0.9999995", "bb72", lambda named: Discarding(named, 0.9999995)),
        ("cascade:bb72+bposd-lowest@0.9999995", "bb72", lambda named: EscalatingDecoder(named, BPOSD, 0.9999995)),
        ("cascade:bb72@1", "bb72", lambda named: Discarding(named, 1.0)),
        ("cascade:runs/a@b.safetensors", "runs/a@b.safetensors", lambda named: named),
        ("cascade:runs/a@b.safetensors@0.5", "runs/a@b.safetensors", lambda named: Discarding(named, 0.5)),
        ("cascade:runs/a+b.safetensors", "runs/a+b.safetensors", lambda named: named),
        ("cascade:bb72+bposd-lowest", "bb72", lambda named: EscalatingDecoder(named, BPOSD, 0.99)),
        ("cascade:bb72+bposd-lowest@0.5", "bb72", lambda named: EscalatingDecoder(named, BPOSD, 0.5)),
        ("cascade:a+b.safetensors+bposd-lowest", "a+b.safetensors", lambda named: EscalatingDecoder(named, BPOSD)),
    ],
)
def test_models_there_and_back(name, model, whose):
    decoder = decoders.get(name, device="cpu", precision="float32")
    assert decoder == whose(NamedModel(model, "cpu", "float32"))
    assert decoder.name == name
    assert pickle.loads(pickle.dumps(decoder)) == decoder


@pytest.mark.parametrize("threshold", ["0", "1.5", "-0.1", "nan"])
def test_thresholds_that_are_none(threshold):
    with pytest.raises(CascadeError, match=r"cascade:bb72: expected a threshold of confidence above 0 and up to 1"):
        decoders.get(f"cascade:bb72@{threshold}")


def test_classical_decoders_and_their_settings():
    assert decoders.get("bposd") is classical.get("bposd")
    assert decoders.settings(decoders.get("pymatching")) == "enable_correlations=False"
    with pytest.raises(CascadeError, match="unknown classical decoder 'mwpm'"):
        decoders.get("mwpm")
    with pytest.raises(CascadeError, match="unknown classical decoder 'mwpm'"):
        decoders.get("cascade:bb72+mwpm")


def test_a_models_settings_tell_its_weights(tiny_model):
    decoder = decoders.get(f"cascade:{tiny_model}@0.9", precision="float32")
    settings = decoders.settings(decoder)
    assert settings.startswith("weights_sha256=")
    assert settings.endswith("precision=float32, discard_below=0.9")


class Silent:
    """A decoder without settings that never sees a flip, and does not tell how sure it is."""

    name = "silent"

    def bind(self, experiment):
        class Bound:
            def decode_batch(self, detection_events, *, bit_packed=False):
                return decoders.DecodeResult(np.zeros((len(detection_events), experiment.num_observables), np.bool_))

        return Bound()


def test_only_decoders_that_know_their_confidence_discard(tiny_model):
    dem = stim.DetectorErrorModel("error(0.1) D0 L0")
    assert decoders.settings(Silent()) == ""
    bound = Discarding(Silent(), 0.9).bind(dem)
    with pytest.raises(CascadeError, match=r"expected a decoder that tells its confidence, got silent@0\.9"):
        bound.decode_batch([[True]])


def test_models_have_a_door_of_their_own():
    assert cascade_qec.models() == cascade_qec.zoo.names()
    assert set(cascade_qec.__all__) <= {*dir(cascade_qec)}
    for name in cascade_qec.__all__:
        assert getattr(cascade_qec, name) is not None


def test_decoders_by_name_do_without_pytorch():
    script = "import cascade_qec, sys; cascade_qec.decoders.get('cascade:bb72@0.9'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
