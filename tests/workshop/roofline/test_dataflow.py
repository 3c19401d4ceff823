"""Memory of the dataflow design."""

import pytest

from cascade_qec import codes
from cascade_qec.errors import CascadeError
from cascade_qec.model import NetworkSettings
from cascade_qec.nn import CascadeNetwork
from workshop.roofline import dataflow_memory, shape_of


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize(("code", "style"), [("surface_d3", "direct"), ("bb72", "bipartite")])
def test_weights_are_those_of_the_network(code: str, style, depthwise: bool) -> None:
    """But for normalisation, whose scale is folded into them."""
    settings = NetworkSettings(width=32, depth=1, convolution=style, depthwise=depthwise)
    block = CascadeNetwork(codes.get(code), settings).trunk.blocks.get_submodule("0")
    matrices = sum(p.numel() for name, p in block.named_parameters() if not name.startswith("norm"))
    memory = dataflow_memory("depthwise" if depthwise else "convolution", shape_of(code), width=32)
    assert memory.weights == matrices


def test_sizes_of_the_supplements_code() -> None:
    """ "Dataflow architecture": distance 19 at H = 256 in FP8; one round waits for the residual connection."""
    shape = shape_of("surface_d19")
    memory = dataflow_memory("convolution", shape, width=256)
    assert memory.weights == 2 * 256 * 64 + 27 * 64**2
    assert memory.residual == 360 * 256
    assert memory.halo == 2 * 360 * 64  # the rounds before and after
    assert memory.total == memory.weights + memory.residual + memory.halo
    assert dataflow_memory("depthwise", shape, width=256).weights == 2 * 256 * 64 + 27 * 64


def test_the_model_fits_on_a_chip() -> None:
    """Same section: "10-50 MB of on-chip block RAM, so the entire model fits on-chip without external memory"."""
    shape = shape_of("surface_d19")
    assert 19 * dataflow_memory("convolution", shape, width=256).total < 10e6
    assert 19 * dataflow_memory("depthwise", shape, width=512).total < 10e6
    gross = shape_of("bb144")
    assert 12 * dataflow_memory("convolution", gross, width=256).total < 10e6


def test_attention_has_no_such_design() -> None:
    with pytest.raises(CascadeError, match=r"expected architecture convolution or depthwise .* got 'full_attention'"):
        dataflow_memory("full_attention", shape_of("bb72"), width=64)
    with pytest.raises(CascadeError, match="positive multiple of 4"):
        dataflow_memory("convolution", shape_of("bb72"), width=5)
