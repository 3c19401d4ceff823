"""Folded inference in plain PyTorch: no statistics, no gradients. `cascade_qec.kernels.fused.folded` does the same.

    begin        packed events -> states, the residual stream, and what the first block's convolution reads
    convolve     silu(sum over relations + bias), what the next convolution reads
    end_block    a block's last convolution, its share of the stream, and what the next block's convolution reads
    over_time    features -> what a logical head's convolution reads
    operators    what that wrote -> log-odds

Sums are in float32. A product's operands are of its weights' type; in FP8 its results are scaled by output channel.
Operands in FP8 are not scaled: a norm has made them of order one, and SiLU is never far below zero.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from cascade_qec.kernels.lattice_convolution import convolved
from cascade_qec.kernels.relations import Links
from cascade_qec.lattice.relations import ABSENT_SITE, Span

FP8 = torch.float8_e4m3fn
MOST = 448.0
"""The largest number in FP8."""


class Product(NamedTuple):
    """``scale (x weight) + bias``.

    Attributes
    ----------
    weight : [inputs, outputs], or [planes, relations, inputs, outputs]
        Its inputs lie one after the other in memory, as the matrix units of FP8 want them.
    scale, bias : float32 [outputs]
    """

    weight: torch.Tensor
    scale: torch.Tensor
    bias: torch.Tensor

    @classmethod
    def of(
        cls,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32] | None,
        dtype: torch.dtype,
        device: torch.device,
    ) -> Product:
        """Of weights as `cascade_qec.engine.Weights` has them."""
        exact = torch.from_numpy(weight)
        scale = torch.ones(weight.shape[-1])
        if dtype == FP8:
            scale = exact.flatten(0, -2).abs().amax(dim=0).clamp(min=1e-30) / MOST
            exact = exact / scale
        shift = torch.zeros_like(scale) if bias is None else torch.from_numpy(bias)
        stored = exact.mT.contiguous().to(device=device, dtype=dtype).mT
        return cls(stored, scale.to(device), shift.to(device))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """float32 [..., outputs] from float32 [..., inputs]."""
        weight = widened(self.weight)
        return torch.addcmul(self.bias, (widened(stored(x, self.weight.dtype)) @ weight).float(), self.scale)


class Readers(NamedTuple):
    """Which sites a convolution's sites read, on a device.

    Attributes
    ----------
    table : int64 [sites_out, relations]
        As many as there are sites to be read, where there is none.
    spans : tuple of Span
    links : Links
    """

    table: torch.Tensor
    spans: tuple[Span, ...]
    links: Links

    @classmethod
    def of(cls, read: NDArray[np.int32], plane: NDArray[np.int32], sites_in: int, device: torch.device) -> Readers:
        """From sites that are read, -1 for none, int32 [sites_out, relations], and planes, int32 [sites_out]."""
        table = torch.from_numpy(np.where(read == ABSENT_SITE, sites_in, read).astype(np.int64))
        bounds = [0, *(np.flatnonzero(np.diff(plane)) + 1).tolist(), len(plane)]
        spans = tuple(Span(start, stop, int(plane[start])) for start, stop in pairwise(bounds))
        return cls(table.to(device), spans, Links.of(read, plane[:, None], device))


class Sites(NamedTuple):
    """How a site's state is read, and what a network makes of it at first.

    Attributes
    ----------
    byte, kind : int32 [sites]
    shift, mask, fill : uint8 [sites]
        As `cascade_qec.engine.Tables` has them.
    stream : [kinds * 3, width]
        The embedding.
    narrow : [kinds * 3, channels]
        What the first block's convolution reads of it.
    """

    byte: torch.Tensor
    kind: torch.Tensor
    shift: torch.Tensor
    mask: torch.Tensor
    fill: torch.Tensor
    stream: torch.Tensor
    narrow: torch.Tensor


class Ending(NamedTuple):
    """How a block ends, and what reads the stream behind it: ``active = silu(scale stream + shift)``.

    Attributes
    ----------
    up : Product
    scale, shift : float32 [width]
    then : Product or None
        What is made of ``active``: the next block's first product, or a local head's. None of a logical head, which
        gets ``active`` itself.
    last : bool
        Whether no block follows, and the stream is not kept.
    dtype : torch.dtype
        Of what ``then`` makes.
    """

    up: Product
    scale: torch.Tensor
    shift: torch.Tensor
    then: Product | None
    last: bool
    dtype: torch.dtype

    def after(self, stream: torch.Tensor) -> torch.Tensor:
        """What is made of the stream, float32 [..., width]."""
        active = silu(torch.addcmul(self.shift, stream, self.scale))
        if self.then is None:
            return active
        made = self.then(active)
        return made if self.last else silu(made)


class Asked(NamedTuple):
    """What a logical head is asked about a segment of an experiment.

    Attributes
    ----------
    sites : int32 [places, slices]
        Of each check place: in the slices of the segment, and in the one behind it where there is one.
    own : int
        Slices of the segment.
    order, position : int32 [2 * places]
        Which sum, over its own slices or over all but the first of `sites`, each input of its convolution is, and the
        reverse.
    start, place : int32 [operators + 1], [entries]
        Data places of operator o are ``place[start[o]:start[o + 1]]``.
    begin, check : int32 [operators + 1], [entries]
        Sites of the checks in operator o are ``check[begin[o]:begin[o + 1]]``. The first segment has those of the whole
        experiment, others have none.
    share : float
    hidden : Product
        In float32.
    output : float32 [hidden]
    output_bias : float
    exact : bool
        Whether float32 is multiplied as such, and not rounded to the bits of TF32, where a chip has that.
    """

    sites: torch.Tensor
    own: int
    order: torch.Tensor
    position: torch.Tensor
    start: torch.Tensor
    place: torch.Tensor
    begin: torch.Tensor
    check: torch.Tensor
    share: float
    hidden: Product
    output: torch.Tensor
    output_bias: float
    exact: bool


def begin(packed: torch.Tensor, sites: Sites) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """States, uint8 [sites, shots], the stream and the first convolution's input, from uint8 [bytes, shots]."""
    states = packed.index_select(0, sites.byte) >> sites.shift[:, None] & sites.mask[:, None] | sites.fill[:, None]
    rows = (sites.kind[:, None] + states).flatten()
    stream, narrow = (_rows(table, rows).unflatten(0, states.shape) for table in (sites.stream, sites.narrow))
    return states, stream, narrow


