"""The lattice convolution over a relation table, forward and both gradients; here in plain PyTorch.

    y[s, b, :] = sum_r  W[plane(s), r] x[table[s, r], b, :]

No scatter-add anywhere: the gradient to ``x`` is the same operation with the inverse table and transposed weights,
and the gradient to ``W`` is the product of ``x`` with the output gradient gathered by that same inverse table.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from cascade_qec.kernels.choice import attempt, backend
from cascade_qec.kernels.compiled import NativeConvolution, convolution_fits
from cascade_qec.kernels.relations import Relations
from cascade_qec.lattice.relations import Span
from cascade_qec.native import native

_CHUNK_BYTES = 1_500_000
"""Bytes of gathered neighbours per core and step: what stays in a core's second-level cache."""


def lattice_convolution(x: torch.Tensor, weight: torch.Tensor, relations: Relations) -> torch.Tensor:
    """Convolve over a relation table.

    Parameters
    ----------
    x : [sites_in, shots, channels_in]
    weight : [planes, channels_out, relations * channels_in], in x's dtype
        Or [planes, relations * channels] for the depthwise convolution, which keeps channels apart.
    relations : Relations

    Returns
    -------
    [sites_out, shots, channels_out]
    """

    def reference() -> torch.Tensor:
        return _LatticeConvolution.apply(x, weight, relations)

    def fused() -> torch.Tensor:
        from cascade_qec.kernels.fused.convolution import FusedConvolution

        return FusedConvolution.apply(x, weight, relations, reference)

    chosen, module = backend(x.device), native()
    if chosen == "native" and module is not None and convolution_fits(module, x, weight):
        return NativeConvolution.apply(x, weight, module, relations)
    return attempt(fused, reference) if chosen == "triton" else reference()


def convolved(x: torch.Tensor, weight: torch.Tensor, table: torch.Tensor, spans: tuple[Span, ...]) -> torch.Tensor:
    """`lattice_convolution` in plain PyTorch, over int64 [sites_out, relations], sites_in where there is none."""
    rows = _channels_first(x)
    y = x.new_empty(len(table), x.shape[1], weight.shape[1] if weight.dim() == 3 else x.shape[2])
    for sites, plane, gathered in _neighbours(rows, table, spans):
        _product(gathered, weight[plane], out=y[sites])
    return y


class _LatticeConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, relations):  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.save_for_backward(x, weight)
        ctx.relations = relations
        return convolved(x, weight, relations.table, relations.spans_out)

    @staticmethod
    def backward(ctx, grad_y):  # pyright: ignore[reportIncompatibleMethodOverride]
        x, weight = ctx.saved_tensors
        relations: Relations = ctx.relations
        backward_weights = [_transposed(weight, planes, relations.relations) for planes in relations.reader_planes]
        rows = _channels_first(grad_y)
        grad_x = torch.empty_like(x)
        sums: list[torch.Tensor | float] = [0.0] * len(relations.reader_planes)
        for sites, plane, gathered in _neighbours(rows, relations.inverse, relations.spans_in):
            _product(gathered, backward_weights[plane], out=grad_x[sites])
            sums[plane] = sums[plane] + _weight_gradient(gathered, x[sites], weight.dim() == 3)
        grad_weight = torch.zeros(weight.shape, dtype=_accumulator(weight), device=weight.device)
        for total, planes in zip(sums, relations.reader_planes, strict=True):
            assert isinstance(total, torch.Tensor)
            _add_transposed(grad_weight, total, planes, relations.relations)
        return grad_x, grad_weight.to(weight.dtype), None


def _channels_first(x: torch.Tensor) -> torch.Tensor:
    """[sites, shots, channels] -> [sites + 1, channels, shots], the last row zero.

    Gathered rows of this layout lie one below the other, so that a site's relations and channels are one
    contraction index and a single matrix product does them all.
    """
    rows = x.new_empty(x.shape[0] + 1, x.shape[2], x.shape[1])
    rows[:-1] = x.transpose(1, 2)
    rows[-1] = 0
    return rows


