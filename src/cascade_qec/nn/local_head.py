"""The head that is asked about faults: features at every site in, one logit for each component of the noise out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32

from cascade_qec.nn.geometry import Geometry


class LocalHead(torch.nn.Module):
    """One row of weights for each type of component, on the features of the site that owns it.

    Parameters
    ----------
    width : int
        Channels of the trunk's features.
    types : int
    """

    def __init__(self, width: int, types: int) -> None:
        super().__init__()
        self.output = torch.nn.Parameter(torch.zeros(types, width))
        self.output_bias = torch.nn.Parameter(torch.zeros(types))

    def forward(
        self, features: Float[torch.Tensor, "sites shots width"], geometry: Geometry
    ) -> Float32[torch.Tensor, "shots components"]:
        """float32 [shots, components] from [sites, shots, width]: log-odds that a component is flipped."""
        by_type = F.linear(features, self.output.to(features.dtype)).float() + self.output_bias
        return by_type[geometry.owner, :, geometry.type_of].t()

    def begin(self, priors: Float32[torch.Tensor, " types"]) -> None:
        """Begin by saying of each component how likely those of its type are: float32 [types]."""
        with torch.no_grad():
            self.output_bias.copy_(torch.logit(priors))
