"""The head that is asked about logical operators: features at every site in, one logit for each operator out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32

from cascade_qec.codes import CSSCode
from cascade_qec.lattice import data_relations
from cascade_qec.nn.geometry import Geometry
from cascade_qec.nn.layers import BatchNorm, Pointwise


class LogicalHead(torch.nn.Module):
    """Last convolution to data qubits, sum over each operator's support, MLP; for each segment, and then together.

    Parameters
    ----------
    code : CSSCode
        Gives the number of relations and planes.
    width : int
        Channels of the trunk's features.
    in_segments : bool
        Read what `cascade_qec.model.ModelDescription.lengthened` says: the last shot is silent, tells what to subtract
        from the sums of the others, and is not answered.
    """

    def __init__(self, code: CSSCode, width: int, in_segments: bool = False) -> None:
        super().__init__()
        self.in_segments = in_segments
        table = data_relations(code.frame("Z"), 2)
        self.to_data = Pointwise(table.planes_out * table.relations * width, width)
        self.norm = BatchNorm(width)
        self.hidden = Pointwise(width, 2 * width)
        self.hidden_bias = torch.nn.Parameter(torch.zeros(2 * width))
        self.output = torch.nn.Parameter(torch.zeros(1, 2 * width))
        self.output_bias = torch.nn.Parameter(torch.zeros(1))

    def forward(
        self, features: Float[torch.Tensor, "sites shown width"], geometry: Geometry
    ) -> Float32[torch.Tensor, "shots operators"]:
        """float32 [shots, operators] from [sites, shots, width], where a silent one may be the last."""
        sums = geometry.operator_sums(features, self.to_data.weight)
        if self.in_segments:
            sums = sums[:, :-1] - geometry.operator_sums.silence(sums[:, -1:])
        hidden = F.silu(self.hidden(self.norm(sums)) + self.hidden_bias)
        return geometry.operator_sums.together(F.linear(hidden, self.output, self.output_bias).squeeze(-1)).t()
