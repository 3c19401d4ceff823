"""Which device and precision a name means."""

import pytest
import torch

from cascade_qec.device import pick_device, pick_dtype
from cascade_qec.errors import CascadeError
from cascade_qec.kernels.cpu import keep_pages

CPU = torch.device("cpu")


@pytest.fixture
def gpus(monkeypatch):
    """Pretend that there are so many GPUs."""

    def pretend(number):
        monkeypatch.setattr(torch.cuda, "device_count", lambda: number)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: number > 0)

    return pretend


def test_auto_is_a_gpu_where_there_is_one(gpus):
    gpus(0)
    assert pick_device("auto") == CPU
    gpus(1)
    assert pick_device("auto") == torch.device("cuda")
    assert pick_device("cpu") == CPU


def test_a_gpu_by_its_number(gpus):
    gpus(2)
    assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(CascadeError, match="expected a CUDA device for 'cuda:2', found 2"):
        pick_device("cuda:2")
    gpus(0)
    with pytest.raises(CascadeError, match="expected a CUDA device for 'cuda', found none"):
        pick_device("cuda")


@pytest.mark.parametrize("name", ["gpu", "mps", "", "cuda:one", "cuda:-1"])
def test_other_names_are_refused(name):
    with pytest.raises(CascadeError, match=f"expected device auto, cpu, cuda or cuda:N, got '{name}'"):
        pick_device(name)


def test_precision():
    assert pick_dtype("float32", CPU) == torch.float32
    assert pick_dtype("bfloat16", CPU) == torch.bfloat16
    with pytest.raises(CascadeError, match="expected precision auto, float32 or bfloat16, got 'float16'"):
        pick_dtype("float16", CPU)


def test_auto_precision_follows_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    for compiled, multiplies, supported, dtype in (
        (None, False, True, torch.bfloat16),
        (None, False, False, torch.float32),
        (torch, True, True, torch.bfloat16),  # any module
        (torch, False, True, torch.float32),  # kernels of narrower instructions than the chip's
    ):
        monkeypatch.setattr("cascade_qec.device.native", lambda compiled=compiled: compiled)
        monkeypatch.setattr("cascade_qec.device.native_bfloat16", lambda multiplies=multiplies: multiplies)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda supported=supported: supported)
        assert pick_dtype("auto", CPU) == dtype


def test_keeping_pages_is_harmless_anywhere(monkeypatch):
    keep_pages.cache_clear()
    keep_pages()
    assert torch.ones(1000, 1000).sum() == 1e6
    keep_pages.cache_clear()
    monkeypatch.setattr("sys.platform", "darwin")
    keep_pages()
