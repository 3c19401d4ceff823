"""Attention in the convolution's place: against the formula written out, its sizes, and who refuses it."""

import numpy as np
import pytest
import torch

from cascade_qec import codes
from cascade_qec.decoders.loading import load
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import UNSEEN, convolution_tables, memory_lattice, relative_positions
from cascade_qec.model import HEAD_CHANNELS, ModelDescription, NetworkSettings, model_bytes
from cascade_qec.nn import load_network, network_of, state_of
from cascade_qec.nn.attention import Attention, Views

BOTH = pytest.mark.parametrize("mixer", ["local_attention", "full_attention"])


def description_of(mixer, **network) -> ModelDescription:
    settings = {"width": 16, "depth": 2, "bottleneck": 2, "convolution": "direct", "mixer": mixer} | network
    return ModelDescription(
        name="attentive",
        code="surface_d3",
        rounds=2,
        bases=["Z"],
        noise_p=0.1,
        network=NetworkSettings.model_validate(settings),
    )


@BOTH
def test_it_is_the_formula_site_by_site(mixer):
    torch.manual_seed(0)
    lattice = memory_lattice(codes.get("surface_d3"), 2, "Z")
    positions = relative_positions(lattice.frame, lattice.slices, mixer)
    layer = Attention(8, 1 + int(positions.max())).requires_grad_(False).double()
    x = torch.randn(lattice.sites, 3, 8, dtype=torch.float64)
    query, key, value = (x @ of.weight.T for of in (layer.query, layer.key, layer.value))
    expected = torch.empty_like(x)
    for site in range(lattice.sites):
        seen = np.flatnonzero(positions[site] != UNSEEN)
        for head in range(2):
            part = slice(head * HEAD_CHANNELS, (head + 1) * HEAD_CHANNELS)
            scores = torch.einsum("bc,sbc->sb", query[site, :, part], key[seen][:, :, part]) / HEAD_CHANNELS**0.5
            weights = (scores + layer.position_bias[positions[site, seen], head, None]).softmax(dim=0)
            expected[site, :, part] = torch.einsum("sb,sbc->bc", weights, value[seen][:, :, part])
    torch.testing.assert_close(layer(x, Views([lattice], mixer)), expected @ layer.output.weight.T)


@pytest.mark.parametrize(("code", "rounds"), [("surface_d5", 2), ("bb90", 1)])
def test_local_attention_sees_what_the_direct_convolution_reads(code, rounds):
    lattice = memory_lattice(codes.get(code), rounds, "Z")
    (table,) = convolution_tables(lattice.frame, "direct", lattice.slices)
    positions = relative_positions(lattice.frame, lattice.slices, "local_attention")
    seen = [sorted(np.flatnonzero(row != UNSEEN).tolist()) for row in positions]
    assert seen == [sorted(set(row[row >= 0].tolist())) for row in table.table]
    assert all(site in row for site, row in enumerate(seen))
    everywhere = relative_positions(lattice.frame, lattice.slices, "full_attention")
    assert UNSEEN not in everywhere
    # a neighbour's position tells it from the others, as the relation does, but for BB codes' far neighbours
    assert code == "bb90" or all(len(set(everywhere[site, row].tolist())) == len(row) for site, row in enumerate(seen))


@BOTH
def test_a_file_holds_the_whole_model_and_no_runtime_decodes_with_it(mixer, tmp_path):
    torch.manual_seed(1)
    description = description_of(mixer)
    network = network_of(description)
    path = tmp_path / "attentive.safetensors"
    path.write_bytes(model_bytes(state_of(network), description))
    loaded, found = load_network(path)
    assert found == description
    assert model_bytes(state_of(loaded), found) == path.read_bytes()
    assert description.parameters() == sum(parameter.numel() for parameter in network.parameters())
    with pytest.raises(CascadeError, match=f"expected a model that convolves, got attentive with mixer '{mixer}'"):
        load(path)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ({"convolution": "bipartite"}, "expected convolution 'direct' and no depthwise one"),
        ({"depthwise": True}, "expected convolution 'direct' and no depthwise one"),
        ({"bottleneck": 8}, "expected width / bottleneck to be a multiple of 4 .* got 2"),
        ({"mixer": "attention"}, "local_attention"),
    ],
)
def test_settings_that_contradict_attention_are_refused(network, message):
    with pytest.raises(ValueError, match=message):
        description_of(**{"mixer": "local_attention"} | network)


def test_files_of_convolutions_say_nothing_of_mixers():
    """So that releases from before mixers read them, and digests stay."""
    assert "mixer" not in description_of("convolution").model_dump_json()
    assert description_of("full_attention").network.model_dump()["mixer"] == "full_attention"


def test_experiments_with_too_many_pairs_of_sites_are_refused():
    lattice = memory_lattice(codes.get("surface_d11"), 40, "Z")
    with pytest.raises(CascadeError, match="expected an experiment of at most 4,096 sites for attention, got 4,920"):
        relative_positions(lattice.frame, lattice.slices, "local_attention")
