"""Measuring itself: that rows say what was run. How fast it was is no matter here."""

import csv
from pathlib import Path

import pytest
import torch

from cascade_qec.errors import CascadeError
from cascade_qec.kernels import backend
from workshop.speed import DeviceRates, convolution_speeds, convolution_variants, floor, measure_rates
from workshop.speed import contender as contenders
from workshop.speed.contender import Contender
from workshop.speed.pipeline import pipeline
from workshop.speed.training import training_speeds, with_shots

CPU = torch.device("cpu")
OURS = [*dict.fromkeys([backend(CPU), "reference"])]
RATES = DeviceRates(copy=1e9, matrix=1e12)


def speeds(recipe, variants, **settings):
    defaults = {"device": CPU, "dtype": torch.float32, "rates": RATES, "seconds": 0.03, "workers": 0}
    return training_speeds(recipe, variants=variants, **defaults | settings)


def test_rows_of_training(tiny, tmp_path: Path):
    recipe = tiny(batch={"shots": 8, "micro_batches": 2})
    told = []
    rows = speeds(recipe, ["reference", "stock", "stock-sites"], profile=tmp_path, report=told.append)
    assert [row.variant for row in rows] == ["reference", "stock", "stock-sites"]
    stock = max(row.shots_per_second for row in rows[1:])
    for row in rows:
        assert (row.recipe, row.shots, row.micro_batches, row.bases, row.seed) == ("tiny", 8, 2, "ZX", 7)
        assert (row.device, row.precision, row.threads, row.peak_memory_gib) == ("cpu", "float32", 1, None)
        assert row.shots_per_second == pytest.approx(2 * 8 * 2 / (row.step_ms / 1000))
        assert row.utilisation == pytest.approx(floor(recipe).operations * row.shots_per_second / 1e12)
        assert row.copy_share == pytest.approx(floor(recipe, itemsize=4).bytes * row.shots_per_second / 1e9)
        assert row.ratio_to_stock == pytest.approx(row.shots_per_second / stock)
        assert min(row.forward_ms, row.backward_ms, row.optimizer_ms, row.data_ms) > 0
        assert row.data_ms < row.step_ms
        assert row.shots_per_core_second is not None
        assert "torch" in row.versions
    assert {path.name for path in tmp_path.iterdir()} == {"tiny_reference.csv", "tiny_reference.txt"}
    with (tmp_path / "tiny_reference.csv").open() as file:
        shares = [float(line["share"]) for line in csv.DictReader(file)]
    assert sum(shares) == pytest.approx(1, abs=0.02)
    assert "aten::" in (tmp_path / "tiny_reference.txt").read_text()
    assert len(told) == 3 * (1 + 3)


def test_without_stock_there_is_no_ratio(tiny):
    assert [row.ratio_to_stock for row in speeds(tiny(), ["reference"])] == [None]


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        (["fast"], "expected variants among triton, native, reference, stock"),
        (["triton"], "expected a CUDA device for variant 'triton', got cpu"),
        (["stock", "stock"], "expected each variant once"),
        ([], "expected each variant once"),
    ],
)
def test_variants_that_cannot_be_measured_are_refused(tiny, variants, message):
    with pytest.raises(CascadeError, match=message):
        speeds(tiny(), variants)


def test_a_micro_batch_that_does_not_fit_is_halved(tiny, monkeypatch):
    recipe = tiny(batch={"shots": 18})
    original = contenders.StockNetwork.forward

    def small_memory(self, states, *arguments):
        if states.shape[1] > 5:
            raise torch.OutOfMemoryError("full")
        return original(self, states, *arguments)

    monkeypatch.setattr(contenders.StockNetwork, "forward", small_memory)
    (row,) = speeds(recipe, ["stock"])
    assert (row.shots, row.micro_batches) == (4, 4)  # two of the eighteen shots are left over
    assert row.shots_per_second == pytest.approx(4 * 4 * 2 / (row.step_ms / 1000))

    monkeypatch.setattr(contenders.StockNetwork, "forward", lambda *_: small_memory(None, torch.empty(1, 9)))
    with pytest.raises(CascadeError, match="not even 4 shots fit into the memory of cpu"):
        speeds(recipe, ["stock"])


def test_a_contender_trains(tiny):
    """What is timed is the training step and not something like it: the weights move."""
    with pipeline(tiny(), CPU, 0) as batches:
        contender = Contender("reference", tiny(), next(batches), device=CPU, dtype=torch.float32)
        network = contender._step.network
        before = network.trunk.embedding.detach().clone()
        number = contender.number
        contender.step(batches)
    assert contender.number == number + 1
    assert not torch.equal(network.trunk.embedding, before)


def test_shots_replace_the_recipes_micro_batches(tiny):
    recipe = tiny(batch={"shots": 8, "micro_batches": 4})
    assert with_shots(recipe, None) is recipe
    batch = with_shots(recipe, 6).batch
    assert (batch.shots, batch.micro_batches) == (6, 1)


@pytest.mark.parametrize(
    ("recipe", "relations", "variants"),
    [
        ({}, "27", [*OURS, "stock", "stock-sites", "conv3d"]),
        (
            {"code": "bb72", "network": {"convolution": "bipartite", "depthwise": True}},
            "12+12",
            [*OURS, "stock", "stock-sites"],
        ),
    ],
    ids=["surface", "depthwise bipartite"],
)
def test_rows_of_the_convolution(tiny, recipe, relations, variants):
    recipe = tiny(**recipe)
    assert convolution_variants(recipe, CPU) == variants
    rows = convolution_speeds(recipe, variants=variants, device=CPU, dtype=torch.float32, shots=3)
    assert [row.variant for row in rows] == variants
    stock = min(row.forward_ms + row.backward_ms for row in rows if row.variant.startswith("stock"))
    operations = floor(recipe).training["convolution"] * 3 * 2  # three shots of each basis, one block
    for row in rows:
        milliseconds = row.forward_ms + row.backward_ms
        assert (row.relations, row.channels, row.shots, row.bases) == (relations, 2, 3, "ZX")
        assert row.tflops == pytest.approx(operations / milliseconds / 1e9)
        assert row.ratio_to_stock == pytest.approx(stock / milliseconds)


@pytest.mark.parametrize(
    ("variant", "message"),
    [("conv3d", "expected a surface code"), ("triton", "expected a CUDA device"), ("x", "expected variants among")],
)
def test_convolutions_that_do_not_exist_are_refused(tiny, variant, message):
    recipe = tiny(code="bb72", network={"convolution": "bipartite"})
    with pytest.raises(CascadeError, match=message):
        convolution_speeds(recipe, variants=[variant], device=CPU, dtype=torch.float32, shots=3)


def test_rates_are_of_what_was_moved_and_multiplied(monkeypatch):
    from workshop.speed import device_rates

    monkeypatch.setattr(device_rates, "median_seconds", lambda call, device, repeats: [call(), 0.5][1])
    rates = measure_rates(CPU, torch.bfloat16, copy_bytes=4000, size=10)
    assert rates == DeviceRates(copy=2 * 4000 / 0.5, matrix=2 * 10**3 / 0.5)
