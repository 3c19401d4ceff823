"""Which precisions a device is given."""

import pytest
import torch

from cascade_qec.decoders.runtime import Runtime, choose
from cascade_qec.errors import CascadeError


@pytest.fixture
def chip(monkeypatch):
    """A CUDA device of a compute capability, as far as anybody asks."""

    def have(*capability: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA Something")

    return have


@pytest.mark.parametrize("capability", [(8, 9), (9, 0), (10, 0)])
def test_fp8_where_a_chip_has_it(capability, chip):
    chip(*capability)
    assert choose(device="cuda", precision="fp8") == Runtime("torch", "cuda", "fp8")
    assert choose("torch", "cuda:0", "float16") == Runtime("torch", "cuda:0", "float16")


def test_a_chip_without_fp8_is_refused(chip):
    chip(8, 0)
    with pytest.raises(CascadeError, match=r"multiplies in FP8 .*8\.9 or more.*got NVIDIA Something, which has 8\.0"):
        choose(device="cuda", precision="fp8")
    assert choose(device="cuda", precision="float16").precision == "float16"


@pytest.mark.parametrize("precision", ["float16", "fp8"])
def test_cpus_are_not_given_what_only_gpus_multiply(precision):
    with pytest.raises(CascadeError, match=f"expected a CUDA device for the precision {precision}, got cpu"):
        choose(device="cpu", precision=precision)
    with pytest.raises(
        CascadeError, match=f"expected a CPU and float32 for the runtime numpy, got cpu and {precision}"
    ):
        choose("numpy", "cpu", precision)