def convolve(
    x: torch.Tensor, by: Product, readers: Readers, dtype: torch.dtype, *, activate: bool = True
) -> torch.Tensor:
    """A step of a block's convolution: [sites_out, shots, outputs] of a type, from [sites_in, shots, inputs]."""
    planes, relations, inputs, outputs = by.weight.shape
    weight = widened(by.weight).permute(0, 3, 1, 2).reshape(planes, outputs, relations * inputs)
    y = convolved(widened(x), weight, readers.table, readers.spans).float()
    y = torch.addcmul(by.bias, y, by.scale)
    return stored(silu(y) if activate else y, dtype)


def end_block(
    x: torch.Tensor, by: Product, readers: Readers, stream: torch.Tensor, ending: Ending
) -> tuple[torch.Tensor | None, torch.Tensor]:
    """A block's last convolution and what follows it.

    Parameters
    ----------
    x : [sites_in, shots, channels]
        What the convolution reads.
    stream : [sites, shots, width]

    Returns
    -------
    stream : [sites, shots, width], or None behind the last block
    after : [sites, shots, ...]
        What the ending makes of it, of its type.
    """
    after = stream.float() + ending.up(convolve(x, by, readers, torch.float32))
    return None if ending.last else after.to(stream.dtype), stored(ending.after(after), ending.dtype)


def over_time(features: torch.Tensor, asked: Asked) -> torch.Tensor:
    """Sums over time of each check place's features, [sites, shots, width], as a logical head's convolution reads."""
    by_time = features.index_select(0, asked.sites.flatten()).unflatten(0, asked.sites.shape)
    own = by_time[:, : asked.own].sum(dim=1, dtype=torch.float32)
    later = own - by_time[:, 0] + by_time[:, asked.own :].sum(dim=1)
    sums = torch.stack([own, later], dim=1).flatten(0, 1)
    return sums.index_select(0, asked.order).to(features.dtype)


def operators(read: torch.Tensor, states: torch.Tensor, asked: Asked) -> torch.Tensor:
    """Log-odds that operators are odd, float32 [shots, operators].

    Parameters
    ----------
    read : float32 [data places, shots, width]
    states : uint8 [sites, shots]
    """
    count = len(asked.start) - 1
    logical = asked.share * _summed(read, asked.place, asked.start).view(count, *read.shape[1:])
    logits = silu(asked.hidden(logical)) @ asked.output + asked.output_bias
    odd = _summed((states & 1).float(), asked.check, asked.begin) % 2
    return (logits * (1 - 2 * odd)).t().contiguous()


def either(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Log-odds that one of two things holds and the other does not, from theirs."""
    return torch.logaddexp(a, b) - torch.nn.functional.softplus(a + b)


def silu(x: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.silu(x)


def stored(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Numbers of another type; those too large for FP8 become its largest."""
    return (x.clamp(-MOST, MOST) if dtype == FP8 else x).to(dtype)


def widened(x: torch.Tensor) -> torch.Tensor:
    """Numbers of a type that everything can multiply: those in FP8 as they are, in float32."""
    return x.float() if x.dtype == FP8 else x


def _rows(table: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    if table.dtype == FP8:  # of which no rows can be selected on a CPU
        return table.view(torch.uint8).index_select(0, rows).view(FP8)
    return table.index_select(0, rows)


def _summed(x: torch.Tensor, entries: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    """Sums over the rows ``entries[start[i]:start[i + 1]]`` of float32 [rows, ...]."""
    owner = torch.repeat_interleave(torch.arange(len(start) - 1, device=x.device), start.diff())
    members = torch.zeros(len(start) - 1, len(x), device=x.device)
    members.index_put_((owner, entries.long()), torch.ones_like(owner, dtype=members.dtype), accumulate=True)
    return (members @ x.flatten(1)).view(-1, *x.shape[1:])
