"""The lattice convolution alone: ours in both backends, stock PyTorch, and cuDNN's or oneDNN's for surface codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F

from cascade_qec import codes, kernels
from cascade_qec.codes import RotatedSurfaceCode
from cascade_qec.errors import CascadeError
from cascade_qec.kernels import Relations, lattice_convolution
from cascade_qec.lattice import Lattice, concatenate, convolution_tables, memory_lattice
from cascade_qec.tables import circumstances
from cascade_qec.training import Recipe
from workshop.speed.contender import COMPILED, OURS, SITE_MAJOR, STOCK, VARIANTS, check_variants
from workshop.speed.rows import SpeedRow
from workshop.speed.stock_network import shot_major_convolution, site_major_convolution
from workshop.speed.timing import seconds

_REPEATS = 5
_GRID = "conv3d"

Timed = Callable[[], torch.Tensor]
"""A forward pass whose output can be differentiated."""


class ConvolutionRow(SpeedRow):
    """Speed of all steps of one block's convolution, on random activations.

    Attributes
    ----------
    shots, channels, relations, bases
        `relations` of each step, as "12+12".
    forward_ms, backward_ms : float
        Backward is both gradients.
    tflops : float
        Forward and backward, in 1e12 operations per second; relations that do not exist count for nothing.
    ratio_to_stock : float or None
        Of the times, those of the faster of "stock" and "stock-sites" over this one's.
    """

    shots: int
    channels: int
    relations: str
    bases: str
    forward_ms: float
    backward_ms: float
    tflops: float
    ratio_to_stock: float | None


def convolution_variants(recipe: Recipe, device: torch.device) -> list[str]:
    """What can be measured for a recipe on a device; "stock-compiled" can too, but has to be asked for on a CPU."""
    surface = isinstance(codes.get(recipe.code), RotatedSurfaceCode)
    on_gpu = device.type == "cuda"
    ours = dict.fromkeys([kernels.backend(device), "reference"])
    return [*ours, *STOCK, *(["stock-compiled"] if on_gpu else []), *([_GRID] if surface else [])]


def convolution_speeds(
    recipe: Recipe, *, variants: Sequence[str], device: torch.device, dtype: torch.dtype, shots: int
) -> list[ConvolutionRow]:
    """Measure one block's convolution in several variants, which take turns.

    Parameters
    ----------
    recipe : Recipe
        Gives tables and channels.
    variants : sequence of str
        "triton", "native", "reference", "stock" and "stock-sites" (gather, then a product; shots or sites first),
        "stock-compiled" (the former through `torch.compile`), "conv3d" (surface codes: channels last, over the
        whole grid of plaquettes).
    shots : int
        Of each basis.

    Raises
    ------
    CascadeError
        If a variant is unknown or none of this recipe's or device's.
    """
    check_variants(variants, device, (*VARIANTS, _GRID))
    lattices = [memory_lattice(codes.get(recipe.code), recipe.rounds, basis) for basis in recipe.bases]
    case = _Case(recipe, lattices, device, dtype, shots)
    calls = {variant: case.variant(variant) for variant in variants}
    times: dict[str, list[tuple[float, float]]] = {variant: [] for variant in variants}
    for _ in range(1 + _REPEATS):
        for variant, steps in calls.items():
            times[variant].append(_time(steps, device))
    operations = 6 * case.products
    rows = []
    for variant, measured in times.items():
        forward, backward = (median(column) for column in zip(*measured[1:], strict=True))
        rows.append(
            ConvolutionRow(
                recipe=recipe.name,
                variant=variant,
                device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
                precision=str(dtype).removeprefix("torch."),
                threads=torch.get_num_threads(),
                shots=shots,
                channels=recipe.network.channels,
                relations="+".join(str(r.relations) for r in case.relations),
                bases="".join(recipe.bases),
                forward_ms=1000 * forward,
                backward_ms=1000 * backward,
                tflops=operations / (forward + backward) / 1e12,
                ratio_to_stock=None,  # of all rows together
                **circumstances(),
            )
        )
    stock = min((row.forward_ms + row.backward_ms for row in rows if row.variant in STOCK), default=None)
    if stock is None:
        return rows
    return [row.model_copy(update={"ratio_to_stock": stock / (row.forward_ms + row.backward_ms)}) for row in rows]


def _time(steps: Sequence[Timed], device: torch.device) -> tuple[float, float]:
    """Seconds forward and backward, summed over the steps of a convolution."""
    forward = backward = 0.0
    for step in steps:
        output: list[torch.Tensor] = []
        forward += seconds(lambda step=step, output=output: output.append(step()), device)
        gradient = torch.randn_like(output[0])
        backward += seconds(lambda output=output, gradient=gradient: output[0].backward(gradient), device)
    return forward, backward


class _Case:
    """Tables, inputs and weights of a recipe's convolution."""

    def __init__(
        self, recipe: Recipe, lattices: list[Lattice], device: torch.device, dtype: torch.dtype, shots: int
    ) -> None:
        self.recipe, self.lattices, self.device, self.dtype, self.shots = recipe, lattices, device, dtype, shots
        settings = recipe.network
        tables = [convolution_tables(lattice.frame, settings.convolution, lattice.slices) for lattice in lattices]
        steps = [concatenate(step) for step in zip(*tables, strict=True)]
        self.relations = [Relations(table).to(device) for table in steps]
        channels = settings.channels
        links = sum(int((table.table >= 0).sum()) for table in steps)
        self.products = links * shots * channels * (1 if settings.depthwise else channels)
        torch.manual_seed(recipe.seed)
        self.weights = [self._leaf(*self._weight_shape(r)) for r in self.relations]

    def variant(self, name: str) -> list[Timed]:
        """The steps of the convolution in one variant."""
        if name == _GRID:
            return self._on_grids()
        make = self._ours if name in OURS else self._gathered
        return [make(name, *step) for step in zip(self.relations, self.weights, strict=True)]

    def _ours(self, backend: str, relations: Relations, weight: torch.Tensor) -> Timed:
        x = self._leaf(relations.sites_in, self.shots, self.recipe.network.channels)
        planes = weight if self.recipe.network.depthwise else weight.view(relations.planes_out, -1, weight.shape[1])

        def call() -> torch.Tensor:
            with kernels.use(backend):
                return lattice_convolution(x, planes, relations)

        return call

    def _gathered(self, variant: str, relations: Relations, weight: torch.Tensor) -> Timed:
        sizes = [relations.sites_in, self.shots]
        x = self._leaf(*(sizes if variant == SITE_MAJOR else sizes[::-1]), self.recipe.network.channels)
        function = site_major_convolution if variant == SITE_MAJOR else shot_major_convolution
        if variant == COMPILED:
            function = torch.compile(function, dynamic=False)
        return lambda: function(x, weight, relations, self.recipe.network.depthwise)

    def _on_grids(self) -> list[Timed]:
        if not isinstance(self.lattices[0].code, RotatedSurfaceCode):
            raise CascadeError(f"expected a surface code for variant 'conv3d', got {self.recipe.code}")
        d, slices, settings = self.lattices[0].code.d, self.lattices[0].slices, self.recipe.network
        # on the grid both bases are the same, and so are shots of two bases and twice the shots of one
        x = self._leaf(self.shots * len(self.lattices), settings.channels, slices, d + 1, d + 1)
        kernel = self._leaf(settings.channels, 1 if settings.depthwise else settings.channels, 3, 3, 3)
        for leaf in (x, kernel):
            leaf.data = leaf.data.contiguous(memory_format=torch.channels_last_3d)
        groups = settings.channels if settings.depthwise else 1
        return [lambda: F.conv3d(x, kernel, padding=1, groups=groups)]

    def _weight_shape(self, relations: Relations) -> tuple[int, int]:
        settings = self.recipe.network
        columns = relations.relations * settings.channels
        return relations.planes_out * (1 if settings.depthwise else settings.channels), columns

    def _leaf(self, *shape: int) -> torch.Tensor:
        scale = float(np.prod(shape[1:])) ** -0.5 if len(shape) == 2 else 1.0
        values = scale * torch.randn(shape, device=self.device)
        return values.to(self.dtype).requires_grad_()
