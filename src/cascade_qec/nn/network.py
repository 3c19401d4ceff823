"""The Cascade network (arXiv 2604.08358): detection events in, logits of what its head is asked about out."""

from __future__ import annotations

import torch
from jaxtyping import Float32, UInt8

from cascade_qec.codes import CSSCode
from cascade_qec.lattice import ABSENT
from cascade_qec.model import NetworkSettings
from cascade_qec.nn.geometry import Geometry
from cascade_qec.nn.local_head import LocalHead
from cascade_qec.nn.logical_head import LogicalHead
from cascade_qec.nn.trunk import Trunk


class CascadeNetwork(torch.nn.Module):
    """A trunk, which gives features of every site, and a head, which makes of them what is asked.

    Parameters
    ----------
    code : CSSCode
        Gives the number of relations and planes; any code of the same family and check weights fits.
    settings : NetworkSettings
    types : int, optional
        Types of component that a local head knows; without them the head is asked about logical operators.
    told : int
        Numbers that the network is told of the noise at each site.
    """

    def __init__(self, code: CSSCode, settings: NetworkSettings, types: int | None = None, told: int = 0) -> None:
        super().__init__()
        self.settings = settings
        self.trunk = Trunk(code, settings, told)
        self.head: LogicalHead | LocalHead
        if types is None:
            self.head = LogicalHead(code, settings.width, settings.segment_rounds is not None)
        else:
            self.head = LocalHead(settings.width, types)

    def forward(
        self,
        states: UInt8[torch.Tensor, "sites shots"],
        geometry: Geometry,
        dtype: torch.dtype = torch.float32,
        noise: Float32[torch.Tensor, "sites told"] | None = None,
    ) -> Float32[torch.Tensor, "shots asked"]:
        """Logits of the logical operators, or of the components, that the geometry asks about.

        Parameters
        ----------
        states : uint8 [sites, shots]
            0 silence, 1 event, 2 no detector here.
        geometry : Geometry
        dtype : torch.dtype
            Of the activations; batch statistics, the head's MLP and the logits are float32.
        noise : float32 [sites, told], optional
            How it differs from the usual one, see `cascade_qec.components.Priors`, for a network that is told so.

        Returns
        -------
        float32 [shots, operators] or [shots, components]
        """
        if isinstance(self.head, LogicalHead) and self.head.in_segments:
            states = torch.cat([states, states[:, :1] & ABSENT], dim=1)
        logits = self.head(self.trunk(states, geometry, dtype, noise), geometry)
        if noise is not None:
            logits = logits + noise[geometry.owner, geometry.type_of]
        return logits