def _neighbours(
    rows: torch.Tensor, table: torch.Tensor, spans: tuple[Span, ...]
) -> Iterator[tuple[slice, int, torch.Tensor]]:
    """Chunks of (sites, their plane, neighbours [sites, relations, channels, shots])."""
    row_bytes = max(1, table.shape[1] * rows[0].numel() * rows.element_size())
    cores = torch.get_num_threads() if rows.device.type == "cpu" else 1024
    step = max(1, cores * _CHUNK_BYTES // row_bytes)
    for span in spans:
        for start in range(span.start, span.stop, step):
            stop = min(start + step, span.stop)
            gathered = rows.index_select(0, table[start:stop].reshape(-1))
            yield slice(start, stop), span.plane, gathered.view(stop - start, table.shape[1], *rows.shape[1:])


def _product(gathered: torch.Tensor, weight: torch.Tensor, *, out: torch.Tensor) -> None:
    """[sites, relations, channels, shots] with one plane's weight into [sites, shots, channels_out]."""
    sites, relations, channels, shots = gathered.shape
    if weight.dim() == 1:  # depthwise: an elementwise product, summed over relations
        product = gathered * weight.view(relations, channels, 1)
        out.copy_(product.sum(dim=1, dtype=_accumulator(gathered)).transpose(1, 2))
        return
    stacked = gathered.view(sites, relations * channels, shots)
    if shots == 1:  # whose sites are the rows of a single product
        torch.mm(stacked.squeeze(2), weight.t(), out=out.view(sites, -1))
        return
    torch.bmm(stacked.transpose(1, 2), weight.t().expand(sites, -1, -1), out=out)


def _accumulator(x: torch.Tensor) -> torch.dtype:
    """Sums run in float32 at least."""
    return torch.promote_types(x.dtype, torch.float32)


def _weight_gradient(gathered: torch.Tensor, x: torch.Tensor, dense: bool) -> torch.Tensor:
    """Gathered output gradients [sites, relations, channels_out, shots] with x [sites, shots, channels_in].

    Returns [relations, channels_out, channels_in], or [relations, channels] for depthwise.
    """
    sites, relations, channels_out, shots = gathered.shape
    if not dense:
        return (gathered * x.transpose(1, 2)[:, None]).sum(dim=(0, 3), dtype=_accumulator(gathered))
    stacked = gathered.view(sites, relations * channels_out, shots)
    return torch.bmm(stacked, x).sum(dim=0, dtype=_accumulator(gathered)).view(relations, channels_out, -1)


def _transposed(weight: torch.Tensor, planes: list[int], relations: int) -> torch.Tensor:
    """Weights by which an input plane multiplies what its readers hand back, one reader plane per relation."""
    if weight.dim() == 2:
        by_relation = weight.view(weight.shape[0], relations, -1)
        return torch.stack([by_relation[plane, r] for r, plane in enumerate(planes)]).reshape(-1)
    by_relation = weight.view(weight.shape[0], weight.shape[1], relations, -1)
    blocks = [by_relation[plane, :, r].t() for r, plane in enumerate(planes)]
    return torch.cat(blocks, dim=1)


def _add_transposed(grad_weight: torch.Tensor, total: torch.Tensor, planes: list[int], relations: int) -> None:
    """Add one input plane's share to the weight gradient; the inverse of `_transposed`."""
    if grad_weight.dim() == 2:
        by_relation = grad_weight.view(grad_weight.shape[0], relations, -1)
        for r, plane in enumerate(planes):
            by_relation[plane, r] += total[r]
        return
    by_relation = grad_weight.view(grad_weight.shape[0], grad_weight.shape[1], relations, -1)
    for r, plane in enumerate(planes):
        by_relation[plane, :, r] += total[r]
