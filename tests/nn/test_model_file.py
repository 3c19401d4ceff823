import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from cascade_qec import codes
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import memory_lattice
from cascade_qec.model import ModelDescription, model_bytes
from cascade_qec.nn import Geometry, load_network, state_of


@pytest.fixture
def model_file(tmp_path: Path, lively_network) -> Path:
    network = lively_network("surface_d3", convolution="direct")
    path = tmp_path / "model.safetensors"
    path.write_bytes(model_bytes(state_of(network), description_of(network)))
    return path


def description_of(network) -> ModelDescription:
    return ModelDescription(
        name="lively", code="surface_d3", rounds=3, bases=["Z", "X"], noise_p=0.004, network=network.settings
    )


def rewritten(path: Path, *, without: str = "", **changes) -> Path:
    """The same file with another description, and perhaps without one of its weights."""
    with safe_open(path, framework="pt") as file:
        description = json.loads(file.metadata()["cascade"])
        tensors = {name: file.get_tensor(name) for name in file.keys() if name != without}  # noqa: SIM118
    description.pop("sha256")
    description["network"] |= changes.pop("network", {})
    changes = {"format": 2} | changes  # which need no digest
    save_file(tensors, path, metadata={"cascade": json.dumps(description | changes)})
    return path


def test_a_file_holds_the_whole_model(model_file, lively_network):
    network = lively_network("surface_d3", convolution="direct")
    loaded, description = load_network(model_file)
    assert description == description_of(network)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    lattice = memory_lattice(codes.get("surface_d3"), 4, "X")
    states = torch.randint(0, 3, (lattice.sites, 50), generator=torch.Generator().manual_seed(1)).byte()
    geometry = Geometry([lattice], "direct")
    assert torch.equal(loaded(states, geometry), network(states, geometry))
    assert model_bytes(state_of(loaded), description) == model_file.read_bytes()


@pytest.mark.parametrize("kept", [0, 5, 100, -1])
def test_truncated_files_are_refused(model_file, kept):
    model_file.write_bytes(model_file.read_bytes()[:kept])
    with pytest.raises(CascadeError, match=rf"cannot read model file {model_file}: "):
        load_network(model_file)


def test_files_that_are_no_models_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    with pytest.raises(CascadeError, match=f"cannot read model file {path}: "):
        load_network(path)
    path.write_text("no safetensors at all, but long enough to hold a header")
    with pytest.raises(CascadeError, match=f"cannot read model file {path}: "):
        load_network(path)
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(CascadeError, match=f"expected a Cascade model in {path}, got .* without its description"):
        load_network(path)
    for text in ("{}", "not JSON", "[1]"):
        save_file({"weight": torch.zeros(3)}, path, metadata={"cascade": text})
        with pytest.raises(CascadeError, match=f"the description in model file {path} cannot be read"):
            load_network(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"network": {"width": 16}},
            r"expected head\.hidden\.weight of shape \(32, 16\), got \(16, 8\)",
        ),
        (
            {"network": {"depth": 3}},
            r"expected trunk\.blocks\.2\.convolutions\.0\.weight of shape \(4, 108\), got none",
        ),
        (
            {"network": {"depth": 1}},
            r"expected trunk\.blocks\.1\.convolutions\.0\.weight of shape none, got \(4, 108\)",
        ),
        ({"without": "head.output_bias"}, r"expected head\.output_bias of shape \(1,\), got none"),
        ({"network": {"convolution": "bipartite"}}, "expected convolution 'direct', got 'bipartite'"),
        ({"network": {"convolution": "spiral"}}, "description .* cannot be read"),
        ({"code": "surface_d4"}, "odd"),
        ({"code": "golay"}, "unknown code 'golay'"),
        ({"bases": []}, "description .* cannot be read"),
        ({"bases": ["Y"]}, "description .* cannot be read"),
        ({"rounds": 0}, "description .* cannot be read"),
        ({"format": 4}, "description .* cannot be read"),
    ],
)
def test_weights_that_do_not_fit_their_description_are_refused(model_file, changes, message):
    with pytest.raises(CascadeError, match=message):
        load_network(rewritten(model_file, **changes))


def test_any_flipped_bit_is_noticed(model_file):
    """The digest is of the description, and of names, types, shapes and bytes of all weights; by fixed places."""
    whole = model_file.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    random = np.random.default_rng(1)
    places = [*random.integers(0, 8 * header, 250), *random.integers(8 * header, 8 * len(whole), 250)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        model_file.write_bytes(damaged)
        with pytest.raises(CascadeError, match=re.escape(str(model_file))):
            load_network(model_file)


def test_a_digest_cannot_be_left_out(model_file):
    with safe_open(model_file, framework="pt") as file:
        text, tensors = file.metadata()["cascade"], {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors, model_file, metadata={"cascade": text.partition(',"sha256"')[0] + "}"})
    with pytest.raises(CascadeError, match="is damaged: its contents do not match the digest"):
        load_network(model_file)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(model_file, value, lively_network):
    network = lively_network("surface_d3", convolution="direct")
    network.head.output[0] = value
    model_file.write_bytes(model_bytes(state_of(network), description_of(network)))
    with pytest.raises(CascadeError, match=r"expected finite weights, got NaN or infinity in head\.output"):
        load_network(model_file)


def test_files_from_before_digests_can_be_read(model_file):
    network, description = load_network(rewritten(model_file, format=2))
    assert (description.format, description.name) == (3, "lively")
    assert network.settings.width == 8
