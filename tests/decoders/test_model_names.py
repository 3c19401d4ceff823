"""Names of models among decoders."""

import pytest

from cascade_qec.decoders.model_names import NamedModel
from cascade_qec.errors import CascadeError


@pytest.mark.parametrize(
    ("name", "model", "threshold"),
    [
        ("cascade:bb72", "bb72", None),
        ("cascade:bb72@0.99", "bb72", 0.99),
        ("cascade:bb72@1", "bb72", 1.0),
        ("cascade:runs/a@b.safetensors", "runs/a@b.safetensors", None),
        ("cascade:runs/a@b.safetensors@0.5", "runs/a@b.safetensors", 0.5),
    ],
)
def test_there_and_back(name, model, threshold):
    named = NamedModel.of(name)
    assert (named.model, named.discard_below) == (model, threshold)
    assert str(named) == name


@pytest.mark.parametrize("threshold", ["0", "1.5", "-0.1", "nan"])
def test_thresholds_that_are_none(threshold):
    with pytest.raises(CascadeError, match=r"cascade:bb72@.*: expected a threshold of confidence above 0 and up to 1"):
        NamedModel.of(f"cascade:bb72@{threshold}")
