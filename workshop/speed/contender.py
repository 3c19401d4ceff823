"""One way of writing a recipe's training step, ready to be timed."""

from __future__ import annotations

import copy
import gc
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from statistics import median

import torch
import torch.nn.functional as F

from cascade_qec import codes, kernels
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import memory_lattice
from cascade_qec.nn import CascadeNetwork, Geometry
from cascade_qec.training import Recipe
from cascade_qec.training.feed import Batch, Examples
from cascade_qec.training.step import Step
from workshop.speed.stock_network import StockNetwork
from workshop.speed.timing import seconds

SHOT_MAJOR, SITE_MAJOR, COMPILED = "stock", "stock-sites", "stock-compiled"
STOCK = (SHOT_MAJOR, SITE_MAJOR)
"""What other variants are compared with: the faster of these that were measured."""

OURS = ("triton", "native", "reference")
VARIANTS = (*OURS, *STOCK, COMPILED)

_UPDATES = 4
_SLOW = 1.0

"""States, uint8 [sites, shots], and labels, float32 [shots, observables], on the device."""


@dataclass(frozen=True)
class Parts:
    """Seconds of a whole step's forward passes, backward passes and update, its shots at hand."""

    forward: float
    backward: float
    update: float


def check_variants(variants: Sequence[str], device: torch.device, known: Sequence[str] = VARIANTS) -> None:
    """Refuse variants that do not exist, not on this device, or stand there twice.

    Raises
    ------
    CascadeError
    """
    for variant in variants:
        if variant not in known:
            raise CascadeError(f"expected variants among {', '.join(known)}, got {variant!r}")
        if variant == "triton" and device.type != "cuda":
            raise CascadeError(f"expected a CUDA device for variant 'triton', got {device}")
    if not variants or len(set(variants)) != len(variants):
        raise CascadeError(f"expected each variant once, at least one, got {', '.join(variants) or 'none'}")


class Contender:
    """A network and its step in one variant.

    Where a micro-batch does not fit into the device's memory it is split in halves until it does.

    Parameters
    ----------
    variant : str
        "triton", "native" and "reference" are this project's network with each backend; "stock" and "stock-sites" the
        same network in stock PyTorch operations, shots or sites first, "stock-compiled" the former through
        `torch.compile`.
    recipe : Recipe
    batch : Batch
        One micro-batch of the recipe, to warm up with.
    device : torch.device
    dtype : torch.dtype

    Raises
    ------
    CascadeError
        If the device has no such variant.
    """

    def __init__(self, variant: str, recipe: Recipe, batch: Batch, *, device: torch.device, dtype: torch.dtype) -> None:
        check_variants([variant], device)
        self.variant, self.recipe, self.device, self.dtype = variant, recipe, device, dtype
        self.number = 0
        self.pieces = 1
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        while not self._prepared(batch):
            if recipe.batch.shots // self.pieces < 4:
                raise CascadeError(f"{recipe.name}: not even 4 shots fit into the memory of {device} ({variant})")
            self.pieces *= 2

    @property
    def shots(self) -> int:
        """Shots of each basis in a micro-batch, as it is run."""
        return self.recipe.batch.shots // self.pieces

    @property
    def micro_batches(self) -> int:
        return self.recipe.batch.micro_batches * self.pieces

    def step(self, batches: Iterator[Batch]) -> None:
        """One optimizer step on the next micro-batches of the recipe."""
        with self._backend():
            self._step(self._split(batches), self.number)
        self.number += 1

    def _prepared(self, batch: Batch) -> bool:
        """Time the parts and build the step, unless memory runs out."""
        try:
            with self._backend():
                self._prepare(next(self._split(iter([batch]))))
            return True
        except torch.OutOfMemoryError:
            pass  # leaving this clause frees what its traceback holds
        except CascadeError as error:
            if not isinstance(error.__cause__, torch.OutOfMemoryError):
                raise
        self.release()
        return False

    def _prepare(self, batch: Batch) -> None:
        recipe = self.recipe
        smaller = recipe.batch.model_copy(update={"shots": self.shots, "micro_batches": self.micro_batches})
        recipe = recipe.model_copy(update={"batch": smaller})
        network, geometry = build(recipe, self.variant)
        network, geometry = network.to(self.device), geometry.to(self.device)
        if self.variant == COMPILED:
            network.compile(dynamic=False)
        forward, backward = self._passes(network, geometry, batch)
        network.zero_grad(set_to_none=True)
        self._step = Step(
            network,
            copy.deepcopy(network).requires_grad_(False),
            geometry,
            Examples(recipe, self.device).questions,
            recipe,
            device=self.device,
            dtype=self.dtype,
            micros=range(self.micro_batches),
            graph=self.variant not in STOCK,
        )
        self._step.forward_backward(*batch)
        updates = [seconds(partial(self._step.update, number), self.device) for number in range(_UPDATES)]
        self.number = _UPDATES
        count = self.micro_batches
        self.parts = Parts(count * forward, count * backward, median(updates[1:]))
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _passes(self, network: CascadeNetwork, geometry: Geometry, batch: Batch) -> tuple[float, float]:
        """Seconds of one micro-batch's forward and backward pass, launched one operation after another."""
        states, labels, *_ = batch
        network.train()
        times: list[tuple[float, float]] = []
        # The first call compiles and tunes. Slow ones need no median.
        while len(times) < 2 or (len(times) < 4 and sum(times[-1]) < _SLOW):
            loss: list[torch.Tensor] = []

            def forward(loss: list[torch.Tensor] = loss) -> None:
                logits = network(states, geometry, self.dtype)
                loss.append(F.binary_cross_entropy_with_logits(logits, labels))

            ahead = seconds(forward, self.device)
            times.append((ahead, seconds(loss[0].backward, self.device)))
        forwards, backwards = zip(*times[1:], strict=True)
        return median(forwards), median(backwards)

    def release(self) -> None:
        """Free the device's memory; the contender is of no use afterwards."""
        self.__dict__.pop("_step", None)
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _backend(self) -> AbstractContextManager[object]:
        return kernels.use(self.variant if self.variant in OURS else "reference")

    def _split(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        for states, labels, *_ in batches:
            # of one length each, which a captured step insists on
            for start in range(0, self.pieces * self.shots, self.shots):
                yield states[:, start : start + self.shots].contiguous(), labels[start : start + self.shots]


def build(recipe: Recipe, variant: str) -> tuple[CascadeNetwork, Geometry]:
    """A variant's untrained network and its geometry; equal seeds give equal weights."""
    code, settings = codes.get(recipe.code), recipe.network
    torch.manual_seed(recipe.seed)
    if variant in (*STOCK, COMPILED):
        network = StockNetwork(code, settings, site_major=variant == SITE_MAJOR)
    else:
        network = CascadeNetwork(code, settings)
    lattices = [memory_lattice(code, recipe.rounds, basis) for basis in recipe.bases]
    return network, Geometry(lattices, settings.convolution, recipe.operators)
